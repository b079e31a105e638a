"""Deleting old data: single clicks, whose counts stay, and rows of the audit log.

Everything is deleted in transactions of limited size. A run can be interrupted and repeated at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from django.db import connections, router
from django.db.models import Min, QuerySet

from stats_app import rollups
from stats_app.errors import Refused
from stats_app.local_days import clicks_in_days
from stats_app.locks import LockedWorkspace, in_workspace, tried_again
from stats_app.models import Click, ToolCall, Workspace
from stats_app.periods import MIN_DATE, ONE_DAY, month_start, next_month, utc_midnight, zone_of
from stats_app.sql import clicks as sql

BATCH = 5_000
"""How many rows are deleted in one transaction."""


def prune_clicks(
    workspace: Workspace, before: date, *, now: datetime, progress: Callable[[int], None] = lambda deleted: None
) -> int:
    """Deletes the clicks of the local days before a date, month by month, and returns their number. Their counts stay.

    Before the clicks of a month are deleted, `clicks_kept_from` is moved past that month. From then on, clicks of the
    days before it are not accepted and not recounted. A workspace without clicks before the date is not changed.
    `progress` is called with the number of clicks deleted so far.

    Raises Refused for a date after today, and if counts differ from the clicks, because they could not be corrected
    later. Raises UnknownZone.
    """
    using = router.db_for_write(Click)
    give_up = partial(_give_up_month, before=before, now=now, using=using)
    deleted = 0
    while True:
        # First deletes the rest of an earlier run.
        while batch := in_workspace(workspace.pk, partial(_delete_given_up, using=using), using=using, alone=True):
            deleted += batch
            progress(deleted)
        if not in_workspace(workspace.pk, give_up, using=using, alone=True):
            return deleted


def prunable_clicks(workspace: Workspace, before: date, *, now: datetime) -> int:
    """How many clicks `prune_clicks` would delete. Raises the same errors, but does not compare the counts."""
    using = router.db_for_write(Click)

    def count(locked: LockedWorkspace) -> int:
        _refuse_what_cannot_be_pruned(locked, before, now)
        return _clicks_before(locked, max(filter(None, (before, locked.clicks_kept_from))), using).count()

    return in_workspace(workspace.pk, count, using=using)


def _give_up_month(locked: LockedWorkspace, *, before: date, now: datetime, using: str) -> bool:
    """Moves `clicks_kept_from` past the first month that has clicks before the date, and returns True.

    Returns False if no month is left. If clicks were pruned before, `clicks_kept_from` is then set to the date.
    """
    _refuse_what_cannot_be_pruned(locked, before, now)
    kept_from = locked.clicks_kept_from
    if kept_from is not None and kept_from >= before:
        return False
    oldest = _clicks_before(locked, before, using).aggregate(Min("utc_day"))["utc_day__min"]
    if oldest is None:
        if kept_from is not None:
            _keep_from(locked, before, using)
        return False
    start = max(filter(None, (kept_from, oldest - ONE_DAY)))  # no zone differs from UTC by more than a day
    end = min(before, next_month(month_start(start)))
    for difference in rollups.differences(locked, start, end - ONE_DAY, using):
        raise Refused(
            f"{difference}. After pruning this cannot be recounted: run check_rollups and rebuild_rollups first."
        )
    _keep_from(locked, end, using)
    return True


def _refuse_what_cannot_be_pruned(locked: LockedWorkspace, before: date, now: datetime) -> None:
    today = now.astimezone(zone_of(locked.timezone)).date()
    if before > today:
        raise Refused(f"{before} is after today, {today} in {locked.timezone}: clicks of today are still coming in.")
    if rollups.is_moved(locked):
        raise Refused(
            f"The time zone is {locked.timezone} but counts are by {locked.counted_timezone}: run rebuild_rollups "
            "first."
        )


def _keep_from(locked: LockedWorkspace, day: date, using: str) -> None:
    Workspace.objects.using(using).filter(pk=locked.id).update(clicks_kept_from=day)


def _delete_given_up(locked: LockedWorkspace, *, using: str) -> int:
    """Deletes one batch of the clicks before `clicks_kept_from`, and returns their number."""
    if locked.clicks_kept_from is None:
        return 0
    clicks = _clicks_before(locked, locked.clicks_kept_from, using).order_by("utc_day")
    ids = [click_id.bytes for click_id in clicks.values_list("id", flat=True)[:BATCH]]
    return sql.delete(connections[using], locked.id, ids) if ids else 0


def _clicks_before(locked: LockedWorkspace, day: date, using: str) -> QuerySet[Any]:
    clicks = Click.objects.using(using).filter(workspace=locked.id)
    return clicks_in_days(clicks, zone_of(locked.timezone), MIN_DATE, day - ONE_DAY)


def prune_audit(before: date, *, now: datetime, progress: Callable[[int], None] = lambda deleted: None) -> int:
    """Deletes the rows of the audit log from the days before a date, in UTC, and returns their number.

    Raises Refused for a date after today.
    """
    deleted = 0
    for calls in _old_calls(before, now):
        delete = partial(_delete_some, calls)
        while batch := tried_again(delete, using=calls.db):
            deleted += batch
            progress(deleted)
    return deleted


def prunable_calls(before: date, *, now: datetime) -> int:
    """How many rows `prune_audit` would delete. Raises the same errors."""
    return sum(calls.count() for calls in _old_calls(before, now))


def _old_calls(before: date, now: datetime) -> Iterator[QuerySet[Any]]:
    """The old rows, one workspace after the other, because the index is by workspace. Includes deleted workspaces."""
    today = now.astimezone(UTC).date()
    if before > today:
        raise Refused(f"{before} is after today, {today} in UTC: calls of today are still coming in.")
    calls = ToolCall.objects.using(router.db_for_write(ToolCall)).order_by()
    last = 0
    while (following := calls.filter(workspace__gt=last).aggregate(Min("workspace"))["workspace__min"]) is not None:
        last = following
        yield calls.filter(workspace=last, called_at__lt=utc_midnight(before))


def _delete_some(rows: QuerySet[Any]) -> int:
    ids = list(rows.order_by("called_at").values_list("pk", flat=True)[:BATCH])
    deleted, _ = rows.filter(pk__in=ids).delete()
    return deleted
