"""Charts, each a table of numbers that the script draws: so both say the same, and the page holds them once.

The table's rows are built here and not by a template, which would take ten times as long over the 4,000 cells of a year
of ten campaigns by day. A row's `data-label` is what stands on the axis; its class says whether it is over.
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
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from stats_app.periods import Breakdown, Bucket, Period
from stats_app.reports.comparison import Change
from stats_app.reports.wording import Numbers, before_text, change_text, full_labels, numbers, short_labels

FILLING = "filling"
FUTURE = "future"

_NO_BUCKET = '<tr data-label=""><th scope="row"></th>'


def state(bucket: Bucket, today: date) -> str:
    """`filling` while a day of the bucket is not over, `future` before it begins, else empty."""
    if bucket.start > today:
        return FUTURE
    return FILLING if bucket.end >= today else ""


class Head(NamedTuple):
    """The heading of a table's column. A rest is drawn in grey."""

    text: str
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one colour of the bars. `public_id` is None for what stands for no single thing."""

    name: str
    data: Sequence[int]
    public_id: str | None = None
    is_rest: bool = False


def axis_of(period: Period, breakdown: Breakdown, today: date) -> Axis:
    """The axis of a period in the active language."""
    return _axis(period, breakdown, today, get_language())


# A year's names cost as much as all its queries, and everybody asks for the same few periods.
@lru_cache(maxsize=64)
def _axis(period: Period, breakdown: Breakdown, today: date, language: str | None) -> Axis:
    return Axis(period.buckets(breakdown), breakdown, today)


@dataclass(frozen=True)
class Axis:
    """The buckets that a chart runs over, as they stand on the local date `today`, and how its table names them.

    It is of one language, that of its first use.
    """

    buckets: Sequence[Bucket]
    breakdown: Breakdown
    today: date

    @cached_property
    def states(self) -> list[str]:
        return [state(bucket, self.today) for bucket in self.buckets]

    @cached_property
    def names(self) -> list[str]:
        """The buckets in full, for HTML."""
        return [escape(name) for name in full_labels(self.buckets, self.breakdown)]

    @cached_property
    def starts(self) -> list[str]:
        """The first tags of each bucket's table row, up to its name, which says whether it is not over."""
        patterns = {"": "%(days)s", FILLING: escape(_("%(days)s (so far)")), FUTURE: escape(_("%(days)s (to come)"))}
        labels = short_labels(self.buckets, self.breakdown)
        return [
            f'<tr data-label="{escape(label)}"{_class(state)}><th scope="row">{patterns[state] % {"days": name}}</th>'
            for label, state, name in zip(labels, self.states, self.names, strict=True)
        ]


@dataclass(frozen=True)
class ComparedChart:
    """A period as a filled line, and what it is held against as a dashed line on the same axis.

    `previous_axis` is None when nothing is: then the table has the period's own columns only.
    """

    axis: Axis
    current: Sequence[int]
    previous_axis: Axis | None
    previous: Sequence[int]
    changes: Sequence[Change | None]
    title: str
    previous_name: str

    kind: ClassVar[str] = "compared"

    @property
    def heads(self) -> list[Head]:
        texts = [_("This period"), _("Clicks")]
        if self.previous_axis is not None:
            texts += [self.previous_name, _("Clicks"), pgettext("clicks", "Change")]
        return [Head(text) for text in texts]

    @property
    def body(self) -> SafeString:
        """The table's rows. The shorter of both sides ends early: February beside January."""
        style = numbers()
        if self.previous_axis is None:
            rows = zip(self.axis.starts, self.current, strict=True)
            alone = [f"{start}<td>{style.grouped(current)}</td></tr>" for start, current in rows]
            return mark_safe("".join(alone))  # noqa: S308  # every text is escaped
        columns = (self.axis.starts, self.current, self.previous_axis.names, self.previous, self.changes)
        return mark_safe(  # noqa: S308  # every text is escaped
            "".join(
                f"{start or _NO_BUCKET}<td>{_maybe(current, style)}</td><td>{previous_name or ''}</td>"
                f"<td>{_maybe(previous, style)}</td><td>{escape(change_text(change, style))}</td></tr>"
                for start, current, previous_name, previous, change in zip_longest(*columns)
            )
        )


@dataclass(frozen=True, slots=True)
class StackedChart:
    """Series as stacked bars; a rest comes last and in grey."""

    axis: Axis
    series: Sequence[Series]

    kind: ClassVar[str] = "stacked"

    @property
    def heads(self) -> list[Head]:
        return [Head(_("Days")), *(Head(one.name, one.is_rest) for one in self.series), Head(_("Total"))]

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
        rows = zip(self.axis.starts, self.rows, strict=True)
        cells = ((start, "</td><td>".join([f"{number:,}" for number in (*row, sum(row))])) for start, row in rows)
        html = "".join(f"{start}<td>{row.replace(',', separator)}</td></tr>" for start, row in cells)
        return mark_safe(html)  # noqa: S308  # every text is escaped


def change_html(change: Change | None) -> SafeString:
    """The change with an arrow, whose meaning is there for ears, too; or the number before, or why there is none."""
    if change is None:
        return mark_safe('<span class="stats-change">–</span>')
    if change.reason is not None:
        text = before_text(change, numbers())
        return mark_safe(f'<span class="stats-before">{escape(text)}</span>')  # noqa: S308  # escaped
    arrow, word = {"up": ("▲", _("up")), "down": ("▼", _("down")), "same": ("=", _("unchanged"))}[change.direction]
    # The space that does not break keeps the arrow beside its number on a phone.
    return mark_safe(  # noqa: S308  # every text is escaped
        f'<span class="stats-change {change.direction}"><span aria-hidden="true">{arrow}\u00a0</span>'
        f'<span class="stats-unseen">{escape(word)} </span>'
        f"{escape(change_text(change, numbers()))}</span>"
    )


def _maybe(number: int | None, style: Numbers) -> str:
    return "" if number is None else style.grouped(number)


def _class(state: str | None) -> str:
    return f' class="{state}"' if state else ""
