"""The campaigns or users with the most clicks, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stats_app.queries import share
from stats_app.reports.comparison import Change

ORDERS = ("-clicks", "clicks", "name", "-name", "-change", "change")


@dataclass(frozen=True, slots=True)
class Rank:
    """One row. `share` is of all clicks that could have been its own, from 0 to 1; `change` None before the period."""

    public_id: str
    name: str
    clicks: int
    share: float | None
    change: Change | None

    @property
    def width(self) -> str:
        """The share as the length of a bar, for SVG."""
        return _width(self.share)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The top rows in one of `ORDERS`, and the clicks of all others together."""

    rows: Sequence[Rank]
    rest: int
    whole: int
    order: str = ORDERS[0]

    @property
    def rest_share(self) -> float | None:
        return share(self.rest, self.whole)

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
        """For each column the order that its heading leads to: first the usual one, then the other way round."""
        usual = {"name": "name", "clicks": "-clicks", "change": "-change"}
        return {column: _reversed(order) if self.order == order else order for column, order in usual.items()}

    @property
    def sorts(self) -> dict[str, str]:
        """For each column its `aria-sort`."""
        column = self.order.removeprefix("-")
        return {column: "descending" if self.order.startswith("-") else "ascending"}


def _width(share: float | None) -> str:
    return f"{100 * (share or 0):.2f}%"


_KEYS: dict[str, Callable[[Rank], Any]] = {
    "name": lambda rank: rank.name.casefold(),
    "clicks": lambda rank: rank.clicks,
    "change": lambda rank: rank.change.difference if rank.change else 0,
}


def _reversed(order: str) -> str:
    return order.removeprefix("-") if order.startswith("-") else f"-{order}"


def ranking(
    clicks: Sequence[tuple[str, str, int]],
    before: dict[str, int],
    whole: int,
    change: Callable[[int, int], Change | None],
) -> Ranking:
    """Rows of `(public id, name, clicks)`, most first, out of `whole` clicks, against the clicks of each before."""
    rows = [
        Rank(public_id, name, number, share(number, whole), change(number, before.get(public_id, 0)))
        for public_id, name, number in clicks
    ]
    return Ranking(rows, whole - sum(row.clicks for row in rows), whole)
