"""Keyset pagination for long lists: a page begins after the row with given values of the sort keys."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

CLICK_KEYS = ("utc_day", "clicked_at", "id")
"""The order of a workspace's clicks, which is by time. The day in UTC comes first, because it is indexed."""


class Position(NamedTuple):
    """Where a page begins: after the row with these keys, going back in time if `older`, else forward."""

    older: bool
    values: Sequence[Any]


class KeyedPage(NamedTuple):
    """Rows, newest first, and whether there are older and newer rows. Without rows both are unknown, and False."""

    rows: list[Any]
    has_older: bool
    has_newer: bool


def keyed_page(
    rows: QuerySet[Any], keys: Sequence[str], position: Position | None, size: int, *, whole: QuerySet[Any]
) -> KeyedPage:
    """The page of at most `size` rows at `position`, by default the newest ones. One query, without a count.

    `keys` are the columns to sort by; together they are unique. Each row is on exactly one page, even if many rows have
    the same time and new ones come in. `whole` is the list without filters. `id` must be unique in it, so clicks must
    be of one workspace.
    """
    older = position is None or position.older
    if position is not None:
        rows = after(position, keys, rows, whole=whole)
    order = [f"-{key}" if older else key for key in keys]
    # Find the ids of the page first, and join other tables only to these: joining a whole day costs ten times as much.
    page = rows.order_by(*order).values("id")[: size + 1]
    # By `id`, because for a composite `pk` SQLite would run the inner query once for each row. The filters are not
    # repeated and the rows are sorted in Python, because otherwise SQLite would read all clicks of the requested days
    # by the index on days, and look for these ids among them.
    page_rows = sorted(whole.filter(id__in=page).order_by(), key=attrgetter(*keys), reverse=older)
    more, shown = len(page_rows) > size, page_rows[:size]
    if not shown:
        return KeyedPage([], False, False)
    if older:
        return KeyedPage(shown, more, position is not None)
    return KeyedPage(shown[::-1], True, more)


def after(position: Position, keys: Sequence[str], rows: QuerySet[Any], *, whole: QuerySet[Any]) -> QuerySet[Any]:
    """The rows after the position. `whole` is their list without filters."""
    # The position comes before the filters, because SQLite searches its index by the first condition on the day.
    return whole.filter(_beyond(keys, position)) & rows


def _beyond(keys: Sequence[str], position: Position) -> Q:
    """The condition for rows after the position. It also limits the first key alone, so that its index is used."""
    side = "lt" if position.older else "gt"
    further, equal = Q(), Q()
    for key, value in zip(keys, position.values, strict=True):
        further |= equal & Q(**{f"{key}__{side}": value})
        equal &= Q(**{key: value})
    return further & Q(**{f"{keys[0]}__{side}e": position.values[0]})
