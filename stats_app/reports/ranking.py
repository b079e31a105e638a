"""The campaigns or users with the most clicks, as a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stats_app.reports.comparison import Change, Comparison

ORDERS = ("-clicks", "clicks", "name", "-name", "-change", "change")


@dataclass(frozen=True, slots=True)
class Rank:
    """One row. `share` is its part of the total that the ranking refers to, from 0 to 1. `change` is None if
    nothing is compared."""

    public_id: str
    name: str
    clicks: int
    share: float | None
    change: Change | None

    @property
    def width(self) -> str:
        """The share as the width of a bar in SVG."""
        return _width(self.share)


@dataclass(frozen=True, slots=True)
class Ranking:
    """At most `most` rows in one of `ORDERS`, and the sum of the clicks of all others."""

    rows: Sequence[Rank]
    rest: int
    whole: int
    most: int
    order: str = ORDERS[0]

    @property
    def rest_share(self) -> float | None:
        return _share(self.rest, self.whole)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows. Only the rows of the top are sorted."""
        return len(self.rows) == self.most

    def ordered(self, order: str) -> Ranking:
        """The same rows in another order; an unknown one changes nothing."""
        if order not in ORDERS:
            return self
        rows = sorted(self.rows, key=_KEYS[order.removeprefix("-")], reverse=order.startswith("-"))
        return replace(self, rows=rows, order=order)

    @property
    def rest_width(self) -> str:
        return _width(self.rest_share)

    @property
    def next_orders(self) -> dict[str, str]:
        """For each column the order that a click on its heading gives: first the default order, then the reverse."""
        usual = {"name": "name", "clicks": "-clicks", "change": "-change"}
        return {column: _reversed(order) if self.order == order else order for column, order in usual.items()}

    @property
    def sorts(self) -> dict[str, str]:
        """For each column its `aria-sort`."""
        column = self.order.removeprefix("-")
        return {column: "descending" if self.order.startswith("-") else "ascending"}


def _share(part: int, whole: int) -> float | None:
    """The share, not rounded as in the tools, because a share of some clicks must not become 0."""
    return part / whole if whole else None


def _width(share: float | None) -> str:
    return f"{100 * (share or 0):.2f}%"


_KEYS: dict[str, Callable[[Rank], Any]] = {
    "name": lambda rank: rank.name.casefold(),
    "clicks": lambda rank: rank.clicks,
    "change": lambda rank: (rank.change and rank.change.difference) or 0,
}


def _reversed(order: str) -> str:
    return order.removeprefix("-") if order.startswith("-") else f"-{order}"


def ranking(
    clicks: Sequence[tuple[str, str, int]],
    counted: Mapping[str, int],
    before: Mapping[str, int],
    whole: int,
    most: int,
    comparison: Comparison,
    compared: Collection[str] | None = None,
) -> Ranking:
    """A ranking of the rows `(public id, name, clicks)`, largest first, with their shares of `whole`.

    `counted` and `before` are the clicks on the compared days of both periods, by public id; a missing one has 0. With
    `compared` only the rows with these public ids have a change.
    """
    rows = [
        Rank(
            public_id,
            name,
            number,
            _share(number, whole),
            comparison.change(counted.get(public_id, 0), before.get(public_id, 0))
            if compared is None or public_id in compared
            else None,
        )
        for public_id, name, number in clicks
    ]
    return Ranking(rows, whole - sum(row.clicks for row in rows), whole, most)
