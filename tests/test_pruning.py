"""The commands that delete old clicks and old rows of the audit log."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from ulid import ULID

from stats_app import pruning, rollups
from stats_app.dimensions import WORKSPACE_DAYS
from stats_app.errors import Refused
from stats_app.ingest import ClickInput
from stats_app.locks import in_workspace
from stats_app.models import Click, Rollup, ToolCall, Workspace
from stats_app.rollups import change_timezone, check, rebuild
from tests.admin_cast import superuser
from tests.counts import stored_counts
from tests.factories import make_campaign, make_key, make_user, make_workspace, record
from tests.plain_count import local_day
from tests.rest import OVERVIEW, get, post
from tests.test_commands import refusal, run
from tests.test_removal import executed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ZONE = "America/St_Johns"


def make_clicks(workspace: Workspace, number: int = 300, seed: int = 1) -> list[ClickInput]:
    """Clicks of every kind and verdict of a year and a half, many of them around local midnights, which are stored."""
    chance = random.Random(seed)
    campaigns = [make_campaign(workspace).public_id for _ in range(3)]
    users = [make_user(workspace).public_id for _ in range(3)]
    clicks = []
    for _ in range(number):
        day = datetime(2025, 1, 1, 3, 30, tzinfo=UTC) + timedelta(days=chance.randrange(510))
        kind = chance.choice(["campaign", "vcard", "other"])
        verdict = chance.choice(["human", "human", "human", "suspected", "bot"])
        clicks.append(
            ClickInput(
                kind,
                ULID(),
                chance.choice(campaigns) if kind == "campaign" else None,
                chance.choice([*users, None]),
                clicked_at=day + timedelta(seconds=chance.randrange(-3_600, 3_600)),
                verdict=verdict,
                reason="" if verdict == "human" else chance.choice(["crawler", "a reason of theirs"]),
            )
        )
    record(workspace, *clicks)
    return clicks


def left(clicks: list[ClickInput], zone: str, before: str) -> set[str]:
    """The ids of the clicks that a plain look at the calendar keeps."""
    return {str(c.id) for c in clicks if local_day(c, ZoneInfo(zone)) >= date.fromisoformat(before)}


def stored(workspace: Workspace) -> set[str]:
    return {str(one) for one in Click.objects.filter(workspace=workspace).values_list("id", flat=True)}


def differences(workspace: Workspace) -> list[str]:
    return [str(one) for one in check(workspace)]


def answers(workspace: Workspace, client: Client) -> list[Any]:
    """What tools and pages say of the workspace."""
    secret = make_key(workspace)
    period = {"from": "2025-01-01", "to": "2026-06-30"}
    asked = [get(secret, OVERVIEW, period | {"breakdown": breakdown}) for breakdown in ("day", "week", "month")]
    urls = [f"/api/v1/campaigns/{campaign.public_id}/performance/" for campaign in workspace.campaigns.order_by("pk")]
    urls += [f"/api/v1/users/{user.public_id}/metrics/" for user in workspace.users.order_by("pk")]
    asked += [get(secret, url, period) for url in urls]
    texts = []
    for form in ({}, {"format": "csv"}):
        page = client.get(f"/stats/{workspace.public_id}/", period | {"breakdown": "week"} | form)
        assert page.status_code == 200
        texts.append(re.sub(r'(?<=csrfmiddlewaretoken" value=")\w+', "", page.getvalue().decode()))
    for answer in asked:
        assert answer.status_code == 200
    return [*(answer.json() | {"generatedAt": ""} for answer in asked), *texts]


# --- prune_clicks


def test_clicks_go_and_every_count_and_answer_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 7)
    workspace, other = make_workspace(timezone=ZONE), make_workspace(name="Globex")
    clicks, of_other = make_clicks(workspace), make_clicks(other, 20)
    client = superuser()
    before, asked = stored_counts(workspace), answers(workspace, client)
    lines = run("prune_clicks", "--before", "2026-03-10", "--workspace", workspace.public_id)
    gone = len(clicks) - len(left(clicks, ZONE, "2026-03-10"))
    assert 0 < gone < len(clicks)
    assert lines == [
        f"{workspace.public_id} Acme: {gone} click(s) before 2026-03-10 deleted; their counts stay.",
    ]
    assert stored(workspace) == left(clicks, ZONE, "2026-03-10")
    workspace.refresh_from_db()
    assert workspace.clicks_kept_from == date(2026, 3, 10)
    assert (stored_counts(workspace), answers(workspace, client), differences(workspace)) == (before, asked, [])
    assert (len(stored(other)), other.clicks_kept_from) == (len(of_other), None)
    again = run("prune_clicks", "--before", "2026-03-10", "--workspace", workspace.public_id)
    assert again == [f"{workspace.public_id} Acme: 0 click(s) before 2026-03-10 deleted; their counts stay."]
    earlier = run("prune_clicks", "--before", "2026-01-10", "--workspace", workspace.public_id)
    assert earlier == [f"{workspace.public_id} Acme: 0 click(s) before 2026-01-10 deleted; their counts stay."]
    workspace.refresh_from_db()
    assert workspace.clicks_kept_from == date(2026, 3, 10)


def test_without_a_workspace_it_prunes_all_of_them() -> None:
    first, second, empty = make_workspace(), make_workspace(name="Globex"), make_workspace(name="New")
    numbers = [len(make_clicks(one, 30)) - len(stored_after(one, "2026-01-01")) for one in (first, second)]
    assert run("prune_clicks", "--before", "2026-01-01") == [
        f"{one.public_id} {one}: {number} click(s) before 2026-01-01 deleted; their counts stay."
        for one, number in zip((first, second, empty), (*numbers, 0), strict=True)
    ]
    kept = Workspace.objects.order_by("pk").values_list("clicks_kept_from", flat=True)
    # Where nothing was pruned, nothing is refused later either.
    assert list(kept) == [date(2026, 1, 1), date(2026, 1, 1), None]


def stored_after(workspace: Workspace, day: str) -> list[Any]:
    return list(Click.objects.filter(workspace=workspace, clicked_at__gte=f"{day}T00:00:00Z"))


def test_a_dry_run_says_how_many_and_changes_nothing() -> None:
    workspace = make_workspace(timezone=ZONE)
    clicks = make_clicks(workspace, 60)
    gone = len(clicks) - len(left(clicks, ZONE, "2025-09-01"))
    assert run("prune_clicks", "--before", "2025-09-01", "--dry-run") == [
        f"{workspace.public_id} Acme: {gone} click(s) before 2025-09-01 would be deleted."
    ]
    workspace.refresh_from_db()
    assert (len(stored(workspace)), workspace.clicks_kept_from) == (60, None)


def test_every_statement_on_clicks_and_counts_names_the_workspace_and_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 10)
    workspace = make_workspace()
    make_clicks(workspace, 40)
    with executed() as texts:
        run("prune_clicks", "--before", "2026-06-01")
    on_clicks = [text for text in texts if "stats_app_click" in text or "stats_app_rollup" in text]
    assert all("workspace_id = " in text or '"workspace_id" = ' in text for text in on_clicks)
    deleted = [text for text in on_clicks if text.lstrip().startswith("DELETE")]
    assert len(deleted) >= 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--before", "2026-13-01"], "--before must be a date as Y-m-d, not '2026-13-01'."),
        (["--before", "yesterday"], "--before must be a date as Y-m-d, not 'yesterday'."),
        (["--before", "2026-02-01", "--workspace", "x"], "There is no workspace with the public id 'x'."),
        ([], "Error: the following arguments are required: --before"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_wrong_arguments_prune_nothing(arguments: list[str], dry: list[str], message: str) -> None:
    make_clicks(make_workspace(), 5)
    assert refusal("prune_clicks", *arguments, *dry).startswith(message)
    assert Click.objects.count() == 5


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_today_is_never_pruned(dry: list[str]) -> None:
    """A visitor's click of this moment would be refused."""
    ahead, behind = make_workspace(timezone="Pacific/Kiritimati"), make_workspace(timezone="UTC", name="Globex")
    for workspace in (ahead, behind):
        make_clicks(workspace, 5)
    assert refusal("prune_clicks", "--before", "2026-06-02", *dry) == (
        "The clicks of 1 workspace(s) could not be pruned."
    )
    assert stored(ahead) == set() or dry
    assert len(stored(behind)) == 5


def test_counts_that_are_wrong_are_not_made_final() -> None:
    workspace, right = make_workspace(), make_workspace(name="Globex")
    clicks = make_clicks(workspace, 40)
    make_clicks(right, 10)
    day = max(local_day(c, workspace.zone) for c in clicks if c.verdict == "human" and c.clicked_at.year == 2025)
    Rollup.objects.filter(workspace=workspace, day=day, dimension=WORKSPACE_DAYS).update(vcard_clicks=99)
    with pytest.raises(Exception, match="1 workspace"):
        run("prune_clicks", "--before", "2026-06-01")
    workspace.refresh_from_db()
    assert workspace.clicks_kept_from is not None
    assert workspace.clicks_kept_from <= day
    assert stored(workspace) >= left(clicks, "UTC", str(day))
    assert stored(right) == set()
    run("rebuild_rollups", "--workspace", workspace.public_id)
    run("prune_clicks", "--before", "2026-06-01")
    assert (stored(workspace), differences(workspace)) == (set(), [])


def test_a_zone_that_was_changed_otherwise_is_put_right_first() -> None:
    workspace = make_workspace()
    make_clicks(workspace, 5)
    Workspace.objects.update(timezone="Asia/Tokyo")
    for dry in ([], ["--dry-run"]):
        refusal("prune_clicks", "--before", "2026-01-01", *dry)
    assert len(stored(workspace)) == 5
    run("rebuild_rollups")
    run("prune_clicks", "--before", "2026-01-01")
    assert differences(workspace) == []


def test_an_unknown_zone_keeps_no_other_workspace_waiting() -> None:
    unknown, known = make_workspace(), make_workspace(name="Globex")
    for workspace in (unknown, known):
        make_clicks(workspace, 5)
    Workspace.objects.filter(pk=unknown.pk).update(timezone="Mars/Olympus")
    refusal("prune_clicks", "--before", "2026-06-01")
    assert (len(stored(unknown)), len(stored(known))) == (5, 0)


def test_whatever_would_count_pruned_days_says_why_it_does_not() -> None:
    workspace = make_workspace()
    make_clicks(workspace, 50)
    run("prune_clicks", "--before", "2026-03-01")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("rebuild_rollups", "--from", "2026-02-28", stdout=out)
    reason = "Raw clicks before 2026-03-01 are pruned: 2026-02-28 cannot be recounted."
    assert out.getvalue() == f"{workspace.public_id} Acme: {reason}\n"
    workspace.refresh_from_db()
    with pytest.raises(Exception, match="The time zone cannot be changed: raw clicks before 2026-03-01 are pruned"):
        change_timezone(workspace, "Asia/Tokyo")
    counts = stored_counts(workspace)
    Rollup.objects.filter(workspace=workspace, day__gte="2026-03-01").update(vcard_clicks=7)
    [line] = run("rebuild_rollups")
    assert line.endswith("day(s) recounted; those before 2026-03-01 stay, as their clicks are pruned.")
    assert (stored_counts(workspace), differences(workspace)) == (counts, [])
    [line] = run("rebuild_rollups", "--from", "2026-03-01")
    assert line.endswith("day(s) recounted.")


def test_a_click_of_a_pruned_day_is_refused_and_one_of_the_first_kept_day_is_taken() -> None:
    workspace = make_workspace(timezone=ZONE)
    make_clicks(workspace, 50)
    run("prune_clicks", "--before", "2026-03-01")
    secret = make_key(workspace)
    # 2 h 30 min behind at that time of the year, and an hour more.
    clicks = [{"kind": "other", "clickedAt": f"2026-03-01T03:{minute}:00Z"} for minute in (29, 30)]
    answer = post(secret, {"clicks": clicks}).json()
    assert (answer["accepted"], [(one["index"], one["code"]) for one in answer["rejected"]]) == (1, [(0, "pruned")])
    assert differences(workspace) == []


def test_a_rebuild_goes_on_past_clicks_that_are_pruned_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    make_clicks(workspace)
    counts = stored_counts(workspace)
    locks = []

    def pruned_meanwhile(*args: Any, **values: Any) -> Any:
        locks.append(args)
        if len(locks) == 4:
            run("prune_clicks", "--before", "2025-06-15")
        return in_workspace(*args, **values)

    monkeypatch.setattr(rollups, "in_workspace", pruned_meanwhile)
    [line] = run("rebuild_rollups")
    assert line.endswith("; those before 2025-06-15 stay, as their clicks are pruned.")
    assert (stored_counts(workspace), differences(workspace)) == (counts, [])
    with pytest.raises(Refused, match="are pruned: 2025-05-01 cannot be recounted"):
        rebuild(workspace, date(2025, 5, 1))


# --- prune_audit


def called(workspace: Workspace | int, *times: str) -> None:
    number = workspace if isinstance(workspace, int) else workspace.pk
    ToolCall.objects.bulk_create(
        ToolCall(workspace_id=number, tool="x", surface="rest", outcome="ok", duration_ms=1, called_at=f"{time}Z")
        for time in times
    )


def test_old_rows_of_the_audit_log_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    first, second = make_workspace(), make_workspace(timezone="Asia/Tokyo")
    old = ["2026-01-01T00:00:00", "2026-02-28T12:00:00", "2026-02-28T23:59:59.999999"]
    for workspace in (first, second, 987_654):  # the last is of a workspace that is gone
        called(workspace, *old, "2026-03-01T00:00:00", "2026-05-01T12:00:00")
    for before, said in (("2026-03-01", "9 tool call(s)"), ("2025-01-01", "0 tool call(s)")):
        assert run("prune_audit", "--before", before, "--dry-run") == [f"{said} before {before} would be deleted."]
    assert ToolCall.objects.count() == 15
    assert run("prune_audit", "--before", "2026-03-01") == ["9 tool call(s) before 2026-03-01 deleted."]
    assert set(ToolCall.objects.values_list("called_at", flat=True)) == {
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 5, 1, 12, tzinfo=UTC),
    }
    assert ToolCall.objects.count() == 6
    assert run("prune_audit", "--before", "2026-03-01") == ["0 tool call(s) before 2026-03-01 deleted."]


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_wrong_days_prune_no_audit(dry: list[str]) -> None:
    called(make_workspace(), "2026-01-01T00:00:00")
    assert refusal("prune_audit", "--before", "2026-3-1", *dry) == "--before must be a date as Y-m-d, not '2026-3-1'."
    assert refusal("prune_audit", "--before", "2026-06-02", *dry) == (
        "2026-06-02 is after today, 2026-06-01 in UTC: calls of today are still coming in."
    )
    assert ToolCall.objects.count() == 1
