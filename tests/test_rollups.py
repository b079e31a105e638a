"""Recounting, comparing counts with clicks, and changing the time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.test.utils import override_settings

from stats_app.errors import Refused
from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Click, Rollup, Workspace, WorkspaceUser
from stats_app.rollups import change_timezone, check, rebuild
from tests.counts import CODES, Counts, stored_counts
from tests.factories import make_alias, make_campaign, make_user, make_workspace, record

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ZONE = "Asia/Kathmandu"  # 5 h 45 min east


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(timezone=ZONE)


@pytest.fixture
def campaign(workspace: Workspace) -> Campaign:
    return make_campaign(workspace)


@pytest.fixture
def user(workspace: Workspace) -> WorkspaceUser:
    return make_user(workspace)


# Just before and after local midnights at the ends of a year and of months.
TIMES = [
    "2025-12-31T18:14:59Z",
    "2025-12-31T18:15:00Z",
    "2026-01-31T18:14:59Z",
    "2026-01-31T18:15:00Z",
    "2026-03-10T12:00:00Z",
]


@pytest.fixture
def counted(workspace: Workspace, campaign: Campaign, user: WorkspaceUser) -> Counts:
    """The right rollups of some clicks of each kind and verdict, which are stored."""
    for text in TIMES:
        record(
            workspace,
            ClickInput("campaign", None, campaign, user, clicked_at=text),
            ClickInput("vcard", None, None, user, clicked_at=text),
            ClickInput("other", clicked_at=text, verdict="bot", reason="mail scanner"),
            now=NOW,
        )
    days = ["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01", "2026-03-10"]
    expected: Counts = {}
    for day in days:
        expected[("workspace", 0, day)] = (1, 1, 0)
        expected[("campaign", campaign.pk, day)] = (1, 0, 0)
        expected[("user", user.pk, day)] = (1, 1, 0)
        expected[("reason", "bot mail scanner", day)] = (0, 0, 1)
    expected |= {
        ("campaign by year", campaign.pk, "2025-01-01"): (1, 0, 0),
        ("campaign by year", campaign.pk, "2026-01-01"): (4, 0, 0),
    }
    expected |= {("user by year", user.pk, "2025-01-01"): (1, 1, 0), ("user by year", user.pk, "2026-01-01"): (4, 4, 0)}
    assert stored_counts(workspace) == expected
    return expected


def differences(workspace: Workspace) -> list[str]:
    return [str(difference) for difference in check(workspace)]


def set_workspace(workspace: Workspace, **values: Any) -> None:
    """Changes the row without `change_timezone`."""
    Workspace.objects.filter(pk=workspace.pk).update(**values)


def prune(workspace: Workspace, before: date) -> None:
    """Deletes the clicks of the local days before `day`; the counts stay."""
    midnight = datetime(before.year, before.month, before.day, tzinfo=workspace.zone)
    Click.objects.filter(workspace=workspace, clicked_at__lt=midnight).delete()
    set_workspace(workspace, clicks_kept_from=before)


def rows_of(workspace: Workspace, *names: str) -> QuerySet[Rollup]:
    """The rollups of these dimensions."""
    return Rollup.objects.filter(workspace=workspace, dimension__in=[CODES[name] for name in names or CODES])


def garble(workspace: Workspace, *names: str, **where: Any) -> None:
    rows_of(workspace, *names).filter(**where).update(vcard_clicks=F("vcard_clicks") + 100)


def add_row(workspace: Workspace, name: str, day: date, *counts: int) -> None:
    """A row of the rollups for which there are no clicks."""
    columns = dict(zip(("campaign_clicks", "vcard_clicks", "other_clicks"), counts, strict=True))
    Rollup.objects.create(workspace=workspace, dimension=CODES[name], key=0, day=day, **columns)


@pytest.fixture(params=[True, False], ids=["prepared", "not prepared"])
def _prepared(request: pytest.FixtureRequest) -> Iterator[None]:
    with override_settings(STATS_APP={"PREPARED_STATEMENTS": request.param}):
        yield


def test_a_workspace_without_clicks_is_right() -> None:
    workspace = make_workspace()
    assert (differences(workspace), rebuild(workspace), stored_counts(workspace)) == ([], 0, {})


@pytest.mark.usefixtures("_prepared")
def test_it_counts_all_days_anew(workspace: Workspace, counted: Counts) -> None:
    other = make_workspace()
    record(other, ClickInput("vcard", clicked_at=TIMES[0]), now=NOW)
    of_other = stored_counts(other)
    rows_of(workspace, "workspace").delete()
    garble(workspace)
    add_row(workspace, "workspace", date(2026, 3, 20), 5, 0, 0)
    add_row(workspace, "user", date(2027, 7, 1), 5, 0, 0)
    add_row(workspace, "user by year", date(2024, 1, 1), 5, 0, 0)
    assert differences(workspace) != []
    rebuild(workspace)
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])
    assert stored_counts(other) == of_other
    rebuild(workspace)
    assert stored_counts(workspace) == counted


def test_it_says_how_many_days_it_counted(workspace: Workspace, counted: Counts) -> None:
    assert rebuild(workspace, date(2026, 1, 30), date(2026, 2, 2)) == 4
    assert rebuild(workspace, date(2026, 3, 1), date(2026, 3, 1)) == 1
    assert rebuild(workspace, date(2030, 1, 1), date(2030, 1, 31)) == 0


def test_it_counts_some_days_anew_and_leaves_the_others(
    workspace: Workspace, user: WorkspaceUser, counted: Counts
) -> None:
    garble(workspace, "workspace")
    rebuild(workspace, date(2026, 1, 31), date(2026, 2, 1))
    wrong = {
        key: (campaign, vcard + 100, other)
        for key, (campaign, vcard, other) in counted.items()
        if key[0] == "workspace" and key[2] not in ("2026-01-31", "2026-02-01")
    }
    assert stored_counts(workspace) == counted | wrong


def test_some_days_bring_the_sums_of_all_years_along(workspace: Workspace, counted: Counts) -> None:
    garble(workspace, "campaign by year", "user by year")
    rebuild(workspace, date(2026, 1, 31), date(2026, 1, 31))
    assert stored_counts(workspace) == counted


def test_it_names_each_difference(
    workspace: Workspace, campaign: Campaign, user: WorkspaceUser, counted: Counts
) -> None:
    day = date(2026, 3, 10)
    garble(workspace, "workspace", "campaign", "user", "reason", day=day)
    garble(workspace, "campaign by year", day=date(2025, 1, 1))
    rows_of(workspace, "workspace").filter(day=date(2026, 2, 1)).delete()
    add_row(workspace, "workspace", date(2026, 2, 2), 0, 0, 7)
    assert differences(workspace) == [
        "2026-02-01 workspace: 1/1/0 counted, 0/0/0 stored",
        "2026-02-02 workspace: 0/0/0 counted, 0/0/7 stored",
        "2026-03-10 workspace: 1/1/0 counted, 1/101/0 stored",
        f"2026-03-10 campaign {campaign.pk}: 1/0/0 counted, 1/100/0 stored",
        f"2026-03-10 user {user.pk}: 1/1/0 counted, 1/101/0 stored",
        '2026-03-10 reason bot "mail scanner": 0/0/1 counted, 0/100/1 stored',
        # Sums are compared with the stored days, which are wrong in 2026.
        f"2025-01-01 campaign by year {campaign.pk}: 1/0/0 counted, 1/100/0 stored",
        f"2026-01-01 campaign by year {campaign.pk}: 4/100/0 counted, 4/0/0 stored",
        f"2026-01-01 user by year {user.pk}: 4/104/0 counted, 4/4/0 stored",
    ]


def test_a_wrong_sum_of_a_year_is_named(workspace: Workspace, user: WorkspaceUser, counted: Counts) -> None:
    garble(workspace, "user by year", day=date(2026, 1, 1))
    rows_of(workspace, "user by year").filter(day=date(2025, 1, 1)).delete()
    assert differences(workspace) == [
        f"2025-01-01 user by year {user.pk}: 1/1/0 counted, 0/0/0 stored",
        f"2026-01-01 user by year {user.pk}: 4/4/0 counted, 4/104/0 stored",
    ]


def test_a_sum_of_a_year_on_another_day_is_named(workspace: Workspace, campaign: Campaign, counted: Counts) -> None:
    """Otherwise the search for the largest campaigns would use it as part of the year."""
    rows_of(workspace, "campaign by year").filter(day=date(2026, 1, 1)).update(day=date(2026, 3, 2))
    assert differences(workspace) == [
        f"2026-01-01 campaign by year {campaign.pk}: 4/0/0 counted, 0/0/0 stored",
        f"2026-03-02 campaign by year {campaign.pk}: 0/0/0 counted, 4/0/0 stored",
    ]
    rebuild(workspace)
    assert stored_counts(workspace) == counted


def test_a_row_of_zeros_is_named(workspace: Workspace, counted: Counts) -> None:
    """Otherwise its user would count as one with clicks."""
    add_row(workspace, "workspace", date(2026, 3, 1), 0, 0, 0)
    assert differences(workspace) == ["2026-03-01 workspace: 0/0/0 counted, a row of zeros stored"]
    rebuild(workspace)
    assert stored_counts(workspace) == counted


def test_clicks_written_past_ingest_are_found(workspace: Workspace, counted: Counts) -> None:
    Click.objects.filter(workspace=workspace, kind="vcard", utc_day=date(2026, 3, 10)).update(verdict="bot")
    assert [line.partition(":")[2] for line in differences(workspace)] == [
        " 1/0/0 counted, 1/1/0 stored",
        " 1/0/0 counted, 1/1/0 stored",
        " 0/2/0 counted, 0/0/0 stored",  # of the workspace and of the user, without a number
    ]
    rebuild(workspace)
    assert differences(workspace) == []


def test_a_click_with_the_wrong_date_of_utc_is_found(workspace: Workspace, counted: Counts) -> None:
    Click.objects.filter(workspace=workspace, utc_day=date(2026, 3, 10)).update(utc_day=date(2026, 3, 20))
    assert differences(workspace)[0] == "2026-03-10 workspace: 0/0/0 counted, 1/1/0 stored"


@pytest.mark.parametrize("field", ["campaign_id", "user_id", "alias_id", "link_id"])
@pytest.mark.parametrize("is_there", [True, False])
def test_clicks_that_name_what_is_of_another_workspace_are_found(
    workspace: Workspace, campaign: Campaign, field: str, is_there: bool
) -> None:
    other = make_workspace()
    makers: dict[str, Callable[[], Any]] = {
        "campaign_id": lambda: make_campaign(other).pk,
        "user_id": lambda: make_user(other).pk,
        "alias_id": lambda: make_alias(make_user(other)).pk,
        "link_id": lambda: 987_654,
    }
    record(workspace, ClickInput("campaign", None, campaign), now=NOW)
    Click.objects.update(**{field: makers[field]() if is_there else 987_654})
    assert "clicks with a campaign, user, alias or link of another workspace: 1 counted, 0 stored" in differences(
        workspace
    )


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [
        (date(2026, 1, 31), None, "2026-01-31"),
        (date(2026, 1, 1), date(2026, 3, 1), "2026-01-01"),
        (None, date(2026, 1, 31), "2026-01-31"),
    ],
)
def test_days_whose_clicks_are_pruned_cannot_be_counted_anew(
    workspace: Workspace, counted: Counts, start: date | None, end: date | None, named: str
) -> None:
    prune(workspace, date(2026, 2, 1))
    with pytest.raises(Refused, match=f"Raw clicks before 2026-02-01 are pruned: {named} cannot be recounted"):
        rebuild(workspace, start, end)
    assert stored_counts(workspace) == counted


@pytest.mark.parametrize("kept_from", [date(2026, 1, 1), date(2026, 1, 15), date(2026, 3, 10), date(2026, 5, 1)])
def test_pruning_changes_no_count(workspace: Workspace, counted: Counts, kept_from: date) -> None:
    prune(workspace, kept_from)
    assert differences(workspace) == []
    garble(workspace, "workspace", "campaign", "user", "reason", day__gte=kept_from)
    garble(workspace, "campaign by year", "user by year", day__gte=kept_from.replace(month=1, day=1))
    rebuild(workspace)
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])


def test_days_since_the_pruned_ones_can_be_counted_anew(workspace: Workspace, counted: Counts) -> None:
    prune(workspace, date(2026, 2, 1))
    garble(workspace, "user", day__gte=date(2026, 2, 1))
    rebuild(workspace, date(2026, 2, 1))
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])


def test_changing_the_zone_counts_everything_anew(
    workspace: Workspace, campaign: Campaign, user: WorkspaceUser, counted: Counts
) -> None:
    change_timezone(workspace, "UTC")
    assert (workspace.timezone, workspace.counted_timezone) == ("UTC", "UTC")
    workspace.refresh_from_db()
    assert (workspace.timezone, workspace.counted_timezone) == ("UTC", "UTC")
    expected: Counts = {}
    for day, clicks in (("2025-12-31", 2), ("2026-01-31", 2), ("2026-03-10", 1)):
        expected[("workspace", 0, day)] = (clicks, clicks, 0)
        expected[("campaign", campaign.pk, day)] = (clicks, 0, 0)
        expected[("user", user.pk, day)] = (clicks, clicks, 0)
        expected[("reason", "bot mail scanner", day)] = (0, 0, clicks)
    expected |= {
        ("campaign by year", campaign.pk, "2025-01-01"): (2, 0, 0),
        ("campaign by year", campaign.pk, "2026-01-01"): (3, 0, 0),
    }
    expected |= {("user by year", user.pk, "2025-01-01"): (2, 2, 0), ("user by year", user.pk, "2026-01-01"): (3, 3, 0)}
    assert (stored_counts(workspace), differences(workspace)) == (expected, [])
    change_timezone(workspace, ZONE)
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])


def test_the_zone_of_a_workspace_without_clicks_can_be_changed() -> None:
    workspace = make_workspace()
    change_timezone(workspace, ZONE)
    record(workspace, ClickInput("vcard", clicked_at=TIMES[0]), now=NOW)
    assert (stored_counts(workspace), differences(workspace)) == ({("workspace", 0, "2025-12-31"): (0, 1, 0)}, [])


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "right/UTC", "../UTC", "UTC\0"])
def test_a_name_that_is_no_zone_changes_nothing(workspace: Workspace, counted: Counts, name: str) -> None:
    with pytest.raises(ValidationError):
        change_timezone(workspace, name)
    workspace.refresh_from_db()
    assert (workspace.timezone, stored_counts(workspace)) == (ZONE, counted)


def test_the_zone_cannot_be_changed_once_clicks_are_pruned(workspace: Workspace, counted: Counts) -> None:
    prune(workspace, date(2026, 2, 1))
    with pytest.raises(Refused, match="The time zone cannot be changed: raw clicks before 2026-02-01 are pruned"):
        change_timezone(workspace, "UTC")
    change_timezone(workspace, ZONE)
    workspace.refresh_from_db()
    assert (workspace.timezone, workspace.counted_timezone) == (ZONE, ZONE)
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])


def test_a_change_that_is_rolled_back_changes_nothing(workspace: Workspace, counted: Counts) -> None:
    with transaction.atomic():
        change_timezone(workspace, "UTC")
        transaction.set_rollback(True)
    workspace.refresh_from_db()
    assert (workspace.timezone, workspace.counted_timezone) == (ZONE, ZONE)
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])


def test_a_zone_that_was_changed_otherwise_is_found(workspace: Workspace, counted: Counts) -> None:
    set_workspace(workspace, timezone="UTC")
    reported = differences(workspace)
    assert reported[0] == f"time zone: UTC counted, {ZONE} stored"
    assert len(reported) > 1


def test_after_such_a_change_only_all_days_can_be_counted(workspace: Workspace, counted: Counts) -> None:
    set_workspace(workspace, timezone="UTC")
    with pytest.raises(Refused, match=f"The time zone is UTC but counts are by {ZONE}: run rebuild_rollups without"):
        rebuild(workspace, date(2026, 1, 1), date(2026, 3, 31))
    assert stored_counts(workspace) == counted
    rebuild(workspace)
    assert differences(workspace) == []
    assert stored_counts(workspace)[("workspace", 0, "2025-12-31")] == (2, 2, 0)


def test_after_such_a_change_and_pruning_the_zone_can_only_be_set_back(workspace: Workspace, counted: Counts) -> None:
    prune(workspace, date(2026, 2, 1))
    set_workspace(workspace, timezone="UTC")
    with pytest.raises(Refused, match=f"Counts are by {ZONE}, and raw clicks before 2026-02-01 are pruned"):
        rebuild(workspace)
    for name in ("UTC", "Europe/Paris"):
        with pytest.raises(Refused, match="The time zone cannot be changed"):
            change_timezone(workspace, name)
    assert stored_counts(workspace) == counted
    change_timezone(workspace, ZONE)
    assert (stored_counts(workspace), differences(workspace)) == (counted, [])


def test_clicks_that_came_in_after_such_a_change_are_put_right(workspace: Workspace) -> None:
    clicks = [ClickInput("vcard", clicked_at=datetime.fromisoformat(text)) for text in TIMES]
    record(workspace, *clicks[:2], now=NOW)
    set_workspace(workspace, timezone="UTC")
    record(workspace, *clicks[2:], now=NOW)
    assert differences(workspace)[0] == f"time zone: UTC counted, {ZONE} stored"
    change_timezone(workspace, ZONE)
    assert differences(workspace) == []
    assert stored_counts(workspace)[("workspace", 0, "2026-02-01")] == (0, 1, 0)


def test_a_rebuild_leaves_nothing_half_done_when_it_fails(workspace: Workspace, counted: Counts) -> None:
    def fail(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if "INSERT INTO stats_app_rollup" in sql:
            raise ZeroDivisionError
        return execute(sql, *args)

    with connection.execute_wrapper(fail):
        for act in (lambda: rebuild(workspace), lambda: change_timezone(workspace, "UTC")):
            with pytest.raises(ZeroDivisionError):
                act()
    workspace.refresh_from_db()
    assert (workspace.timezone, stored_counts(workspace), differences(workspace)) == (ZONE, counted, [])


def test_a_long_gap_between_clicks_is_bridged(workspace: Workspace) -> None:
    record(workspace, ClickInput("vcard", clicked_at=NOW - timedelta(days=800)), ClickInput("vcard"), now=NOW)
    assert differences(workspace) == []
    Rollup.objects.filter(workspace=workspace).delete()
    rebuild(workspace)
    assert (len(stored_counts(workspace)), differences(workspace)) == (2, [])
