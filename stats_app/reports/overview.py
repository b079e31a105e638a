"""The overview of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from stats_app import queries, store
from stats_app.models import VERDICTS, Workspace, WorkspaceUser
from stats_app.models.clicks import BOT, CAMPAIGN, OTHER, SUSPECTED, VCARD
from stats_app.periods import MIN_DATE, Breakdown, Period, fold, month_end, next_month
from stats_app.reports.charts import Axis, ComparedChart, Series, StackedChart, axis_of
from stats_app.reports.colours import COLOURS, campaign_colours
from stats_app.reports.comparison import Change, Comparison
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.ranking import Ranking, ranking

TOP_USERS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the large numbers, with its change; None before the period begins. `key` names it in exports."""

    key: str
    name: str
    clicks: int
    change: Change | None


@dataclass(frozen=True, slots=True)
class Excluded:
    """Clicks that are kept but not counted, by why."""

    suspected: int
    bot: int

    @property
    def total(self) -> int:
        return self.suspected + self.bot


@dataclass(frozen=True, slots=True)
class OverviewReport:
    """What the overview shows. `answer` is what the tool of the same name answers to the same question.

    `last_period` is given when the period has no clicks: the last one of its length that has some, or None when the
    workspace has none at all. `generated_at` is the workspace's local time, naive.
    """

    workspace: Workspace
    breakdown: Breakdown
    comparison: Comparison
    answer: queries.Json
    figures: list[Figure]
    excluded: Excluded
    chart: ComparedChart
    campaigns_chart: StackedChart
    campaigns: Ranking
    users: Ranking
    last_period: Period | None
    generated_at: datetime

    @property
    def period(self) -> Period:
        return self.comparison.period

    @property
    def is_empty(self) -> bool:
        return not self.answer["totals"]["totalClicks"]

    @property
    def is_new(self) -> bool:
        """Whether no click was ever counted, and the period has none that was not."""
        return self.is_empty and self.last_period is None and not self.excluded.total

    def sorted(self, campaigns: str, users: str) -> OverviewReport:
        """The same with its tables in other orders, of `ranking.ORDERS`."""
        return replace(self, campaigns=self.campaigns.ordered(campaigns), users=self.users.ordered(users))


def overview_report(workspace: Workspace, period: Period, breakdown: Breakdown, now: datetime) -> OverviewReport:
    """The workspace's overview. A dozen queries at most, of rollups, however many clicks there are."""
    comparison = Comparison(period, workspace.today(now))
    counts = queries.overview_counts(workspace, period)
    answer = queries.overview_with_chart(workspace, counts, breakdown, now)
    clicks = counts.clicks(period)
    total = sum(clicks.values())
    chart = _chart(answer, comparison, breakdown)
    return OverviewReport(
        workspace,
        breakdown,
        comparison,
        answer,
        kind_figures(clicks, counts.clicks(comparison.compared), comparison),
        _excluded(workspace, period),
        chart,
        _campaigns_chart(workspace, counts, answer, comparison, chart.axis),
        _campaigns(workspace, counts, clicks[CAMPAIGN], comparison),
        _users(workspace, comparison, total),
        None if total else last_period(workspace, period),
        local_time(workspace, now),
    )


def overview_context(workspace: Workspace, query: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the template `stats_app/reports/overview.html` takes but for the request, from an address's query.

    `report` is None when the form is wrong or not settled.
    """
    form = PeriodForm(query, workspace.today(now))
    if not (form.is_valid() and form.is_settled):
        return {"form": form, "report": None}
    report = overview_report(workspace, form.period, form.breakdown, now)
    report = report.sorted(query.get("campaigns", ""), query.get("users", ""))
    return {
        "form": form,
        "report": report,
        "sort_links": _sort_links(form.address, {"campaigns": report.campaigns, "users": report.users}),
        "exports": {
            "": _("All figures as CSV"),
            "chart": _("Clicks"),
            "campaigns": _("Top campaigns"),
            "users": _("Top users"),
        }.items(),
    }


def _sort_links(address: str, rankings: Mapping[str, Ranking]) -> dict[str, dict[str, str]]:
    """For each table and column the query string that sorts by it and leaves the other table as it is."""
    orders = {table: ranking.order for table, ranking in rankings.items()}
    return {
        table: {
            column: f"?{address}&{urlencode(orders | {table: order})}" for column, order in ranking.next_orders.items()
        }
        for table, ranking in rankings.items()
    }


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


def _excluded(workspace: Workspace, period: Period) -> Excluded:
    counts = store.counts(workspace.pk, period, ("verdict",))
    return Excluded(*(sum(counts.get((VERDICTS[verdict],), [0])) for verdict in (SUSPECTED, BOT)))


def _chart(answer: queries.Json, comparison: Comparison, breakdown: Breakdown) -> ComparedChart:
    datasets = answer["breakdown"]["chart"]["datasets"]
    axis = axis_of(comparison.period, breakdown, comparison.today)
    previous = axis_of(comparison.previous, breakdown, comparison.today)
    return ComparedChart(axis, datasets["current"], previous, datasets["previous"])


def _campaigns_chart(
    workspace: Workspace, counts: queries.OverviewCounts, answer: queries.Json, comparison: Comparison, axis: Axis
) -> StackedChart:
    campaigns = answer["breakdown"]["chart"]["datasets"]["campaigns"][:COLOURS]
    keys = [campaign.key for campaign in counts.campaigns[:COLOURS]]
    colours = campaign_colours(workspace, keys, comparison.today)
    series = [
        Series(campaign["name"], campaign["data"], campaign["publicId"], f"c{colours[key]}")
        for key, campaign in zip(keys, campaigns, strict=True)
    ]
    rest = fold(counts.daily[CAMPAIGN][counts.previous.days :], axis.buckets)
    for one in series:
        rest = [number - part for number, part in zip(rest, one.data, strict=True)]
    if any(rest):
        series.append(Series(_("Other campaigns"), rest))
    return StackedChart(axis, series)


def _campaigns(workspace: Workspace, counts: queries.OverviewCounts, whole: int, comparison: Comparison) -> Ranking:
    clicks = [(campaign.public_id, campaign.name, sum(campaign.daily)) for campaign in counts.campaigns]
    public_ids = {campaign.key: campaign.public_id for campaign in counts.campaigns}
    return ranking(clicks, _before(workspace, comparison, "campaign", public_ids), whole, comparison.change)


def _users(workspace: Workspace, comparison: Comparison, whole: int) -> Ranking:
    counts = store.counts(workspace.pk, comparison.period, ("user",), top=TOP_USERS)
    top = {int(key): numbers[0] for (key,), numbers in counts.items()}
    users = WorkspaceUser.objects.in_bulk(list(top))
    clicks = [(users[key].public_id, str(users[key]), number) for key, number in top.items()]
    before = _before(workspace, comparison, "user", {key: user.public_id for key, user in users.items()})
    return ranking(clicks, before, whole, comparison.change)


def _before(workspace: Workspace, comparison: Comparison, by: Any, public_ids: Mapping[int, str]) -> dict[str, int]:
    """The clicks of each in the days that it is compared with, by public id."""
    counts = store.counts(workspace.pk, comparison.compared, (by,), where={by: list(public_ids)})
    return {public_ids[int(key)]: numbers[0] for (key,), numbers in counts.items()}


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
