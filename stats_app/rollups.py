"""Keeping the stored counts correct: recounting them, comparing them with the clicks, and changing the time zone.

All of these work on one calendar month at a time. Recounting locks the workspace exclusively, so that writers wait for
a short time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.db import connections, router
from django.db.models import Max, Min

from stats_app.day_spans import day_spans
from stats_app.dimensions import DIMENSIONS, REASON_DAYS, VERDICTS, WORKSPACE_DAYS, YEARS
from stats_app.errors import Refused, WorkspaceGone, shown
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import Click, Rollup, Workspace
from stats_app.models.workspaces import validate_timezone
from stats_app.periods import MAX_DATE, ONE_DAY, month_end, next_month, year_start, zone_of
from stats_app.sql import reasons
from stats_app.sql import recounts as sql
from stats_app.sql.transactions import snapshot

# The `clicks_kept_from` of a workspace that is being deleted: it accepts no clicks, and its counts are not compared.
GIVEN_UP = MAX_DATE + ONE_DAY

_NAMES = {dimension.code: dimension.name for dimension in DIMENSIONS} | {
    dimension.years: f"{dimension.name} by year" for dimension in DIMENSIONS if dimension.years is not None
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between rollups and clicks. `str()` is a line for people."""

    place: str
    counted: str
    stored: str

    def __str__(self) -> str:
        return f"{self.place}: {self.counted} counted, {self.stored} stored"


def change_timezone(workspace: Workspace, name: str) -> None:
    """Changes a workspace's time zone and recounts all its clicks, in one transaction.

    Raises ValidationError if the name is not an IANA zone, and Refused if clicks were pruned, because their days cannot
    be recounted.
    """
    validate_timezone(name)
    using = router.db_for_write(Workspace, instance=workspace)

    def change(locked: LockedWorkspace) -> None:
        # The zone of the counts is still allowed, to undo a change of the row that was made without this function.
        if locked.clicks_kept_from is not None and name != (locked.counted_timezone or locked.timezone):
            raise Refused(
                f"The time zone cannot be changed: raw clicks before {locked.clicks_kept_from} are pruned, "
                "and their days cannot be recounted."
            )
        Workspace.objects.using(using).filter(pk=workspace.pk).update(timezone=name)
        _recount(locked._replace(timezone=name, counted_timezone=""), None, None, using)

    in_workspace(workspace.pk, change, using=using, alone=True)
    workspace.timezone = workspace.counted_timezone = name


def rebuild(workspace: Workspace, start: date | None = None, end: date | None = None) -> int:
    """Recounts the clicks of a workspace, of all days or of `start` to `end`, and returns the number of days.

    Days whose clicks are pruned are not changed. Raises Refused if `start` or `end` is such a day. If the time zone was
    changed without `change_timezone`, also raises it for a part of the days, and if any clicks are pruned.
    """
    using = router.db_for_write(Rollup)
    locked = in_workspace(workspace.pk, lambda locked: locked, using=using)
    if is_moved(locked):
        # One transaction, because counts by two time zones must never be visible together.
        return in_workspace(workspace.pk, lambda locked: _recount(locked, start, end, using), using=using, alone=True)
    _refuse_what_cannot_be_recounted(locked, start, end)
    days = 0
    months = list(_months(locked, start, end, using))
    for month in months:
        recount = partial(_recount_month, month=month, asked=(start, end), using=using)
        days += in_workspace(workspace.pk, recount, using=using, alone=True)
    for year in _years(workspace.pk, months, using):
        in_workspace(workspace.pk, partial(_recount_year, year=year, using=using), using=using, alone=True)
    return days


def check(workspace: Workspace) -> Iterator[Difference]:
    """All differences between rollups and clicks of a workspace.

    Writing, pruning and changing the time zone may go on during the check: each month is read from one snapshot,
    together with the time zone and `clicks_kept_from`.
    """
    using = router.db_for_read(Rollup)
    connection = connections[using]
    with snapshot(using):
        locked = _unlocked(workspace.pk, using)
        if locked.clicks_kept_from == GIVEN_UP:
            return
        strangers = sql.strangers(connection, workspace.pk)
        months = list(_months(locked, None, None, using))
    if is_moved(locked):
        yield Difference("time zone", locked.timezone, locked.counted_timezone)
    if strangers:
        yield Difference("clicks with a campaign, user, alias or link of another workspace", str(strangers), "0")
    for month in months:
        with snapshot(using):
            of_month = differences(_unlocked(workspace.pk, using), month.start, month.end, using)
        yield from of_month
    for year in _years(workspace.pk, months, using):
        with snapshot(using):
            of_year = _differences(workspace.pk, sql.year_differences(connection, workspace.pk, year), using)
        yield from of_year


def differences(locked: LockedWorkspace, start: date, end: date, using: str) -> list[Difference]:
    """The differences of the days `start` to `end`, without days whose clicks are pruned."""
    return [
        difference
        for month in _months_between(locked, start, end)
        for difference in _differences(locked.id, sql.differences(connections[using], locked.id, month), using)
    ]


def _unlocked(workspace_id: int, using: str) -> LockedWorkspace:
    """The values of the workspace, read in a snapshot without a lock. Raises WorkspaceGone."""
    row = Workspace.objects.using(using).filter(pk=workspace_id).first()
    if row is None:
        raise WorkspaceGone
    return LockedWorkspace(row.pk, row.timezone, row.counted_timezone, row.clicks_kept_from)


def _differences(workspace_id: int, rows: list[tuple[Any, ...]], using: str) -> list[Difference]:
    sides: dict[tuple[int, int, object], dict[str, str]] = {}
    for dimension, key, day, side, *numbers in rows:
        sides.setdefault((dimension, key, day), {})[side] = "/".join(map(str, numbers))
    reason_numbers = [key for dimension, key, _ in sides if dimension == REASON_DAYS]
    named = reasons.numbered(connections[using], workspace_id, reason_numbers) if reason_numbers else {}
    listed = []
    for (dimension, key, day), counts in sides.items():
        name: object = key if dimension != REASON_DAYS else _reason_name(named.get(key))
        place = f"{day} {_NAMES[dimension]}" + (f" {name}" if dimension != WORKSPACE_DAYS else "")
        stored = counts.get("stored", "0/0/0")
        is_empty = "counted" not in counts and stored == "0/0/0"
        listed.append(Difference(place, counts.get("counted", "0/0/0"), "a row of zeros" if is_empty else stored))
    return listed


def _reason_name(reason: reasons.Reason | None) -> str:
    if reason is None:
        return "without a number"
    [verdict] = (name for name, number in VERDICTS.items() if number == reason.verdict)
    subject = "" if reason.dimension == WORKSPACE_DAYS else f" of {_NAMES[reason.dimension]} {reason.key}"
    return f"{verdict} {shown(reason.text)}{subject}"


def is_moved(locked: LockedWorkspace) -> bool:
    """Whether the counts use another time zone than the workspace, because it was changed without `change_timezone`."""
    return locked.counted_timezone not in ("", locked.timezone)


def _recount(locked: LockedWorkspace, start: date | None, end: date | None, using: str) -> int:
    _refuse_what_cannot_be_recounted(locked, start, end)
    months = list(_months(locked, start, end, using))
    days = _recount_days(locked, months, using)
    for year in _years(locked.id, months, using):
        _recount_year(locked, year, using)
    return days


def _recount_month(
    locked: LockedWorkspace, *, month: sql.MonthOfClicks, asked: tuple[date | None, date | None], using: str
) -> int:
    # Clicks may have been pruned, or the zone changed, since the months were listed.
    _refuse_what_cannot_be_recounted(locked, *asked, in_parts=True)
    return _recount_days(locked, _months_between(locked, month.start, month.end), using)


def _recount_year(locked: LockedWorkspace, year: date, using: str) -> None:
    sql.rebuild_year(connections[using], locked.id, year)


def _years(workspace_id: int, months: Iterable[sql.MonthOfClicks], using: str) -> list[date]:
    """The first days of the calendar years to add up: the years of the months, and the years that have stored sums."""
    stored = Rollup.objects.using(using).filter(workspace=workspace_id, dimension__in=YEARS)
    days = {month.start for month in months} | set(stored.values_list("day", flat=True).distinct())
    return sorted(set(map(year_start, days)))


def _recount_days(locked: LockedWorkspace, months: Iterable[sql.MonthOfClicks], using: str) -> int:
    days = 0
    for month in months:
        sql.rebuild(connections[using], locked.id, month)
        days += (month.end - month.start).days + 1
    Workspace.objects.using(using).filter(pk=locked.id).update(counted_timezone=locked.timezone)
    return days


def _refuse_what_cannot_be_recounted(
    locked: LockedWorkspace, start: date | None, end: date | None, *, in_parts: bool = False
) -> None:
    moved, kept_from = is_moved(locked), locked.clicks_kept_from
    if moved and (start or end or in_parts):
        raise Refused(
            f"The time zone is {locked.timezone} but counts are by {locked.counted_timezone}: run "
            "rebuild_rollups without --from and --to."
        )
    if kept_from is not None and moved:
        raise Refused(
            f"Counts are by {locked.counted_timezone}, and raw clicks before {kept_from} are pruned: set the time zone "
            f"back to {locked.counted_timezone}."
        )
    pruned = [day for day in (start, end) if day is not None and kept_from is not None and day < kept_from]
    if pruned:
        raise Refused(f"Raw clicks before {kept_from} are pruned: {pruned[0]} cannot be recounted.")


def _months(locked: LockedWorkspace, start: date | None, end: date | None, using: str) -> Iterator[sql.MonthOfClicks]:
    """The calendar months to count, with only the days asked for whose clicks are kept. Raises UnknownZone."""
    zone_of(locked.timezone)  # raises also if there is nothing to count
    bounds = _first_and_last_day(locked.id, using)
    if bounds is None:
        return
    # One more day before and after, because the first and last day of the clicks are dates in UTC.
    first = max(filter(None, (start, bounds[0] - ONE_DAY)))
    last = min(filter(None, (end, bounds[1] + ONE_DAY)))
    yield from _months_between(locked, first, last)


def _months_between(locked: LockedWorkspace, first: date, last: date) -> Iterator[sql.MonthOfClicks]:
    """The calendar months of the days `first` to `last`, with only the days whose clicks are kept."""
    zone = zone_of(locked.timezone)
    first = max(filter(None, (first, locked.clicks_kept_from)))
    while first <= last:
        to_day = min(last, month_end(first))
        yield sql.MonthOfClicks(first, to_day, day_spans(zone, first, to_day))
        first = next_month(first)


def _first_and_last_day(workspace_id: int, using: str) -> tuple[date, date] | None:
    clicks = Click.objects.using(using).filter(workspace=workspace_id).aggregate(Min("utc_day"), Max("utc_day"))
    # The sums of years are left out, because they are stored under the first day of the year, which may have no clicks.
    rollups = Rollup.objects.using(using).filter(workspace=workspace_id).exclude(dimension__in=YEARS)
    stored = rollups.aggregate(Min("day"), Max("day"))
    firsts = [day for day in (clicks["utc_day__min"], stored["day__min"]) if day]
    lasts = [day for day in (clicks["utc_day__max"], stored["day__max"]) if day]
    return (min(firsts), max(lasts)) if firsts else None
