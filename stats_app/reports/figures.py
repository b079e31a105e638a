"""Parts that several reports share: fields, figures, clicks of periods, charts of one subject, addresses of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from stats_app import store
from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.models import Workspace
from stats_app.periods import MIN_DATE, ONE_DAY, Period, month_end, month_start
from stats_app.queries import DailyClicks, Json
from stats_app.reports.audience import STAFF, Audience
from stats_app.reports.charts import ComparedChart, axis_of
from stats_app.reports.comparison import Change, Comparison, Question
from stats_app.reports.excluded import Excluded
from stats_app.reports.marks import Mark
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.wording import compared_names


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large numbers. `key` is its name in exports.

    `change` is that of the days that are compared (None if nothing is compared), `today` the clicks of today so far, if
    the period ended yesterday.
    """

    key: str
    name: str
    clicks: int
    change: Change | None
    today: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the pages of a workspace, a campaign and a user have in common. `answer` is the answer of the page's tool.

    If the period has no clicks, `last_period` is the last period of the same length that has clicks; it is None if
    there are none. `generated_at` is the workspace's local time, naive.
    """

    workspace: Workspace
    question: Question
    comparison: Comparison
    answer: Json
    figures: list[Figure]
    excluded: Excluded
    chart: ComparedChart
    last_period: Period | None
    generated_at: datetime

    @property
    def period(self) -> Period:
        return self.comparison.period


def kind_names() -> dict[str, str]:
    return {CAMPAIGN: _("Campaign clicks"), VCARD: _("vCard clicks"), OTHER: _("Other clicks")}


def kind_figures(daily: DailyClicks, comparison: Comparison) -> list[Figure]:
    """The figures of all clicks, and of each kind."""
    kinds = kind_names()
    return [figure("total", _("All clicks"), daily, comparison, *kinds)] + [
        figure(kind, name, daily, comparison, kind) for kind, name in kinds.items()
    ]


def figure(key: str, name: str, daily: DailyClicks, comparison: Comparison, *kinds: str) -> Figure:
    """The figure for the sum of some kinds."""

    def clicks(days: Period | None) -> int:
        by_kind = daily.clicks(days) if days else {}
        return sum(by_kind.get(kind, 0) for kind in kinds)

    today = comparison.today
    return Figure(
        key,
        name,
        clicks(comparison.period),
        comparison.change(clicks(comparison.counted), clicks(comparison.compared)),
        clicks(Period(today, today)) if comparison.names_today else None,
    )


def comparison_of(workspace: Workspace, question: Question, today: date) -> Comparison:
    return Comparison(question.period, question.other, today, store.first_day(workspace.pk))


def compared_chart(
    question: Question, comparison: Comparison, daily: DailyClicks, marks: Sequence[Mark] = ()
) -> ComparedChart:
    """The chart of the clicks in the period and in the period to compare with."""
    period, breakdown, today = question.period, question.breakdown, comparison.today
    title, name = compared_names(question.compare)
    axis = axis_of(period, breakdown, today)
    current = daily.series(period, breakdown)
    if comparison.drawn is None:
        return ComparedChart(axis, current, None, [], [], title, name, marks)
    other = axis_of(comparison.drawn, breakdown, today)
    before = daily.series(comparison.drawn, breakdown)
    changes = comparison.changes(axis.buckets, current, other.buckets, before)
    return ComparedChart(axis, current, other, before, changes, title, name, marks)


def clicks_of(workspace_id: int, days: Period | None, of: store.Named, keys: Iterable[int]) -> dict[int, int]:
    """The clicks of some campaigns or users on some days, by primary key. Those without clicks are left out."""
    return {} if days is None else store.by_key(workspace_id, days, of, keys=list(keys))


def local_time(workspace: Workspace, now: datetime) -> datetime:
    return now.astimezone(workspace.zone).replace(tzinfo=None)


def last_period(workspace: Workspace, period: Period, where: Mapping[store.Named, int] | None = None) -> Period | None:
    """The last period with clicks that has the same length, or the same number of whole months; None without clicks."""
    day = store.last_day(workspace.pk, where=where)
    if day is None:
        return None
    if not period.is_whole_months:
        return Period(max(MIN_DATE, day - (period.end - period.start)), day)
    # The whole months that end with the month of the last click.
    start = month_start(day)
    for _month in period.buckets("month")[1:]:
        start = max(MIN_DATE, month_start(start - ONE_DAY))
    return Period(start, month_end(day))


def page_context(
    form: PeriodForm,
    report_of: Callable[[Question], Report],
    page: str,
    public_ids: Sequence[str],
    audience: Audience = STAFF,
) -> dict[str, Any]:
    """The context of a page about one campaign or user. `report_of` makes the report if the form is valid."""
    if not (form.is_valid() and form.is_settled):
        return {"form": form, "report": None, "is_shared": audience.is_shared}
    files = exports(page, public_ids, form.query, {"": _("All figures as CSV")}, audience)
    with store.of_one_moment():
        report = report_of(form.question)
    return {"form": form, "report": report, "exports": files, "is_shared": audience.is_shared}


def exports(
    page: str, public_ids: Sequence[str], query: str, names: Mapping[str, str], audience: Audience
) -> list[tuple[str, str]]:
    """The addresses and names of the CSV files, for the tables in `names`; the empty name means all tables.

    The files of a shared page have its own address. All other files, also those for the admin, are served by the staff
    pages. If the host does not include the staff pages, there are no files.
    """
    try:
        address = "" if audience.is_shared else reverse(f"stats_dashboard:{page}", args=public_ids)
    except NoReverseMatch:
        return []
    return [
        (f"{address}?{query}&format=csv" + (f"&table={table}" if table else ""), f"{name} (CSV)" if table else name)
        for table, name in names.items()
    ]
