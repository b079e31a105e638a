"""Pages of lists without end, read from one row on by the keys of their order (keyset pagination)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

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
    many share a time, also while new ones come in. `id` tells the rows apart: of clicks, those of one workspace.
    """
    older = position is None or position.older
    if position is not None:
        rows = rows.filter(beyond(keys, position))
    order = [f"-{key}" if older else key for key in keys]
    # Its rows alone are sorted with what is joined to them: the joins of a whole day cost ten times the page.
    page = rows.order_by(*order).values("id")[: size + 1]
    # By `id` and not by a composite `pk`, for which SQLite would run the inner query once for each row.
    found = list(rows.filter(id__in=page).order_by(*order))
    more, shown = len(found) > size, found[:size]
    if not shown:
        return KeyedPage([], False, False)
    if older:
        return KeyedPage(shown, more, position is not None)
    return KeyedPage(shown[::-1], True, more)


def beyond(keys: Sequence[str], position: Position) -> Q:
    """The rows after the position. The first key bounds them alone, too, so that an index on it is used."""
    side = "lt" if position.older else "gt"
    further, equal = Q(), Q()
    for key, value in zip(keys, position.values, strict=True):
        further |= equal & Q(**{f"{key}__{side}": value})
        equal &= Q(**{key: value})
    return further & Q(**{f"{keys[0]}__{side}e": position.values[0]})
