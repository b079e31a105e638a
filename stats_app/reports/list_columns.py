"""The lines and the columns of a list of campaigns or users."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from stats_app import store
from stats_app.models import Workspace
from stats_app.reports.charts import change_html
from stats_app.reports.comparison import Change
from stats_app.reports.names import name_html
from stats_app.reports.wording import numbers
from stats_app.sql.words import Alphabetical


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
    """A column of the list. `key` is its name in `sort=`. `by` says how the list is sorted by the column, as in
    `sql.listings.Order`. With `place` it is sorted by the expression in the field `place`.

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


def headings(columns: Iterable[Column], sortable: Container[str], order: str, address: str) -> list[Heading]:
    """The headings of a list in this order. `address` is its query string without the order."""
    key, descends = order.removeprefix("-"), order.startswith("-")
    made = []
    for column in columns:
        is_current = column.key == key
        high = not descends if is_current else column.starts_high
        link = f"?{address}&sort={'-' if high else ''}{column.key}" if column.key in sortable else ""
        sorts = ("descending" if descends else "ascending") if is_current else ""
        made.append(Heading(column.title, link, sorts, column.is_text))
    return made


def name_column(workspace: Workspace, page: store.Named, field: str, query: str) -> Column:
    """The column of the name in `field`, which links to the row's page with the query string."""
    address = reverse(f"stats_dashboard:{page}", args=[workspace.public_id, "ID"])

    def cell(line: Line) -> str:
        name = name_html(str(line.row), line.row.public_id)
        return format_html('<a href="{}?{}">{}</a>', address.replace("ID", line.row.public_id), query, name)

    return Column("name", _("Name"), cell, place=Alphabetical(field), is_text=True, starts_high=False)


def clicks_column() -> Column:
    style = numbers()

    def cell(line: Line) -> str:
        return "–" if line.clicks is None else style.grouped(line.clicks)

    return Column("clicks", _("Clicks"), cell, "clicks")


def share_column() -> Column:
    style = numbers()
    return Column("share", _("Share"), lambda line: style.share(line.share) if line.share else "–", "clicks")


def change_column() -> Column:
    return Column("change", pgettext("clicks", "Change"), lambda line: change_html(line.change), "change")
