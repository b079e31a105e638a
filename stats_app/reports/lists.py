"""All campaigns or users of a workspace with their clicks in a period, including those without clicks.

All rows are searched, filtered and sorted, and one page of them is read. If the list is sorted by a column of the rows,
only the clicks of the page are read. Otherwise the clicks of all rows are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from stats_app import public_ids, store
from stats_app.errors import WrongValue
from stats_app.models import CampaignAssignment, Workspace
from stats_app.periods import Period
from stats_app.reports.audience import STAFF
from stats_app.reports.cells import CHANGE_HEAD, PREVIOUS_HEAD, change_cells, previous_cells
from stats_app.reports.charts import change_html
from stats_app.reports.comparison import Change, Comparison
from stats_app.reports.figures import clicks_of, comparison_of, exports, local_time
from stats_app.reports.names import name_html
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.wording import numbers
from stats_app.sql.listings import Days, Found, Order
from stats_app.sql.words import Alphabetical
from stats_app.words import search_words

PAGE_SIZE = 50
# How many rows of a file are read at a time.
BATCH = 500

# The value of `clicks=` that selects the rows without clicks.
WITHOUT = "none"

DEFAULT_SORT = "-clicks"


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign or user with its clicks. `assigned` is its current number of users or campaigns.

    `clicks` is None if they are withheld (`person_figures`). Then share and change are withheld, too.
    """

    row: Any
    assigned: int
    clicks: int | None
    share: float | None
    change: Change | None

    @property
    def each(self) -> float | None:
        """The clicks divided by `assigned`."""
        return self.clicks / self.assigned if self.assigned and self.clicks is not None else None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list. `key` is its name in `sort=`. `by` is a counted order of `sql.listings.Order`, or `place`
    for a value of the rows, which the expression `place` gives.

    `starts_high` is whether the first click on the heading sorts the largest first. Rows without a value (`has_gaps`)
    are always last.
    """

    key: str
    title: str
    cell: Callable[[Line], str]
    by: str = "place"
    place: Any = None
    is_text: bool = False
    starts_high: bool = True
    has_gaps: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column. `link` is empty if the list cannot be sorted by it."""

    title: str
    link: str
    sorts: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class ListReport:
    """The contents of a page of a list. `rows` have the cell of the name, and the other cells, each with whether it is
    text."""

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


class AskedList:
    """A list with the choices in the address. `form` is the form of its period; if it is invalid, nothing is shown."""

    one: ClassVar[store.Named]
    page: ClassVar[str]
    model: ClassVar[Any]
    name: ClassVar[str]
    other: ClassVar[store.Named]
    other_model: ClassVar[Any]
    other_prefix: ClassVar[str]
    csv_head: ClassVar[tuple[str, ...]]

    def __init__(self, workspace: Workspace, query: Mapping[str, Any], now: datetime) -> None:
        self.workspace, self.now, self.today = workspace, now, workspace.today(now)
        self.search, self.wrong_search = query.get("q", "").strip(), ""
        self.words: list[str] = []
        try:
            self.words = search_words(self.search)
        except WrongValue as error:
            self.wrong_search = error.message
        status = query.get("status", "")
        self.status = status if status in dict(self.statuses) else ""
        self.only_without = self.are_all_shown and query.get("clicks") == WITHOUT
        self.of = query.get(self.other, "")
        self.sort: str = query.get("sort", "")
        self.asked_page = _number(query.get("page", ""))
        self.form = PeriodForm(query, self.today, self.kept, has_steps=False)

    @property
    def has_clicks(self) -> bool:
        """Whether clicks are shown at all."""
        return True

    @property
    def are_all_shown(self) -> bool:
        """Whether the clicks of every row are shown. Only then may the rows without clicks be selected."""
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

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """The values of the filter by status, with their labels."""
        raise NotImplementedError

    def matching(self, rows: Any) -> QuerySet[Any]:
        """The rows that match the search and the status."""
        raise NotImplementedError

    def own_columns(self) -> list[Column]:
        """The columns of the rows' own values. The first is the name; the clicks come after it."""
        raise NotImplementedError

    def csv_cells(self, line: Line) -> tuple[Any, ...]:
        """The cells of `csv_head`."""
        raise NotImplementedError

    def whole(self, clicks: Mapping[str, int]) -> int:
        """The total for shares, from the workspace's clicks by kind."""
        raise NotImplementedError

    @property
    def filters(self) -> dict[str, str]:
        """The parameters of the address that select rows."""
        given = {
            "q": self.search,
            "status": self.status,
            "clicks": WITHOUT if self.only_without else "",
            self.other: self.of,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def kept(self) -> dict[str, str]:
        """The parameters of the address besides the period and the page."""
        return self.filters | ({"sort": self.sort} if self.sort else {})

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the form of the filters."""
        own = {name: value for name, value in self.kept.items() if name in ("sort", self.other)}
        return self.form.choice | own

    @cached_property
    def carrier(self) -> Any:
        """The user whose campaigns are listed, or the campaign whose users are listed; None if it does not exist."""
        if not public_ids.is_public_id(self.of, self.other_prefix):
            return None
        return self.other_model.objects.filter(workspace=self.workspace.pk, public_id=self.of).first()

    @cached_property
    def chosen(self) -> QuerySet[Any]:
        """The rows that match all filters, except the filter by clicks."""
        rows = self.model.objects.filter(workspace=self.workspace.pk)
        if self.wrong_search or (self.of and self.carrier is None):
            return rows.none()  # type: ignore[no-any-return]
        if self.of:
            assigned = CampaignAssignment.objects.filter(workspace=self.workspace.pk, **{self.other: self.carrier.pk})
            rows = rows.filter(pk__in=assigned.values(self.one))
        return self.matching(rows)

    @cached_property
    def comparison(self) -> Comparison:
        return comparison_of(self.workspace, self.form.question, self.today)

    @cached_property
    def columns(self) -> list[Column]:
        if not self.has_clicks:
            return self.own_columns()
        style = numbers()

        def clicks(line: Line) -> str:
            return "–" if line.clicks is None else style.grouped(line.clicks)

        name, *others = self.own_columns()
        columns = [
            name,
            Column("clicks", _("Clicks"), clicks, "clicks"),
            *self.columns_after_clicks(),
            Column("share", _("Share"), lambda line: style.share(line.share) if line.share else "–", "clicks"),
        ]
        if self.comparison.other is not None:
            columns.append(
                Column("change", pgettext("clicks", "Change"), lambda line: change_html(line.change), "change")
            )
        return [*columns, *others]

    def columns_after_clicks(self) -> list[Column]:
        return []

    def report(self) -> ListReport:
        """The requested page, or the last one if there are fewer pages."""
        with store.of_one_moment():
            number = self.asked_page
            found = self._found((number - 1) * PAGE_SIZE, PAGE_SIZE)
            if not found.keys and number > 1:
                number = _pages(found.total or self._found(0, 1).total)
                found = self._found((number - 1) * PAGE_SIZE, PAGE_SIZE)
            lines = self._lines(found.keys, self._whole())
            return ListReport(
                self.workspace,
                self.comparison,
                self._headings(),
                [[(column.cell(line), column.is_text) for column in self.columns] for line in lines],
                found.total,
                number,
                local_time(self.workspace, self.now),
            )

    def csv_rows(self) -> Iterator[tuple[Any, ...]]:
        """All rows for a file, which are read while it is written, in the state at its beginning."""
        head = ("from", "to", "clicks", "share", *PREVIOUS_HEAD, *CHANGE_HEAD) if self.has_clicks else ()
        yield (*self.csv_head, *head)
        with store.of_one_moment():
            whole = self._whole()
            keys = self._found(0, None).keys
            for start in range(0, len(keys), BATCH):
                for line in self._lines(keys[start : start + BATCH], whole):
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
    def errors(self) -> dict[str, list[str]]:
        """The errors in the address, by parameter."""
        found = {name: [str(message) for message in messages] for name, messages in self.form.errors.items()}
        return found | ({"q": [self.wrong_search]} if self.wrong_search else {})

    @property
    def files(self) -> list[tuple[str, str]]:
        """The addresses of files with their names."""
        return exports(self.page, [self.workspace.public_id], self.form.link, {"": _("All rows as CSV")}, STAFF)

    @property
    def address_of_all(self) -> str:
        """The query string without the campaign or user that the list is limited to."""
        return urlencode(self.form.choice | {name: value for name, value in self.kept.items() if name != self.other})

    @property
    def address(self) -> str:
        """The query string of the list without the number of the page."""
        return urlencode(self.form.choice | self.kept)

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

    def _headings(self) -> list[Heading]:
        address = urlencode(self.form.choice | self.filters)
        key, descends = self.order.removeprefix("-"), self.order.startswith("-")
        headings = []
        for column in self.columns:
            is_current = column.key == key
            high = not descends if is_current else column.starts_high
            link = f"?{address}&sort={'-' if high else ''}{column.key}" if column.key in self._sortable else ""
            sorts = ("descending" if descends else "ascending") if is_current else ""
            headings.append(Heading(column.title, link, sorts, column.is_text))
        return headings

    def _found(self, first: int, most: int | None) -> Found:
        """At most `most` keys of the rows from the position `first` on, and the number of all rows."""
        column, descends = self._sortable[self.order.removeprefix("-")], self.order.startswith("-")
        if column.by == "place" and not self.only_without:
            place = OrderBy(column.place, descending=descends, nulls_last=column.has_gaps or None)
            keys = self.chosen.order_by(place, "-pk" if descends else "pk").values_list("pk", flat=True)
            return Found(list(keys[first : None if most is None else first + most]), self.chosen.count())
        placed = self.chosen.annotate(place=column.place or Value(0)).values("pk", "public_id", "place")
        order = self._counted_order(column.by, descends)
        return store.ordered(self.workspace.pk, self.one, placed, order, first, most)

    def _counted_order(self, by: str, descends: bool) -> Order:
        days, before = self.comparison.period, None
        if by == "change" and self.comparison.counted and self.comparison.compared:
            days, before = self.comparison.counted, _days(self.comparison.compared)
        return Order(by, descends, _days(days), self.today, before, self.only_without, self._least)

    @cached_property
    def _least(self) -> float:
        return self.least_shown(self.comparison.period) if self.has_clicks else 0

    @cached_property
    def _least_before(self) -> float:
        compared = self.comparison.compared
        return self.least_shown(compared) if self.has_clicks and compared is not None else 0

    def _whole(self) -> int:
        if not self.has_clicks:
            return 0
        counts = store.counts(self.workspace.pk, self.comparison.period, ("kind",))
        return self.whole({str(kind): numbers[0] for (kind,), numbers in counts.items()})

    def _lines(self, keys: Sequence[int], whole: int) -> list[Line]:
        """The rows with these keys, in their order."""
        pk = self.workspace.pk
        assignments = CampaignAssignment.objects.filter(workspace=pk, **{f"{self.one}__in": keys}).order_by()
        assigned = dict(assignments.values_list(self.one).annotate(Count("pk")))
        rows = self.model.objects.filter(workspace=pk).in_bulk(keys)
        clicks = self._clicks(keys, whole) if self.has_clicks else {}
        nothing = (None, None, None)
        return [Line(rows[key], assigned.get(key, 0), *clicks.get(key, nothing)) for key in keys if key in rows]

    def _clicks(self, keys: Sequence[int], whole: int) -> dict[int, tuple[int, float | None, Change | None]]:
        """For each row that is not withheld: its clicks, their share, and their change."""
        comparison, pk = self.comparison, self.workspace.pk
        clicks = clicks_of(pk, comparison.period, self.one, keys)
        is_over = comparison.counted == comparison.period
        counted = clicks if is_over else clicks_of(pk, comparison.counted, self.one, keys)
        before = clicks_of(pk, comparison.compared, self.one, keys)
        found = {}
        for key in keys:
            number, then = clicks.get(key, 0), before.get(key, 0)
            if number >= self._least:
                change = comparison.change(counted.get(key, 0), then) if then >= self._least_before else None
                found[key] = (number, number / whole if whole else None, change)
        return found

    def name_column(self) -> Column:
        """The column of the name, which links to the row's page for the same period."""
        address = reverse(f"stats_dashboard:{self.one}", args=[self.workspace.public_id, "ID"])
        query = self.form.address

        def cell(line: Line) -> str:
            name = name_html(str(line.row), line.row.public_id)
            return format_html('<a href="{}?{}">{}</a>', address.replace("ID", line.row.public_id), query, name)

        return Column("name", _("Name"), cell, place=Alphabetical(self.name), is_text=True, starts_high=False)


def _days(period: Period) -> Days:
    return period.start, period.end


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE_SIZE))


def _number(text: str) -> int:
    """The number of a page in the address; 1 for anything else."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1
