"""All campaigns or users of a workspace with their clicks in a period, including those without clicks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from stats_app import public_ids, store
from stats_app.models import CampaignAssignment, Workspace
from stats_app.periods import Period
from stats_app.reports.audience import STAFF
from stats_app.reports.cells import CHANGE_HEAD, PREVIOUS_HEAD, change_cells, previous_cells
from stats_app.reports.comparison import Comparison
from stats_app.reports.figures import comparison_of, exports, local_time
from stats_app.reports.list_choices import ListChoices
from stats_app.reports.list_columns import (
    Column,
    Heading,
    Line,
    change_column,
    clicks_column,
    headings,
    name_column,
    share_column,
)
from stats_app.reports.list_rows import ListRows
from stats_app.sql.listings import Found

PAGE_SIZE = 50
# How many rows of a file are read at a time.
BATCH = 500

DEFAULT_SORT = "-clicks"


@dataclass(frozen=True, slots=True)
class ListReport:
    """The contents of a page of a list. Each of `rows` has the cell of the name, and the other cells, each with a flag
    that says whether it is text."""

    workspace: Workspace
    comparison: Comparison
    headings: list[Heading]
    rows: list[list[tuple[str, bool]]]
    total: int
    number: int
    generated_at: datetime

    @property
    def period(self) -> Period:
        return self.comparison.period

    @property
    def pages(self) -> int:
        return _pages(self.total)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None

    @property
    def first(self) -> int:
        """The position of the page's first row among all rows, from 1."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


class AskedList(ListChoices):
    """A list for the choices in the address. The database searches, filters and sorts all its rows, and one page is
    read."""

    one: ClassVar[store.Named]
    page: ClassVar[str]
    model: ClassVar[Any]
    name: ClassVar[str]
    other_model: ClassVar[Any]
    other_prefix: ClassVar[str]
    csv_head: ClassVar[tuple[str, ...]]

    def __init__(self, workspace: Workspace, query: Mapping[str, Any], now: datetime) -> None:
        self.workspace, self.now, self.today = workspace, now, workspace.today(now)
        super().__init__(query, self.today)

    @property
    def has_clicks(self) -> bool:
        """Whether clicks are shown at all."""
        return True

    def least_shown(self, days: Period) -> float:
        """The minimum of clicks in these days for a row's clicks to be shown."""
        return 0

    @property
    def withheld(self) -> str:
        """The text about withheld clicks."""
        return ""

    @property
    def title(self) -> str:
        raise NotImplementedError

    @property
    def search_label(self) -> str:
        """The label of the search field."""
        raise NotImplementedError

    @property
    def of_text(self) -> str:
        """A sentence that says whose campaigns or users are listed, if the list is limited to some."""
        raise NotImplementedError

    @property
    def empty_text(self) -> str:
        """The text for a list without rows."""
        raise NotImplementedError

    def matching(self, rows: Any) -> QuerySet[Any]:
        """The rows that match the search and the status."""
        raise NotImplementedError

    def columns_after_clicks(self) -> list[Column]:
        return []

    def own_columns(self) -> list[Column]:
        """The columns of the rows' own values, without the name. The clicks come before them."""
        raise NotImplementedError

    def csv_cells(self, line: Line) -> tuple[Any, ...]:
        """The cells of `csv_head`."""
        raise NotImplementedError

    def whole(self, clicks: Mapping[str, int]) -> int:
        """The total for shares, from the workspace's clicks by kind."""
        raise NotImplementedError

    @cached_property
    def carrier(self) -> Any:
        """The user whose campaigns are listed, or the campaign whose users are listed; None if it does not exist."""
        if not public_ids.is_public_id(self.of, self.other_prefix):
            return None
        return self.other_model.objects.filter(workspace=self.workspace.pk, public_id=self.of).first()

    @cached_property
    def chosen(self) -> QuerySet[Any]:
        """The rows that match all filters, except the filter by clicks."""
        rows: QuerySet[Any] = self.model.objects.filter(workspace=self.workspace.pk)
        if self.wrong_search or (self.of and self.carrier is None):
            return rows.none()
        if self.of:
            assigned = CampaignAssignment.objects.filter(workspace=self.workspace.pk, **{self.other: self.carrier.pk})
            rows = rows.filter(pk__in=assigned.values(self.one))
        return self.matching(rows)

    @cached_property
    def comparison(self) -> Comparison:
        return comparison_of(self.workspace, self.form.question, self.today)

    @cached_property
    def columns(self) -> list[Column]:
        name = name_column(self.workspace, self.one, self.name, self.form.address)
        if not self.has_clicks:
            return [name, *self.own_columns()]
        change = [] if self.comparison.other is None else [change_column()]
        return [name, clicks_column(), *self.columns_after_clicks(), share_column(), *change, *self.own_columns()]

    @property
    def order(self) -> str:
        """The name of a column, with `-` before it for the largest first; the default order for any other value."""
        if self.sort.removeprefix("-") in self._sortable:
            return self.sort
        return DEFAULT_SORT if self.has_clicks else "name"

    @cached_property
    def _sortable(self) -> dict[str, Column]:
        """The columns to sort by, by key. The change is left out unless it is given for all rows."""
        says_change = self.comparison.compared is not None and self.comparison.reason is None and self.are_all_shown
        return {column.key: column for column in self.columns if column.by != "change" or says_change}

    def report(self) -> ListReport:
        """The requested page, or the last one if there are fewer pages."""
        with store.of_one_moment():
            page = self._keys((self.asked_page - 1) * PAGE_SIZE, PAGE_SIZE)
            lines = self._rows.lines(page.keys, self._whole())
            return ListReport(
                self.workspace,
                self.comparison,
                headings(self.columns, self._sortable, self.order, self.unsorted_address),
                [[(column.cell(line), column.is_text) for column in self.columns] for line in lines],
                page.total,
                min(self.asked_page, _pages(page.total)),
                local_time(self.workspace, self.now),
            )

    def csv_rows(self) -> Iterator[tuple[Any, ...]]:
        """All rows for a file. They are read while the file is written, from one snapshot of the database."""
        head = ("from", "to", "clicks", "share", *PREVIOUS_HEAD, *CHANGE_HEAD) if self.has_clicks else ()
        yield (*self.csv_head, *head)
        with store.of_one_moment():
            whole = self._whole()
            keys = self._keys(0, None).keys
            for start in range(0, len(keys), BATCH):
                for line in self._rows.lines(keys[start : start + BATCH], whole):
                    yield (*self.csv_cells(line), *self._csv_clicks(line))

    def _csv_clicks(self, line: Line) -> tuple[Any, ...]:
        if not self.has_clicks:
            return ()
        comparison = self.comparison
        return (
            *(comparison.period.start, comparison.period.end, "" if line.clicks is None else line.clicks),
            "" if line.share is None else round(line.share, 6),
            *previous_cells(comparison.compared, line.change.before if line.change else None),
            *change_cells(line.change, comparison.counted),
        )

    @property
    def files(self) -> list[tuple[str, str]]:
        """The addresses of files with their names."""
        return exports(self.page, [self.workspace.public_id], self.form.link, {"": _("All rows as CSV")}, STAFF)

    @cached_property
    def _rows(self) -> ListRows:
        least_shown = self.least_shown if self.has_clicks else None
        whole = not self.filters
        return ListRows(
            self.workspace.pk, self.one, self.chosen, self.comparison, self.only_without, whole, least_shown
        )

    def _keys(self, first: int, most: int | None) -> Found:
        """At most `most` keys of the rows from the position `first` on, in the list's order."""
        column, descends = self._sortable[self.order.removeprefix("-")], self.order.startswith("-")
        return self._rows.keys(column, descends, first, most)

    def _whole(self) -> int:
        if not self.has_clicks:
            return 0
        return self.whole(store.by_kind(self.workspace.pk, self.comparison.period))


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE_SIZE))
