"""Reading the rows of a list: their primary keys in the chosen order, and the lines of a page with their clicks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Count, QuerySet, Value
from django.db.models.expressions import OrderBy

from stats_app import store
from stats_app.models import CampaignAssignment
from stats_app.periods import Period
from stats_app.reports.comparison import Change, Comparison
from stats_app.reports.figures import clicks_of
from stats_app.reports.list_columns import Column, Line
from stats_app.sql.listings import Days, Found, Order, Slice


@dataclass(frozen=True)
class ListRows:
    """The rows of a list. If they are sorted by one of their own values, such as the name, clicks are read only for the
    lines that are shown. Otherwise the clicks of all rows are added up.

    `chosen` are the campaigns or users of the workspace that match all filters, except the filter by clicks, which
    `only_without` sets. `is_whole` says that there is no filter. `least_shown` returns the minimum of clicks in some
    days for a row's clicks to be shown; it is None if no clicks are shown at all.
    """

    workspace_id: int
    of: store.Named
    chosen: QuerySet[Any]
    comparison: Comparison
    only_without: bool
    is_whole: bool
    least_shown: Callable[[Period], float] | None

    def keys(self, column: Column, descends: bool, first: int, most: int | None) -> Found:
        """The primary keys of the page that begins at the position `first` in the order of the column, and the number
        of all rows. A page has `most` rows; it is the last one if `first` is after it. None reads all rows."""
        if column.by == "place" and not self.only_without:
            place = OrderBy(column.place, descending=descends, nulls_last=column.has_gaps or None)
            keys = self.chosen.order_by(place, "-pk" if descends else "pk").values_list("pk", flat=True)
            total = self.chosen.count()
            first = Slice(first, most).within(total).first
            return Found(list(keys[first : None if most is None else first + most]), total)
        placed = self.chosen.annotate(place=column.place or Value(0)).values("pk", "public_id", "place")
        order = self._order(column.by, descends)
        return store.ordered(self.workspace_id, self.of, placed, order, first, most, is_whole=self.is_whole)

    def _order(self, by: str, descends: bool) -> Order:
        days, before = self.comparison.period, None
        if by == "change" and self.comparison.counted and self.comparison.compared:
            before = _days(self.comparison.compared)
            # Rows without clicks in the whole period are chosen by the whole period.
            days = days if self.only_without else self.comparison.counted
        return Order(by, descends, _days(days), self.comparison.today, before, self.only_without, self._least)

    @cached_property
    def _least(self) -> float:
        return self.least_shown(self.comparison.period) if self.least_shown else 0

    @cached_property
    def _least_before(self) -> float:
        compared = self.comparison.compared
        return self.least_shown(compared) if self.least_shown and compared is not None else 0

    def lines(self, keys: Sequence[int], whole: int) -> list[Line]:
        """The lines of the rows with these keys, in their order. Shares are shares of `whole`."""
        assignments = CampaignAssignment.objects.filter(workspace=self.workspace_id, **{f"{self.of}__in": keys})
        assigned = dict(assignments.order_by().values_list(self.of).annotate(Count("pk")))
        rows = self.chosen.model.objects.filter(workspace=self.workspace_id).in_bulk(keys)
        clicks = self._clicks(keys, whole) if self.least_shown else {}
        nothing = (None, None, None)
        return [Line(rows[key], assigned.get(key, 0), *clicks.get(key, nothing)) for key in keys if key in rows]

    def _clicks(self, keys: Sequence[int], whole: int) -> dict[int, tuple[int, float | None, Change | None]]:
        """For each row that is not withheld: its clicks, their share, and their change."""
        comparison, pk = self.comparison, self.workspace_id
        clicks = clicks_of(pk, comparison.period, self.of, keys)
        is_over = comparison.counted == comparison.period
        counted = clicks if is_over else clicks_of(pk, comparison.counted, self.of, keys)
        before = clicks_of(pk, comparison.compared, self.of, keys)
        shown = {}
        for key in keys:
            number, then = clicks.get(key, 0), before.get(key, 0)
            if number >= self._least:
                change = comparison.change(counted.get(key, 0), then) if then >= self._least_before else None
                shown[key] = (number, number / whole if whole else None, change)
        return shown


def _days(period: Period) -> Days:
    return period.start, period.end
