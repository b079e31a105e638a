"""Charts. A script draws each from a table of numbers, so that chart and table agree, and the page has the data once.

The table's rows are built here and not in a template, which would take ten times as long for the 3,000 cells of a year
of seven campaigns by day. A row's `data-label` is its label on the axis. Its classes say whether its days are over, and
whether the period contains only a part of them. A heading with `data-colour` means that its column is drawn in this
colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from html import escape
from itertools import zip_longest
from typing import ClassVar, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from stats_app.periods import Breakdown, Bucket, Period, month_end
from stats_app.reports.comparison import Change
from stats_app.reports.marks import Mark
from stats_app.reports.names import name_html
from stats_app.reports.wording import Numbers, before_text, change_text, full_labels, numbers, short_labels

FILLING = "filling"
FUTURE = "future"
CUT = "cut"

# The names of the colours in stats.css; campaigns and kinds have `c1` to `c7`.
ACCENT = "accent"
QUIET = "quiet"
REST = "rest"

_NO_BUCKET = '<tr data-label=""><th scope="row"></th>'


def state(bucket: Bucket, today: date) -> str:
    """`filling` if a day of the bucket is not over, `future` if the bucket has not begun, else empty."""
    if bucket.start > today:
        return FUTURE
    return FILLING if bucket.end >= today else ""


def whole_days(bucket: Bucket, breakdown: Breakdown) -> int:
    """The number of days in the whole day, week or month of the bucket."""
    if breakdown == "month":
        return month_end(bucket.start).day
    return 7 if breakdown == "week" else 1


class Cut(NamedTuple):
    """For a bucket that the period cuts: the number of its days inside the period, and of all its days."""

    counted: int
    whole: int

    @property
    def note(self) -> str:
        """Such as “1 of 7 days”."""
        pattern = ngettext("%(counted)s of %(whole)s days", "%(counted)s of %(whole)s days", self.counted)
        return pattern % {"counted": self.counted, "whole": self.whole}


class Head(NamedTuple):
    """The heading of a table's column. `colour` is empty if the column is not drawn. `is_marks` is true for the column
    with the names of the marks."""

    text: str
    colour: str = ""
    is_marks: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the bars. `public_id` is None if it is not a single campaign, such as the rest."""

    name: str
    data: Sequence[int]
    public_id: str | None = None
    colour: str = REST

    @property
    def head(self) -> Head:
        return Head(name_html(self.name, self.public_id or ""), self.colour)


def axis_of(period: Period, breakdown: Breakdown, today: date) -> Axis:
    """The axis of a period in the active language."""
    return _axis(period, breakdown, today, get_language())


# Cached, because the names of a year cost as much as its queries, and few periods are asked for.
@lru_cache(maxsize=64)
def _axis(period: Period, breakdown: Breakdown, today: date, language: str | None) -> Axis:
    return Axis(period.buckets(breakdown), breakdown, today)


@dataclass(frozen=True)
class Axis:
    """The buckets of a chart on the local date `today`, and their names in its table.

    The names are in one language: the active one when they are first used.
    """

    buckets: Sequence[Bucket]
    breakdown: Breakdown
    today: date

    @cached_property
    def states(self) -> list[str]:
        return [state(bucket, self.today) for bucket in self.buckets]

    @cached_property
    def cuts(self) -> list[Cut | None]:
        """For each bucket its `Cut`, or None if it is whole. Only the first and the last bucket can be cut."""
        whole = [whole_days(bucket, self.breakdown) for bucket in self.buckets]
        return [
            Cut(bucket.days, days) if bucket.days < days else None
            for bucket, days in zip(self.buckets, whole, strict=True)
        ]

    @cached_property
    def names(self) -> list[str]:
        """The full names of the buckets, for HTML. A cut bucket has its number of days."""
        columns = zip(self._full_labels, self.cuts, strict=True)
        return [_noted(name, cut.note) if cut else name for name, cut in columns]

    @cached_property
    def starts(self) -> list[str]:
        """The first tags of each bucket's table row, up to its name. The name says if it is cut or not over."""
        words = {FILLING: escape(_("so far")), FUTURE: escape(_("to come"))}
        labels = short_labels(self.buckets, self.breakdown)
        columns = zip(labels, self._full_labels, self.states, self.cuts, strict=True)
        return [
            f'<tr data-label="{escape(label)}"{_row_attributes(state, cut)}>'
            f'<th scope="row">{_noted(name, cut.note if cut else "", words.get(state, ""))}</th>'
            for label, name, state, cut in columns
        ]

    @cached_property
    def cells(self) -> list[str]:
        """The buckets' names as cells of a table's column."""
        columns = zip(self.names, self.cuts, strict=True)
        return [f'<td class="{CUT}">{name}</td>' if cut else f"<td>{name}</td>" for name, cut in columns]

    @cached_property
    def _full_labels(self) -> list[str]:
        return [escape(name) for name in full_labels(self.buckets, self.breakdown)]


@dataclass(frozen=True)
class ComparedChart:
    """A period as a filled line, and the period to compare with as a dashed line on the same axis.

    `previous_axis` is None if nothing is compared. Then the table has only the period's own columns.
    """

    axis: Axis
    current: Sequence[int]
    previous_axis: Axis | None
    previous: Sequence[int]
    changes: Sequence[Change | None]
    title: str
    previous_name: str
    marks: Sequence[Mark] = ()

    kind: ClassVar[str] = "compared"

    @property
    def length(self) -> int:
        """How many rows the table has."""
        return max(len(self.current), len(self.previous))

    @property
    def heads(self) -> list[Head]:
        heads = [Head(_("This period"), ACCENT), Head(_("Clicks"))]
        if self.previous_axis is not None:
            heads += [Head(self.previous_name, QUIET), Head(_("Clicks")), Head(pgettext("clicks", "Change"))]
        return [*heads, *_marks_head(self.marks)]

    @property
    def body(self) -> SafeString:
        """The table's rows. The shorter side has empty cells at the end, such as February beside January."""
        style = numbers()
        if self.previous_axis is None:
            columns = zip(self.axis.starts, self.current, _marks_cells(self.marks, len(self.current)), strict=True)
            alone = [f"{start}<td>{style.grouped(current)}</td>{mark}</tr>" for start, current, mark in columns]
            return mark_safe("".join(alone))  # noqa: S308  # every text is escaped
        sides = (self.axis.starts, self.current, self.previous_axis.cells, self.previous, self.changes)
        rows = (
            f"{start or _NO_BUCKET}<td>{_maybe(current, style)}</td>{previous_cell or '<td></td>'}"
            f"<td>{_maybe(previous, style)}</td><td>{escape(change_text(change, style))}</td>"
            for start, current, previous_cell, previous, change in zip_longest(*sides)
        )
        marks = _marks_cells(self.marks, self.length)
        html = "".join(f"{row}{mark}</tr>" for row, mark in zip(rows, marks, strict=True))
        return mark_safe(html)  # noqa: S308  # every text is escaped


@dataclass(frozen=True, slots=True)
class StackedChart:
    """Series as stacked bars. The rest, if any, comes last, in grey."""

    axis: Axis
    series: Sequence[Series]
    marks: Sequence[Mark] = ()

    kind: ClassVar[str] = "stacked"

    @property
    def length(self) -> int:
        """How many rows the table has."""
        return len(self.axis.buckets)

    @property
    def heads(self) -> list[Head]:
        return [Head(_("Days")), *(one.head for one in self.series), Head(_("Total")), *_marks_head(self.marks)]

    @property
    def rows(self) -> list[tuple[int, ...]]:
        """The numbers of each bucket, one for each series."""
        if not self.series:
            return [()] * len(self.axis.buckets)
        return list(zip(*(series.data for series in self.series), strict=True))

    @property
    def body(self) -> SafeString:
        """The table's rows, each with its sum at the end."""
        separator = numbers().thousands
        rows = (
            "</td><td>".join([f"{number:,}" for number in (*row, sum(row))]).replace(",", separator)
            for row in self.rows
        )
        columns = zip(self.axis.starts, rows, _marks_cells(self.marks, self.length), strict=True)
        html = "".join(f"{start}<td>{row}</td>{mark}</tr>" for start, row, mark in columns)
        return mark_safe(html)  # noqa: S308  # every text is escaped


def _marks_head(marks: Sequence[Mark]) -> list[Head]:
    """The column with the names of the marks, if there are any."""
    return [Head(_("Campaigns"), is_marks=True)] if marks else []


def _marks_cells(marks: Sequence[Mark], length: int) -> list[str]:
    """The cells of the column of marks, one for each row."""
    if not marks:
        return [""] * length
    said = [f' data-said="{escape(mark.said)}"' if mark.said else "" for mark in marks]
    cells = [f'<td class="stats-marks"{text}>{mark.html}</td>' for mark, text in zip(marks, said, strict=True)]
    return cells + ["<td></td>"] * (length - len(marks))


def change_html(change: Change | None) -> SafeString:
    """The change with an arrow, whose meaning is given to screen readers. If there is no change: the number before, or
    why there is none."""
    if change is None:
        return mark_safe('<span class="stats-change">–</span>')
    if change.reason is not None:
        text = before_text(change, numbers())
        return mark_safe(f'<span class="stats-before">{escape(text)}</span>')  # noqa: S308  # the text is escaped
    arrow, word = {"up": ("▲", _("up")), "down": ("▼", _("down")), "same": ("=", _("unchanged"))}[change.direction]
    # The no-break space keeps the arrow beside its number on a phone.
    return mark_safe(  # noqa: S308  # every text is escaped
        f'<span class="stats-change {change.direction}"><span aria-hidden="true">{arrow}\u00a0</span>'
        f'<span class="stats-unseen">{escape(word)} </span>'
        f"{escape(change_text(change, numbers()))}</span>"
    )


def _maybe(number: int | None, style: Numbers) -> str:
    return "" if number is None else style.grouped(number)


def _noted(name: str, *notes: str) -> str:
    """The name with the notes in brackets."""
    said = ", ".join(filter(None, notes))
    return f"{name} ({said})" if said else name


def _row_attributes(state: str, cut: Cut | None) -> str:
    if not cut:
        return f' class="{state}"' if state else ""
    classes = f"{state} {CUT}" if state else CUT
    return f' class="{classes}" data-days="{cut.counted}/{cut.whole}" data-note="{escape(cut.note)}"'
