"""What the reports share: figures, times, charts of one subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from stats_app import store
from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.models import Workspace
from stats_app.periods import MIN_DATE, Breakdown, Period, fold, month_end, next_month
from stats_app.reports.charts import ComparedChart, axis_of
from stats_app.reports.comparison import Change, Comparison
from stats_app.reports.period_form import PeriodForm


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large numbers, with its change; None before the period begins. `key` names it in exports."""

    key: str
    name: str
    clicks: int
    change: Change | None


def kind_names() -> dict[str, str]:
    return {CAMPAIGN: _("Campaign clicks"), VCARD: _("vCard clicks"), OTHER: _("Other clicks")}


def kind_figures(clicks: Mapping[str, int], before: Mapping[str, int], comparison: Comparison) -> list[Figure]:
    """All clicks, then each kind."""
    total = Figure("total", _("All clicks"), sum(clicks.values()), None)
    change = comparison.change(total.clicks, sum(before.values()))
    kinds = [
        Figure(kind, name, clicks[kind], comparison.change(clicks[kind], before[kind]))
        for kind, name in kind_names().items()
    ]
    return [replace(total, change=change), *kinds]


def local_time(workspace: Workspace, now: datetime) -> datetime:
    return now.astimezone(workspace.zone).replace(tzinfo=None)


def last_period(workspace: Workspace, period: Period, where: Mapping[store.Named, int] | None = None) -> Period | None:
    """The last period of the same length, or of as many whole months, that has clicks; None when there are none."""
    day = store.last_day(workspace.pk, where=where)
    if day is None:
        return None
    if not period.is_whole_months:
        return Period(max(MIN_DATE, day - (period.end - period.start)), day)
    # The whole months before the month after the last click.
    after = Period(next_month(day), month_end(next_month(day)))
    length = len(period.buckets("month"))
    while after.start > MIN_DATE and length:
        after, length = after.previous(), length - 1
    return Period(after.start, month_end(day))


def page_context(form: PeriodForm, report_of: Callable[[Period, Breakdown], object]) -> dict[str, Any]:
    """The context of a page about one campaign or user, whose report `report_of` makes once the form is right."""
    if not (form.is_valid() and form.is_settled):
        return {"form": form, "report": None}
    report = report_of(form.period, form.breakdown)
    return {"form": form, "report": report, "exports": {"": _("All figures as CSV")}.items()}


def compared_chart(comparison: Comparison, breakdown: Breakdown, daily: Sequence[int]) -> ComparedChart:
    """The clicks of one campaign or user in the period beside those before, from those of each day of both."""
    period, previous = comparison.period, comparison.previous
    axis = axis_of(period, breakdown, comparison.today)
    previous_axis = axis_of(previous, breakdown, comparison.today)
    return ComparedChart(
        axis,
        fold(daily[previous.days :], axis.buckets),
        previous_axis,
        fold(daily[: previous.days], previous_axis.buckets),
    )
