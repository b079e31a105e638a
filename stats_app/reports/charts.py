"""Charts: the numbers that the script draws, and the table with the same numbers.

The table's rows are built here and not by a template, which would take ten times as long over the 4,000 cells of a year
of ten campaigns by day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from stats_app.periods import Breakdown, Bucket
from stats_app.reports.comparison import Change
from stats_app.reports.wording import full_labels, grouped, percent, short_labels, signed, thousands_separator

FILLING = "filling"
FUTURE = "future"


def state(bucket: Bucket, today: date) -> str:
    """`filling` while a day of the bucket is not over, `future` before it begins, else empty."""
    if bucket.start > today:
        return FUTURE
    return FILLING if bucket.end >= today else ""


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one colour of the bars. `public_id` is None for what stands for no single thing."""

    name: str
    data: Sequence[int]
    public_id: str | None = None
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """The buckets that a chart runs over, as they stand on the local date `today`."""

    buckets: Sequence[Bucket]
    breakdown: Breakdown
    today: date

    @property
    def states(self) -> list[str]:
        return [state(bucket, self.today) for bucket in self.buckets]

    @property
    def names(self) -> list[str]:
        """The buckets in full, those that are not over marked as such."""
        marks = {"": "", FILLING: f" ({_('so far')})", FUTURE: f" ({_('to come')})"}
        labels = full_labels(self.buckets, self.breakdown)
        return [label + marks[state] for label, state in zip(labels, self.states, strict=True)]

    def drawn(self, data: Sequence[int]) -> list[int | None]:
        """The data without the buckets to come, which would look like a fall to 0."""
        return [None if state == FUTURE else number for number, state in zip(data, self.states, strict=True)]


@dataclass(frozen=True, slots=True)
class ComparedChart:
    """A period as a filled line, the previous one as a dashed line on the same axis."""

    axis: Axis
    current: Sequence[int]
    previous_axis: Axis
    previous: Sequence[int]

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws. The shorter of both lines ends early: February beside January."""
        length = max(len(self.current), len(self.previous))
        labels = short_labels(self.axis.buckets, self.axis.breakdown)
        return {
            "type": "compared",
            "labels": labels + [""] * (length - len(labels)),
            "names": self.axis.names,
            "previousNames": full_labels(self.previous_axis.buckets, self.axis.breakdown),
            "filling": _first(self.axis.states, FILLING),
            "series": [
                {"name": _("This period"), "data": self.axis.drawn(self.current)},
                {"name": _("Previous period"), "data": list(self.previous)},
            ],
            "words": {"change": _("Change")},
        }

    @property
    def heads(self) -> list[str]:
        return [_("This period"), _("Clicks"), _("Previous period"), _("Clicks"), _("Change")]

    @property
    def body(self) -> SafeString:
        """The table's rows. A bucket to come has no change."""
        return mark_safe("".join(self._rows()))  # noqa: S308  # every text is escaped

    def _rows(self) -> Iterable[str]:
        names, states = self.axis.names, self.axis.states
        before = full_labels(self.previous_axis.buckets, self.axis.breakdown)
        columns = zip_longest(names, states, self.current, before, self.previous)
        for name, state, current, previous_name, previous in columns:
            change = "" if None in (current, previous) or state == FUTURE else change_text(Change(current, previous))
            cells = ("" if current is None else grouped(current), previous_name or "", _maybe(previous), change)
            yield (
                f'<tr{_class(state)}><th scope="row">{escape(name or "")}</th><td>{cells[0]}</td>'
                f"<td>{escape(cells[1])}</td><td>{cells[2]}</td><td>{cells[3]}</td></tr>"
            )


@dataclass(frozen=True, slots=True)
class StackedChart:
    """Series as stacked bars; a rest comes last and in grey."""

    axis: Axis
    series: Sequence[Series]

    @property
    def data(self) -> dict[str, Any]:
        return {
            "type": "stacked",
            "labels": short_labels(self.axis.buckets, self.axis.breakdown),
            "names": self.axis.names,
            "filling": _first(self.axis.states, FILLING),
            "series": [
                {"name": series.name, "data": self.axis.drawn(series.data), "isRest": series.is_rest}
                for series in self.series
            ],
            "words": {"total": _("Total")},
        }

    @property
    def heads(self) -> list[str]:
        return [_("Days"), *(series.name for series in self.series), _("Total")]

    @property
    def body(self) -> SafeString:
        return mark_safe("".join(self._rows()))  # noqa: S308  # every text is escaped

    def _rows(self) -> Iterable[str]:
        columns = zip(*(series.data for series in self.series), strict=True)
        separator = thousands_separator()
        for name, state, numbers in zip(self.axis.names, self.axis.states, columns, strict=True):
            cells = "".join([f"<td>{number:,}</td>" for number in (*numbers, sum(numbers))]).replace(",", separator)
            yield f'<tr{_class(state)}><th scope="row">{escape(name)}</th>{cells}</tr>'


def change_text(change: Change) -> str:
    """Such as “+4.5% (+12)”; without the per cent where there was nothing before."""
    if change.ratio is None or change.direction == "same":
        return signed(change.difference)
    return f"{percent(change.ratio, with_sign=True)} ({signed(change.difference)})"


def change_html(change: Change | None) -> SafeString:
    """The change with an arrow, whose meaning is there for ears, too."""
    if change is None:
        return mark_safe('<span class="stats-change">–</span>')
    arrow, word = {"up": ("▲", _("up")), "down": ("▼", _("down")), "same": ("=", _("unchanged"))}[change.direction]
    return format_html(
        '<span class="stats-change {}"><span aria-hidden="true">{}</span> '
        '<span class="stats-unseen">{}</span> {}</span>',
        change.direction,
        arrow,
        word,
        change_text(change),
    )


def _maybe(number: int | None) -> str:
    return "" if number is None else grouped(number)


def _class(state: str | None) -> str:
    return f' class="{state}"' if state else ""


def _first(states: Sequence[str], wanted: str) -> int | None:
    return states.index(wanted) if wanted in states else None
