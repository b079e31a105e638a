"""What lists of rows without end share: the rows of some local days, and a page of them from one row on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from stats_app.periods import time_spans


def in_days(rows: QuerySet[Any], column: str, zone: ZoneInfo, start: date, end: date) -> QuerySet[Any]:
    """The rows whose time in `column` falls on the zone's local days `start` to `end`, both included."""
    return _in_spans(rows, column, time_spans(zone, start, end))


def clicks_in_days(clicks: QuerySet[Any], zone: ZoneInfo, start: date, end: date) -> QuerySet[Any]:
    """The clicks of the zone's local days `start` to `end`, both included, by the index on their days in UTC."""
    spans = time_spans(zone, start, end)
    found = _in_spans(clicks, "clicked_at", spans)
    return found.filter(utc_day__range=(spans[0][0].date(), spans[-1][1].date())) if spans else found


def _in_spans(rows: QuerySet[Any], column: str, spans: Sequence[tuple[datetime, datetime]]) -> QuerySet[Any]:
    """The rows of these stretches of time, half-open; none without any, as on a day that the zone skipped."""
    if not spans:
        return rows.none()
    inside = Q()
    for first, last in spans:
        inside |= Q(**{f"{column}__gte": first, f"{column}__lt": last})
    return rows.filter(inside)


CLICK_KEYS = ("utc_day", "clicked_at", "id")
"""The order of a workspace's clicks. The day in UTC comes first: an index holds it, and the order is that of time."""


class Position(NamedTuple):
    """Where a page begins: just after the row with these values of the keys, going back in time or, if not `older`,
    forward."""

    older: bool
    values: Sequence[Any]


class KeyedPage(NamedTuple):
    """Rows, newest first, and whether there are older and newer ones; without rows that is not known, and false."""

    rows: list[Any]
    has_older: bool
    has_newer: bool


def keyed_page(rows: QuerySet[Any], keys: Sequence[str], position: Position | None, size: int) -> KeyedPage:
    """The page of at most `size` rows at `position`, by default the newest ones. One query, without a count.

    `keys` are the columns that the order is by; together they are unique. Each row stands on exactly one page, however
    many share a time, also while new ones come in.
    """
    older = position is None or position.older
    if position is not None:
        rows = rows.filter(_beyond(keys, position))
    order = [f"-{key}" if older else key for key in keys]
    # Its rows alone are sorted with what is joined to them: the joins of a whole day cost ten times the page.
    page = rows.order_by(*order).values("pk")[: size + 1]
    found = list(rows.filter(pk__in=page).order_by(*order))
    more, shown = len(found) > size, found[:size]
    if not shown:
        return KeyedPage([], False, False)
    if older:
        return KeyedPage(shown, more, position is not None)
    return KeyedPage(shown[::-1], True, more)


def _beyond(keys: Sequence[str], position: Position) -> Q:
    """The rows after the position. The first key bounds them alone, too, so that an index on it is used."""
    side = "lt" if position.older else "gt"
    beyond, equal = Q(), Q()
    for key, value in zip(keys, position.values, strict=True):
        beyond |= equal & Q(**{f"{key}__{side}": value})
        equal &= Q(**{key: value})
    return beyond & Q(**{f"{keys[0]}__{side}e": position.values[0]})
