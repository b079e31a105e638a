"""Changes on pages and in files, for random questions: none for constant traffic, and the right ones for any other."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import time_machine
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace, WorkspaceUser
from stats_app.presets import PRESETS
from tests.admin_cast import superuser
from tests.dashboard_cast import address, changes, csv_lines, show, table, text
from tests.factories import make_campaign, make_user, make_workspace, record_all

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIRST = date(2025, 1, 20)
LAST = date(2026, 4, 9)
KINDS = ("campaign", "vcard", "other")
Shown = Workspace | Campaign | WorkspaceUser


class Fact(NamedTuple):
    """The keys by which the clicks of a day are counted; public ids, empty for none."""

    day: date
    kind: str
    campaign: str
    user: str


@dataclass(frozen=True)
class Traffic:
    """A workspace with its clicks from `FIRST` to `LAST`, counted plainly beside."""

    staff: Client
    workspace: Workspace
    pages: list[Shown]
    counts: Counter[Fact]

    def clicks(self, start: str, end: str, **where: str) -> int:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        return sum(
            number
            for fact, number in self.counts.items()
            if first <= fact.day <= last and all(getattr(fact, name) == value for name, value in where.items())
        )


def make_traffic(number_of: Callable[[date], int]) -> Traffic:
    """Two users, each with clicks on a campaign of their own and on the vCard, and clicks of nobody: as many of each on
    a day as `number_of` says."""
    workspace = make_workspace()
    users = [make_user(workspace, display_name=f"Person {number}") for number in range(2)]
    campaigns = [make_campaign(workspace, name=f"Campaign {number}") for number in range(2)]
    series: list[tuple[str, Campaign | None, WorkspaceUser | None]] = [
        *(("campaign", campaign, user) for campaign, user in zip(campaigns, users, strict=True)),
        *(("vcard", None, user) for user in users),
        ("other", None, None),
    ]
    clicks, counts = [], Counter[Fact]()
    for offset in range((LAST - FIRST).days + 1):
        day = FIRST + offset * DAY
        clicked_at = datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)
        for kind, campaign, user in series:
            number = number_of(day)
            clicks += [ClickInput(kind, campaign=campaign, user=user, clicked_at=clicked_at) for _ in range(number)]
            counts[Fact(day, kind, campaign.public_id if campaign else "", user.public_id if user else "")] += number
    record_all(workspace, clicks, now=datetime(2026, 4, 10, tzinfo=UTC))
    return Traffic(superuser(), workspace, [workspace, campaigns[0], users[0]], counts)


@pytest.fixture(autouse=True)
def _logged_in_at_any_time(settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 10 * 365 * 24 * 60 * 60


@pytest.fixture
def flat(_logged_in_at_any_time: None) -> Traffic:
    """The same number on every day. On the last day only the morning is over."""
    return make_traffic(lambda day: 1 if day == LAST else 2)


@pytest.fixture
def uneven(_logged_in_at_any_time: None) -> Traffic:
    rng = random.Random(5)
    return make_traffic(lambda day: rng.choice([0, 1, 1, 2, 5]))


days = st.dates(FIRST - 40 * DAY, LAST + 40 * DAY)
lengths = st.integers(1, 130) | st.sampled_from([7, 28, 31, 91, 365, 366])
own_dates = st.builds(
    lambda start, number: {"from": str(start), "to": str(start + (number - 1) * DAY)}, days, lengths
) | st.builds(
    lambda day, number: {
        "from": str(day.replace(day=1)),
        "to": str((day.replace(day=1) + number * 31 * DAY).replace(day=1) - DAY),
    },
    days,
    st.integers(1, 13),
)
presets = st.sampled_from([{"period": name} for name in PRESETS])
more = st.fixed_dictionaries(
    {},
    optional={
        "breakdown": st.sampled_from(["day", "week", "month"]),
        "compare": st.sampled_from(["previous", "year", "none"]),
        "users": st.sampled_from(["-change", "name"]),
    },
)
questions = st.builds(lambda asked, rest: asked | rest, own_dates | presets, more)
moments = st.builds(
    lambda day, hour: datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC),
    st.dates(FIRST - 5 * DAY, LAST) | st.just(LAST),
    st.integers(0, 23),
)


def examples(number: int) -> hypothesis_settings:
    # All examples share the fixture's rows, and read only.
    shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return hypothesis_settings(max_examples=number, deadline=None, derandomize=True, suppress_health_check=shared)


LAST_NOON = datetime(2026, 4, 9, 12, tzinfo=UTC)


@examples(40)
@given(question=questions, now=moments)
@example(question={"from": "2026-03-31", "to": "2026-04-01", "breakdown": "month"}, now=LAST_NOON)
@example(question={"from": "2026-02-15", "to": "2026-03-27", "breakdown": "month"}, now=LAST_NOON)
@example(question={"period": "this-month", "breakdown": "month"}, now=LAST_NOON)
@example(question={"period": "this-month", "breakdown": "week"}, now=LAST_NOON)
@example(question={"from": "2026-03-01", "to": "2026-04-09", "breakdown": "day"}, now=LAST_NOON)
@example(question={"from": "2024-12-01", "to": "2025-12-31", "compare": "year"}, now=LAST_NOON)
def test_flat_traffic_shows_no_change_anywhere(flat: Traffic, question: dict[str, str], now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        for shown in flat.pages:
            page = text(show(flat.staff, address(shown), **question))
            assert re.findall(r"[^ ]*[+−][0-9][^ ]*|[▲▼]", page) == []
            lines = csv_lines(flat.staff.get(address(shown), question | {"format": "csv"}))
            assert {line["change"] for line in lines} <= {"", "0"}
            assert {line["changePercent"] for line in lines} <= {"", "0.0"}
        page = text(show(flat.staff, "/stats/", q=""))
        assert re.findall(r"[+−][0-9]|[▲▼]", page) == []


@examples(40)
@given(question=questions, now=moments)
@example(question={"period": "last-28-days"}, now=LAST_NOON)
@example(question={"period": "this-year", "breakdown": "month", "compare": "year"}, now=LAST_NOON)
@example(question={"from": "2026-03-02", "to": "2026-04-12", "breakdown": "week"}, now=LAST_NOON)
def test_every_change_is_that_of_two_spans_of_as_many_days(
    uneven: Traffic, question: dict[str, str], now: datetime
) -> None:
    first_click = min(fact.day for fact, number in uneven.counts.items() if number)
    with time_machine.travel(now, tick=False):
        for shown in uneven.pages:
            page = show(uneven.staff, address(shown), **question)
            lines = csv_lines(uneven.staff.get(address(shown), question | {"format": "csv"}))
            for line in lines:
                if line["change"]:
                    check_line(uneven, shown, line, first_click, now.date())
            if question.get("compare") == "none":
                assert re.search("[+−▲▼][0-9]?", text(page)) is None
                assert {line["change"] for line in lines} == {""}
            else:
                check_page(page, lines)
        lines = csv_lines(uneven.staff.get("/stats/", {"format": "csv"}))
        for line in lines:
            if line["change"]:
                check_line(
                    uneven, uneven.workspace, line | {"table": "totals", "name": "total"}, first_click, now.date()
                )


def check_line(traffic: Traffic, shown: Shown, line: dict[str, str], first_click: date, today: date) -> None:
    """The change of a line, recounted."""
    counted, before = (line["from"], line["countedTo"]), (line["previousFrom"], line["previousTo"])
    lengths = [date.fromisoformat(end) - date.fromisoformat(start) for start, end in (counted, before)]
    assert lengths[0] == lengths[1]
    assert all(first_click <= date.fromisoformat(start) for start, _ in (counted, before))
    assert all(date.fromisoformat(end) < today for _, end in (counted, before))
    where = where_of(shown, line)
    now, then = traffic.clicks(*counted, **where), traffic.clicks(*before, **where)
    assert (line["countedClicks"], line["previousClicks"]) == (str(now), str(then))
    assert line["change"] == str(now - then)
    assert line["changePercent"] == (str(round(100 * (now - then) / then, 4)) if then else "")


def where_of(shown: Shown, line: dict[str, str]) -> dict[str, str]:
    """Which clicks a line is about."""
    where = {}
    if isinstance(shown, Campaign):
        where["campaign"] = shown.public_id
    if isinstance(shown, WorkspaceUser):
        where["user"] = shown.public_id
    if line["table"] in ("campaigns", "users"):
        where[line["table"].removesuffix("s")] = line["publicId"]
    if line["table"] == "totals" and line["name"] != "total":
        where["kind"] = line["name"]
    return where


def check_page(page: str, lines: list[dict[str, str]]) -> None:
    """The page says of each line what the file does."""
    by_table = {name: [line for line in lines if line["table"] == name] for name in {line["table"] for line in lines}}
    cells = {"totals": changes(page), "chart": last_cells(page, "stats-clicks")}
    cells |= {name: last_cells(page, name) for name in ("campaigns", "users") if by_table.get(name)}
    for name, cells_of_table in cells.items():
        for line, cell in zip(by_table[name], cells_of_table, strict=True):
            if line["change"]:
                assert cell.removeprefix("▲ up ").removeprefix("▼ down ").removeprefix("= unchanged ") == change_of(
                    line
                )
            else:
                assert re.search("[%▲▼=+−]", cell) is None


def last_cells(page: str, section: str) -> list[str]:
    return [row[-1] for row in table(page, section)]


def change_of(line: dict[str, str]) -> str:
    difference = int(line["change"])
    signed = f"{difference:+,}".replace("-", "−") if difference else "0"
    if not difference or not line["changePercent"]:
        return signed
    percent = f"{difference / int(line['previousClicks']):+.1%}".replace("-", "−")
    return f"{'<0.1%' if percent[1:] == '0.0%' else percent} ({signed})"
