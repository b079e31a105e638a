"""The command that judges stored clicks again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.test import Client

from stats_app import bursts, reclassification, verdicts, visits
from stats_app.ingest import ClickInput
from stats_app.links import LinkInput, create_links
from stats_app.models import Campaign, Click, RecentVisit, Rollup, TrackedLink, Workspace
from stats_app.rollups import check
from tests.counts import stored_counts
from tests.factories import make_campaign, make_user, make_workspace, record
from tests.sqlite_steps import steps_of_sqlite
from tests.test_commands import refusal, run
from tests.test_removal import executed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.example.com/"
BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605",
    "curl/8.5.0",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.130 Safari/537.36",
]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(timezone="America/New_York")


def make_links(workspace: Workspace) -> list[TrackedLink]:
    """Three links of each of two people, and one of nobody."""
    campaign: Campaign = make_campaign(workspace)
    people = [make_user(workspace), make_user(workspace)]
    wanted = [
        LinkInput(kind, f"{SITE}{kind}", campaign if kind == "campaign" else None, person)
        for person in people
        for kind in ("campaign", "vcard", "other")
    ]
    links = create_links(workspace, [*wanted, LinkInput("other", SITE)]).links
    return [link for link in links if link is not None]


def follow_many(links: list[TrackedLink], number: int = 150, seed: int = 5) -> None:
    """Visits of a few visitors in a few minutes around a midnight of UTC, many of them bursts and repeats."""
    chance = random.Random(seed)
    now = datetime(2026, 3, 9, 23, 58, tzinfo=UTC)
    for _ in range(number):
        now += timedelta(seconds=chance.choice([0.2, 0.5, 1, 3, 8, 30]))
        headers = {"user-agent": chance.choice([*BROWSERS[:2] * 3, *BROWSERS]), "accept-language": "fr"}
        with time_machine.travel(now, tick=False):
            address = f"203.0.113.{chance.choice([7, 7, 8])}"
            Client(headers=headers).get(f"/c/{chance.choice(links).token}", REMOTE_ADDR=address)


def judged(workspace: Workspace) -> Counter[tuple[Any, ...]]:
    clicks = Click.objects.filter(workspace=workspace)
    return Counter(clicks.values_list("clicked_at", "link__target_url", "verdict", "reason"))


def differences(workspace: Workspace) -> list[str]:
    return [str(one) for one in check(workspace)]


@contextmanager
def rule_changed(rule_id: str, **values: Any) -> Iterator[None]:
    """A rule that judges otherwise, as in another version."""
    before = list(verdicts._PATTERNS)
    verdicts._PATTERNS[:] = [
        (rule._replace(**values) if rule.id == rule_id else rule, pattern) for rule, pattern in before
    ]
    verdicts._rule_and_name.cache_clear()
    try:
        yield
    finally:
        verdicts._PATTERNS[:] = before
        verdicts._rule_and_name.cache_clear()


def with_reason(workspace: Workspace, verdict: str, reason: str, number: int = 3) -> None:
    record(
        workspace, *(ClickInput("vcard", None, verdict=verdict, reason=reason, clicked_at=NOON) for _ in range(number))
    )


def test_what_was_judged_when_it_came_in_stays(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reclassification, "SLICE", 10)
    follow_many(make_links(workspace))
    before, counts = judged(workspace), stored_counts(workspace)
    reasons = {reason for *_, reason in before}
    assert reasons >= {"several links at once", "same link again", "several links at once from one network", ""}
    assert run("reclassify_clicks") == [f"{workspace.public_id} Acme: no click moved."]
    assert (judged(workspace), stored_counts(workspace), differences(workspace)) == (before, counts, [])


@pytest.mark.parametrize("seconds", [5, 20])
def test_it_finds_what_another_limit_would_have_found(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """The result is the same as if the visits had been judged by that limit when they were recorded."""
    monkeypatch.setattr(reclassification, "SLICE", 10)
    other = make_workspace(name="Globex", timezone="America/New_York")
    follow_many(make_links(workspace))
    for module in (bursts, visits, reclassification):
        monkeypatch.setattr(module, "REPEAT", timedelta(seconds=seconds))
    follow_many(make_links(other))
    before = judged(workspace)
    expected = judged(other)
    assert before != expected
    [dry, _] = run("reclassify_clicks", "--dry-run")
    assert judged(workspace) == before
    moved, right = run("reclassify_clicks")
    assert dry == moved.replace(" moved.", " would move.")
    assert right.endswith("Globex: no click moved.")
    assert judged(workspace) == expected
    assert differences(workspace) == []
    numbers = Counter(verdict for _, _, verdict, _ in before.elements())
    after = Counter(verdict for _, _, verdict, _ in expected.elements())
    assert f"{after['human'] - numbers['human']} from suspected to human" in moved
    assert run("reclassify_clicks")[0].endswith("no click moved.")


def test_a_rule_that_judges_otherwise_moves_verdicts_and_counts(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclassification, "SLICE", 2)
    with_reason(workspace, "suspected", "unknown program", 5)
    with_reason(workspace, "suspected", "a reason of theirs")
    with_reason(workspace, "bot", "crawler")
    with_reason(workspace, "suspected", "several links at once")
    other = make_workspace(name="Globex")
    with_reason(other, "bot", "crawler")
    with rule_changed("ua-not-browser", shadow_bit=4), rule_changed("ua-crawler", verdict="suspected"):
        [line] = run("reclassify_clicks", "--workspace", workspace.public_id)
    assert line == f"{workspace.public_id} Acme: 3 from bot to suspected, 5 from suspected to human moved."
    assert Counter(Click.objects.filter(workspace=workspace).values_list("verdict", "reason")) == {
        ("human", ""): 5,
        ("suspected", "a reason of theirs"): 3,
        ("suspected", "crawler"): 3,
        # Nothing is stored from which it could be judged again.
        ("suspected", "several links at once"): 3,
    }
    counts = stored_counts(workspace)
    assert counts["workspace", 0, "2026-03-10"] == (0, 5, 0)
    assert counts["reason", "suspected crawler", "2026-03-10"] == (0, 3, 0)
    assert ("reason", "bot crawler", "2026-03-10") not in counts
    assert (differences(workspace), differences(other)) == ([], [])
    assert set(Click.objects.filter(workspace=other).values_list("verdict", flat=True)) == {"bot"}


def test_only_the_days_asked_for_move(workspace: Workspace) -> None:
    for hour in (3, 4):  # the 9th and the 10th in New York
        clicked_at = datetime(2026, 3, 10, hour, 30, tzinfo=UTC)
        record(workspace, ClickInput("vcard", None, verdict="bot", reason="crawler", clicked_at=clicked_at))
    with rule_changed("ua-crawler", shadow_bit=4):
        [line] = run("reclassify_clicks", "--from", "2026-03-10", "--to", "2026-03-10")
        assert line.endswith("Acme: 1 from bot to human moved.")
        assert stored_counts(workspace)["workspace", 0, "2026-03-10"] == (0, 1, 0)
        assert ("workspace", 0, "2026-03-09") not in stored_counts(workspace)
        run("reclassify_clicks", "--from", "2026-03-11")
        assert run("reclassify_clicks")[0].endswith("Acme: 1 from bot to human moved.")
    assert differences(workspace) == []


def test_clicks_whose_company_is_gone_are_not_found_innocent(workspace: Workspace) -> None:
    links = make_links(workspace)
    for link in links[:2]:
        with time_machine.travel(NOON, tick=False):
            Client(headers={"user-agent": BROWSERS[0], "accept-language": "fr"}).get(f"/c/{link.token}")
    links[0].delete()
    before = judged(workspace)
    assert {reason for *_, reason in before} == {"several links at once"}
    run("reclassify_clicks")
    assert judged(workspace) == before
    midnight = datetime(2026, 3, 10, 4, tzinfo=UTC)
    for now in (midnight - timedelta(seconds=1), midnight + timedelta(seconds=1)):
        with time_machine.travel(now, tick=False):
            Client(headers={"user-agent": BROWSERS[1], "accept-language": "fr"}).get(f"/c/{links[2].token}")
    run("prune_clicks", "--before", "2026-03-10")
    before = judged(workspace)
    assert "same link again" in {reason for *_, reason in before}
    run("reclassify_clicks")
    assert judged(workspace) == before


def test_pruned_days_are_refused_with_the_reason_and_left_out_without_dates(workspace: Workspace) -> None:
    for day in (1, 20):
        clicked_at = datetime(2026, 3, day, 12, tzinfo=UTC)
        record(workspace, ClickInput("vcard", None, verdict="bot", reason="crawler", clicked_at=clicked_at))
    run("prune_clicks", "--before", "2026-03-10")
    with rule_changed("ua-crawler", shadow_bit=4):
        for dry in ([], ["--dry-run"]):
            refusal("reclassify_clicks", "--from", "2026-03-09", *dry)
        assert stored_counts(workspace)["reason", "bot crawler", "2026-03-01"] == (0, 1, 0)
        assert run("reclassify_clicks")[0].endswith("Acme: 1 from bot to human moved.")
    assert stored_counts(workspace)["reason", "bot crawler", "2026-03-01"] == (0, 1, 0)
    assert differences(workspace) == []


def test_counts_of_another_zone_are_put_right_first(workspace: Workspace) -> None:
    with_reason(workspace, "bot", "crawler")
    Workspace.objects.update(timezone="Asia/Tokyo")
    before = list(Rollup.objects.order_by("pk").values_list())
    with rule_changed("ua-crawler", shadow_bit=4):
        refusal("reclassify_clicks")
    assert list(Rollup.objects.order_by("pk").values_list()) == before


def test_an_unknown_zone_keeps_no_other_workspace_waiting(workspace: Workspace) -> None:
    Workspace.objects.update(timezone="Mars/Olympus")
    other = make_workspace(name="Globex")
    with_reason(other, "bot", "crawler")
    with rule_changed("ua-crawler", shadow_bit=4):
        refusal("reclassify_clicks")
    assert set(Click.objects.values_list("verdict", flat=True)) == {"human"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "x"], "--from must be a date as Y-m-d, not 'x'."),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--from 2026-03-02 is after --to 2026-03-01."),
        (["--workspace", "x"], "There is no workspace with the public id 'x'."),
    ],
)
def test_wrong_arguments_are_one_line(workspace: Workspace, arguments: list[str], message: str) -> None:
    assert refusal("reclassify_clicks", *arguments).startswith(message)


def test_a_workspace_without_clicks_moves_none(workspace: Workspace) -> None:
    assert run("reclassify_clicks") == [f"{workspace.public_id} Acme: no click moved."]
    assert not RecentVisit.objects.exists()
    assert date(2026, 3, 28) == workspace.today(NOW)


def test_every_statement_on_clicks_names_the_workspace(workspace: Workspace) -> None:
    follow_many(make_links(workspace), 20)
    with_reason(workspace, "bot", "crawler")
    with rule_changed("ua-crawler", shadow_bit=4), executed() as texts:
        run("reclassify_clicks")
    on_clicks = [text for text in texts if "stats_app_click" in text or "stats_app_rollup" in text]
    assert all("workspace_id = %(workspace)s" in text or '"workspace_id" = %s' in text for text in on_clicks)


@pytest.mark.sqlite
def test_on_sqlite_each_day_costs_the_same_however_many_days_there_are() -> None:
    steps = []
    for days in (20, 80):
        workspace = make_workspace()
        record(
            workspace,
            *(
                ClickInput("vcard", clicked_at=NOON - timedelta(days=day, seconds=second), verdict=verdict)
                for day in range(days)
                for second in range(10)
                for verdict in ("human", "bot")
            ),
        )
        steps.append(steps_of_sqlite(partial(run, "reclassify_clicks", "--workspace", workspace.public_id)))
    assert steps[1] < 6 * steps[0], steps
