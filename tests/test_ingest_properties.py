"""For any clicks, the rollups and all answers from them agree with a plain count of the clicks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ulid import ULID

from stats_app import store
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import Alias, Campaign, Click, Rollup, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.rollups import change_timezone, check, rebuild
from stats_app.sql.clicks import ClickRow
from stats_app.verdict_changes import VerdictChange, change_verdicts
from tests.counts import Counts, stored_counts
from tests.factories import make_alias, make_campaign, make_user, make_workspace, store_rows

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = ("campaign", "vcard", "other")
VERDICTS = ("human", "suspected", "bot")
REASONS = ("", "burst", "mail scanner")
# Each with moments at which its local date changes in an unusual way.
EDGES = {
    "UTC": ["2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00Z", "2024-02-29T12:00:00Z"],
    "Asia/Kathmandu": ["2026-02-28T18:14:59Z", "2026-02-28T18:15:00Z"],
    "America/St_Johns": ["2010-11-07T02:30:00Z", "2010-11-07T02:31:00Z", "2010-11-07T03:30:00Z"],
    "Pacific/Apia": ["2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"],
    "Africa/Casablanca": ["2026-02-15T02:00:00Z", "2026-03-22T02:00:00Z", "2026-03-21T23:30:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00:00Z", "2026-04-04T13:00:00Z"],
    "America/Havana": ["2026-03-08T05:00:00Z", "2026-03-08T04:59:59Z"],
    "America/Sao_Paulo": ["2017-10-15T03:00:00Z", "2018-02-18T02:00:00Z", "2018-02-18T03:00:00Z"],
    "Pacific/Kiritimati": ["2025-12-31T10:00:00Z", "2025-12-31T09:59:59Z"],
    "America/New_York": ["2026-03-08T07:00:00Z", "2026-03-31T04:00:00Z"],
}
MOMENTS = [(zone, datetime.fromisoformat(text)) for zone, texts in EDGES.items() for text in texts]

zones = st.sampled_from(sorted(EDGES))
# All clicks of an example lie around one moment, since recounting goes through every month between first and last.
around = st.sampled_from(MOMENTS)
minutes = st.sampled_from([0, 0, 0, 1, -1, 30, -30, 60, -60, 720, -720, 1440, -1440, 40 * 1440])


@dataclass(frozen=True)
class Place:
    """A workspace with a few rows that clicks can name."""

    workspace: Workspace
    campaigns: Sequence[Campaign]
    users: Sequence[WorkspaceUser]
    alias: Alias


class Drawn(NamedTuple):
    """A click to send: everything by number, so that it shrinks well."""

    place: int
    number: int | None
    kind: int
    campaign: int
    user: int | None
    by_alias: bool
    minutes: int
    verdict: int
    reason: int
    shadow: int = 0


drawn = st.builds(
    Drawn,
    place=st.integers(0, 1),
    number=st.none() | st.integers(0, 20),
    kind=st.integers(0, 2),
    campaign=st.integers(0, 2),
    user=st.none() | st.integers(0, 1),
    by_alias=st.booleans(),
    minutes=minutes,
    verdict=st.sampled_from([0, 0, 0, 1, 2]),
    reason=st.integers(0, 2),
    shadow=st.sampled_from([0, 0, 1, 3]),
)
batches = st.lists(st.lists(drawn, max_size=10), min_size=1, max_size=4)


class Counted(NamedTuple):
    """A click as the plain count sees it."""

    clicked_at: datetime
    kind: int
    campaign: int | None
    user: int | None
    verdict: int
    reason: str
    shadow: int | None


def reason_of(click: Drawn) -> str:
    return REASONS[click.reason] if click.verdict else ""


def make_places() -> list[Place]:
    places = []
    for name in ("Acme", "Globex"):
        workspace = make_workspace(name=name)
        users = [make_user(workspace), make_user(workspace)]
        campaigns = [make_campaign(workspace) for _ in range(3)]
        places.append(Place(workspace, campaigns, users, make_alias(users[0])))
    return places


@contextmanager
def undone() -> Iterator[None]:
    """Each example begins with the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def id_of(number: int) -> ULID:
    return ULID.from_bytes(number.to_bytes(16, "big"))


def input_of(click: Drawn, place: Place, middle: datetime) -> ClickInput:
    user = None if click.user is None else place.users[click.user]
    alias = place.alias if click.by_alias and click.user != 1 else None
    return ClickInput(
        kind=KINDS[click.kind],
        id=None if click.number is None else id_of(click.number),
        campaign=place.campaigns[click.campaign].public_id if click.kind == 0 else None,
        user=user,
        alias=alias,
        clicked_at=middle + timedelta(minutes=click.minutes),
        verdict=VERDICTS[click.verdict],
        reason=reason_of(click),
    )


def row_of(click: Drawn, place: Place, middle: datetime) -> ClickRow:
    """The row that the redirect would store."""
    counted = counted_of(click, place, middle)
    at = counted.clicked_at.astimezone(UTC)
    click_id = ULID() if click.number is None else id_of(click.number)
    references = (counted.campaign, counted.user, None, None)
    return ClickRow(
        click_id.bytes, at, at.date(), click.kind, click.verdict, *references, counted.reason, counted.shadow
    )


def counted_of(click: Drawn, place: Place, middle: datetime) -> Counted:
    by_alias = click.by_alias and click.user != 1
    user = 0 if by_alias else click.user
    return Counted(
        middle + timedelta(minutes=click.minutes),
        click.kind,
        place.campaigns[click.campaign].pk if click.kind == 0 else None,
        None if user is None else place.users[user].pk,
        click.verdict,
        reason_of(click),
        click.shadow or None,
    )


def send(places: Sequence[Place], batch: Sequence[Drawn], known: list[dict[object, Counted]], middle: datetime) -> None:
    """Sends a batch to each workspace, and adds to `known` what must be stored: the first of each id."""
    for number, place in enumerate(places):
        clicks = [click for click in batch if click.place == number]
        new = 0
        for click in clicks:
            key: object = object() if click.number is None else click.number
            if key not in known[number]:
                known[number][key] = counted_of(click, place, middle)
                new += 1
        if any(click.shadow for click in clicks):
            assert store_rows(place.workspace, [row_of(click, place, middle) for click in clicks]) == new
            continue
        result = record_clicks(place.workspace, [input_of(click, place, middle) for click in clicks], now=NOW)
        assert (result.accepted, result.duplicates, result.rejected) == (new, len(clicks) - new, [])


def send_all(places: list[Place], data: list[list[Drawn]], middle: datetime) -> list[dict[object, Counted]]:
    """Sends the batches, and returns the clicks of each place that are stored then."""
    known: list[dict[object, Counted]] = [{}, {}]
    for batch in data:
        send(places, batch, known, middle)
    return known


def plain_rollups(clicks: Sequence[Counted], zone: ZoneInfo) -> Counts:
    """All rollups that these clicks make."""
    rollups: dict[tuple[str, int | str, str], list[int]] = {}

    def add(dimension: str, key: int | str | None, day: date, kind: int) -> None:
        if key is not None:
            rollups.setdefault((dimension, key, str(day)), [0, 0, 0])[kind] += 1

    for click in clicks:
        day = click.clicked_at.astimezone(zone).date()
        if click.verdict:
            reason = f"{VERDICTS[click.verdict]} {click.reason}"
            add("reason", reason, day, click.kind)
            for name, key in (("campaign", click.campaign), ("user", click.user)):
                add(f"reason of {name}", key and f"{key} {reason}", day, click.kind)
            continue
        add("workspace", 0, day, click.kind)
        add("shadow", click.shadow, day, click.kind)
        for name, key in (("campaign", click.campaign), ("user", click.user)):
            add(name, key, day, click.kind)
            add(f"{name} by year", key, day.replace(month=1, day=1), click.kind)
    return {place: (campaign, vcard, other) for place, (campaign, vcard, other) in rollups.items()}


def stored_clicks(workspace: Workspace) -> Counter[Counted]:
    return Counter(
        Counted(
            c.clicked_at, KINDS.index(c.kind), c.campaign_id, c.user_id, VERDICTS.index(c.verdict), c.reason, c.shadow
        )
        for c in Click.objects.filter(workspace=workspace)
    )


def assert_exact(place: Place, clicks: Sequence[Counted], zone: str) -> None:
    assert stored_clicks(place.workspace) == Counter(clicks)
    assert stored_counts(place.workspace) == plain_rollups(clicks, ZoneInfo(zone))
    assert list(check(place.workspace)) == []


def set_zones(places: Sequence[Place], names: Sequence[str]) -> None:
    for place, name in zip(places, names, strict=True):
        Workspace.objects.filter(pk=place.workspace.pk).update(timezone=name)


@pytest.fixture
def places() -> list[Place]:
    return make_places()


def examples(number: int) -> settings:
    # All examples share the fixture's rows, and each undoes its own.
    shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=number, deadline=None, derandomize=True, suppress_health_check=shared)


@examples(100)
@given(data=batches, edge=around, other=st.tuples(zones, zones))
def test_the_rollups_are_a_plain_count(
    places: list[Place], data: list[list[Drawn]], edge: tuple[str, datetime], other: tuple[str, str]
) -> None:
    zone, middle = edge
    names, new = (zone, other[0]), (other[1], zone)
    with undone():
        set_zones(places, names)
        known = send_all(places, data, middle)
        for place, clicks, name in zip(places, known, names, strict=True):
            assert_exact(place, list(clicks.values()), name)
        for place, clicks, name in zip(places, known, new, strict=True):
            change_timezone(place.workspace, name)
            assert_exact(place, list(clicks.values()), name)
        send(places, data[0], known, middle)
        for place, clicks, name in zip(places, known, new, strict=True):
            Rollup.objects.filter(workspace=place.workspace, campaign_clicks__gt=0).delete()
            rebuild(place.workspace)
            assert_exact(place, list(clicks.values()), name)


@examples(60)
@given(data=batches, edge=around, changes=st.lists(st.tuples(*[st.integers(0, 2)] * 2), min_size=21, max_size=21))
def test_changed_verdicts_are_counted_as_if_they_had_come_in_so(
    places: list[Place], data: list[list[Drawn]], edge: tuple[str, datetime], changes: list[tuple[int, int]]
) -> None:
    name, middle = edge
    with undone():
        set_zones(places, (name, name))
        known = send_all(places, data, middle)
        for place, clicks in zip(places, known, strict=True):
            wanted = {}
            for number, (verdict, reason) in enumerate(changes):
                wanted[number] = (verdict, REASONS[reason] if verdict else "")
            given = [VerdictChange(id_of(number), VERDICTS[v], reason) for number, (v, reason) in wanted.items()]
            change_verdicts(place.workspace, given)
            for number, (verdict, reason) in wanted.items():
                if number in clicks:
                    clicks[number] = clicks[number]._replace(verdict=verdict, reason=reason)
            assert_exact(place, list(clicks.values()), name)


def plain_counts(
    clicks: Sequence[Counted], zone: ZoneInfo, period: Period, by: Sequence[str], where: dict[str, int]
) -> dict[tuple[int | str, ...], list[int]]:
    """The answer of `store.counts`, counted one click after the other."""
    days = [period.start + number * DAY for number in range((period.end - period.start).days + 1)]
    length = len(days) if "day" in by else 1
    kinds: Sequence[str | None] = KINDS if "kind" in by else [None]
    answer: dict[tuple[int | str, ...], list[int]] = {}
    grouped = [name for name in by if name in ("campaign", "user", "reason", "shadow")]
    if not grouped:
        answer = {((kind,) if kind else ()): [0] * length for kind in kinds}
    for click in clicks:
        day = click.clicked_at.astimezone(zone).date()
        values = {"campaign": click.campaign, "user": click.user, "reason": click.reason, "shadow": click.shadow}
        if day not in days or bool(click.verdict) is not ("reason" in by):
            continue
        if any(values[name] != number for name, number in where.items()) or any(values[n] is None for n in grouped):
            continue
        prefix = tuple(values[name] for name in grouped)
        if "reason" in by:
            prefix = (VERDICTS[click.verdict], *prefix)
        for kind in kinds:
            key = (*prefix, kind) if kind else prefix
            series = answer.setdefault(key, [0] * length)  # type: ignore[arg-type]  # rows with None in `grouped` were passed over above
            if kind in (None, KINDS[click.kind]):
                series[days.index(day) if "day" in by else 0] += 1
    return answer


QUESTIONS: list[tuple[tuple[Any, ...], tuple[str, ...]]] = [
    ((), ()),
    (("day",), ()),
    (("kind",), ()),
    (("day", "kind"), ()),
    (("campaign",), ()),
    (("campaign", "day"), ()),
    (("campaign", "day", "kind"), ()),
    (("user", "kind"), ()),
    (("user",), ()),
    (("shadow",), ()),
    (("shadow", "day"), ()),
    (("shadow", "kind"), ()),
    (("reason",), ()),
    (("reason", "day", "kind"), ()),
    (("reason",), ("campaign",)),
    (("reason", "day"), ("user",)),
    ((), ("campaign",)),
    (("day",), ("campaign",)),
    (("kind",), ("user",)),
    (("day", "kind"), ("user",)),
    (("campaign",), ("campaign",)),
]


@examples(100)
@given(
    data=batches,
    edge=around,
    before=st.integers(0, 70),
    after=st.integers(0, 70),
    one=st.integers(0, 1),
)
def test_every_question_is_answered_as_a_plain_count_would(
    places: list[Place], data: list[list[Drawn]], edge: tuple[str, datetime], before: int, after: int, one: int
) -> None:
    name, middle = edge
    with undone():
        set_zones(places, (name, name))
        known = send_all(places, data, middle)
        period = Period(middle.date() - before * DAY, middle.date() + after * DAY)
        place, clicks = places[0], list(known[0].values())
        numbers = {"campaign": place.campaigns[one].pk, "user": place.users[one].pk}
        for by, names in QUESTIONS:
            where = {key: numbers[key] for key in names}
            counts = store.counts(place.workspace.pk, period, by, where=where)  # type: ignore[arg-type]  # the questions hold plain texts, not literals
            assert counts == plain_counts(clicks, ZoneInfo(name), period, by, where), (by, where)


def test_two_dimensions_at_once_are_not_counted() -> None:
    period = Period(date(2026, 3, 1), date(2026, 3, 1))
    with pytest.raises(ValueError, match="Clicks are counted by campaign and user apart, not together"):
        store.counts(1, period, ("campaign",), where={"user": 1})


class Burst(NamedTuple):
    """Some clicks of one campaign, and of one user, on one day."""

    row: int
    day: int
    clicks: int


bursts = st.lists(
    st.builds(Burst, row=st.integers(0, 13), day=st.integers(0, 150), clicks=st.integers(1, 3)),
    min_size=1,
    max_size=60,
)
FIRST = date(2025, 12, 10)


@pytest.fixture
def many() -> Place:
    workspace = make_workspace()
    users = [make_user(workspace) for _ in range(14)]
    return Place(workspace, [make_campaign(workspace) for _ in range(14)], users, make_alias(users[0]))


@examples(150)
@given(data=bursts, start=st.integers(0, 60), days=st.integers(0, 150), top=st.sampled_from([1, 2, 3, 10]))
def test_the_top_is_a_plain_top_ties_by_public_id(
    many: Place, data: list[Burst], start: int, days: int, top: int
) -> None:
    period = Period(FIRST + start * DAY, FIRST + (start + days) * DAY)
    with undone():
        record_clicks(many.workspace, islice(clicks_of(many, data), 1_000), now=NOW)
        campaigns: dict[int, list[int]] = {}
        for burst in data:
            if 0 <= burst.day - start <= days:
                series = campaigns.setdefault(burst.row, [0] * (days + 1))
                series[burst.day - start] += burst.clicks
        plain = sorted(campaigns, key=lambda row: (-sum(campaigns[row]), many.campaigns[row].public_id))[:top]
        counts = store.counts(many.workspace.pk, period, ("campaign", "day"), top=top)
        assert list(counts.items()) == [((many.campaigns[row].pk,), campaigns[row]) for row in plain]
        plain = sorted(campaigns, key=lambda row: (-sum(campaigns[row]), many.users[row].public_id))[:top]
        counts = store.counts(many.workspace.pk, period, ("user",), top=top)
        assert list(counts.items()) == [((many.users[row].pk,), [sum(campaigns[row])]) for row in plain]


def clicks_of(place: Place, data: Sequence[Burst]) -> Iterator[ClickInput]:
    for burst in data:
        clicked_at = datetime.combine(FIRST + burst.day * DAY, datetime.min.time(), UTC)
        for _ in range(burst.clicks):
            yield ClickInput(
                "campaign", None, place.campaigns[burst.row], place.users[burst.row], clicked_at=clicked_at
            )
