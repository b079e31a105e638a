"""Cells of CSV rows: the number of the other period, and the change."""

from __future__ import annotations

from typing import Any

from stats_app.periods import Bucket, Period
from stats_app.reports.comparison import Change, NotOver

Row = tuple[Any, ...]

CHANGE_HEAD = ("countedTo", "countedClicks", "change", "changePercent", "noChange")
PREVIOUS_HEAD = ("previousFrom", "previousTo", "previousClicks")

NO_PREVIOUS = ("",) * len(PREVIOUS_HEAD)
NO_CHANGE = ("",) * len(CHANGE_HEAD)


def previous_cells(days: Period | Bucket | None, clicks: int | None) -> Row:
    """The cells for `PREVIOUS_HEAD`: the days that a row is compared with, and their clicks."""
    return (days.start, days.end, clicks) if days is not None else NO_PREVIOUS


def change_cells(change: Change | None, counted: Period | Bucket | None) -> Row:
    """The cells for `CHANGE_HEAD`: which days of a row are compared, and the change."""
    if change is None or counted is None:
        return NO_CHANGE
    if change.reason is not None:
        until = ("", "") if isinstance(change.reason, NotOver) else (counted.end, change.current)
        return (*until, "", "", change.reason.code)
    percent = "" if change.ratio is None else round(100 * change.ratio, 4)
    return (counted.end, change.current, change.difference, percent, "")
