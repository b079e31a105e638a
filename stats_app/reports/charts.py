"""Charts: the numbers that the script draws, and the table with the same numbers.

The table's rows are built here and not by a template, which would take ten times as long over the 4,000 cells of a year
of ten campaigns by day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import zip_longest
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from stats_app.periods import Breakdown, Bucket
from stats_app.reports.comparison import Change
from stats_app.reports.wording import Numbers, full_labels, numbers, short_labels

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


@dataclass(frozen=True)
class Axis:
    """The buckets that a chart runs over, as they stand on the local date `today`."""

    buckets: Sequence[Bucket]
    breakdown: Breakdown
    today: date

    @cached_property
    def states(self) -> list[str]:
        return [state(bucket, self.today) for bucket in self.buckets]

    @cached_property
    def plain_names(self) -> list[str]:
        """The buckets in full."""
        return full_labels(self.buckets, self.breakdown)

    @cached_property
    def names(self) -> list[str]:
        """The buckets in full, those that are not over marked as such."""
        patterns = {"": "%(days)s", FILLING: _("%(days)s (so far)"), FUTURE: _("%(days)s (to come)")}
        return [patterns[state] % {"days": name} for name, state in zip(self.plain_names, self.states, strict=True)]

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
            "previousNames": self.previous_axis.plain_names,
            "filling": _first(self.axis.states, FILLING),
            "series": [
                {"name": _("This period"), "data": self.axis.drawn(self.current)},
                {"name": _("Previous period"), "data": list(self.previous)},
            ],
            "changes": self.changes,
            "words": {"change": pgettext("clicks", "Change")},
        }

    @property
    def changes(self) -> list[str]:
        """The change of each bucket in words, empty where one side is missing or to come: for the table and the script,
        which would round otherwise."""
        style = numbers()
        columns = zip_longest(self.axis.states, self.current, self.previous)
        return [
            "" if current is None or previous is None or state == FUTURE else style.change(current, previous)
            for state, current, previous in columns
        ]

    @property
    def heads(self) -> list[str]:
        return [_("This period"), _("Clicks"), _("Previous period"), _("Clicks"), pgettext("clicks", "Change")]

    @property
    def body(self) -> SafeString:
        """The table's rows."""
        return mark_safe("".join(self._rows()))  # noqa: S308  # every text is escaped

    def _rows(self) -> Iterable[str]:
        names, states = self.axis.names, self.axis.states
        style = numbers()
        columns = zip_longest(names, states, self.current, self.previous_axis.plain_names, self.previous)
        for (name, state, current, previous_name, previous), change in zip(columns, self.changes, strict=True):
            yield (
                f'<tr{_class(state)}><th scope="row">{escape(name or "")}</th><td>{_maybe(current, style)}</td>'
                f"<td>{escape(previous_name or '')}</td><td>{_maybe(previous, style)}</td><td>{change}</td></tr>"
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
        separator = numbers().thousands
        for name, state, row in zip(self.axis.names, self.axis.states, columns, strict=True):
            cells = "</td><td>".join([f"{number:,}" for number in (*row, sum(row))]).replace(",", separator)
            yield f'<tr{_class(state)}><th scope="row">{escape(name)}</th><td>{cells}</td></tr>'


def change_html(change: Change | None) -> SafeString:
    """The change with an arrow, whose meaning is there for ears, too."""
    if change is None:
        return mark_safe('<span class="stats-change">–</span>')
    arrow, word = {"up": ("▲", _("up")), "down": ("▼", _("down")), "same": ("=", _("unchanged"))}[change.direction]
    # The space that does not break keeps the arrow beside its number on a phone.
    return format_html(
        '<span class="stats-change {}"><span aria-hidden="true">{}\u00a0</span>'
        '<span class="stats-unseen">{} </span>{}</span>',
        change.direction,
        arrow,
        word,
        numbers().change(change.current, change.before),
    )


def _maybe(number: int | None, style: Numbers) -> str:
    return "" if number is None else style.grouped(number)


def _class(state: str | None) -> str:
    return f' class="{state}"' if state else ""


def _first(states: Sequence[str], wanted: str) -> int | None:
    return states.index(wanted) if wanted in states else None
