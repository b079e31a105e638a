"""The overview of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from stats_app import person_figures, queries, store
from stats_app.dimensions import CAMPAIGN
from stats_app.models import Campaign, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.reports.audience import STAFF, Audience
from stats_app.reports.charts import ComparedChart, Series, StackedChart
from stats_app.reports.colours import COLOURS, campaign_colours
from stats_app.reports.comparison import Comparison, Question
from stats_app.reports.excluded import excluded_of_workspace
from stats_app.reports.figures import (
    Report,
    clicks_of,
    compared_chart,
    comparison_of,
    exports,
    kind_figures,
    last_period,
    local_time,
)
from stats_app.reports.marks import campaign_marks
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.ranking import ORDERS, Ranking, ranking
from stats_app.reports.weekdays import Weekday, weekdays
from stats_app.reports.wording import withheld_text

TOP_USERS = 10


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the active users had a click in the period."""

    active: int
    clicked: int

    @property
    def without(self) -> int:
        return self.active - self.clicked


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewReport(Report):
    """The contents of the overview. Its tool is `stats_get_workspace_overview`.

    `is_new` is true if the workspace has never had any click, not even one that is not counted. `users` is None if no
    figures of persons are shown.
    """

    campaigns_chart: StackedChart
    campaigns: Ranking
    users: Ranking | None
    all_campaigns: int
    all_users: int
    coverage: Coverage | None
    weekdays: list[Weekday]
    is_new: bool

    @property
    def withheld(self) -> str:
        """A text that says that withheld users are part of the rest; empty if all are shown."""
        return "" if person_figures.are_all_shown() else withheld_text()

    @property
    def is_empty(self) -> bool:
        return not self.answer["totals"]["totalClicks"]

    @property
    def rankings(self) -> dict[str, Ranking]:
        """The tables of campaigns and users with the most clicks, by name."""
        return {"campaigns": self.campaigns} | ({"users": self.users} if self.users else {})

    def sorted(self, campaigns: str, users: str) -> OverviewReport:
        """A copy with its tables in other orders, from `ranking.ORDERS`."""
        ordered = self.users and self.users.ordered(users)
        return replace(self, campaigns=self.campaigns.ordered(campaigns), users=ordered)


def overview_report(
    workspace: Workspace, question: Question, now: datetime, audience: Audience = STAFF
) -> OverviewReport:
    """The workspace's overview. About fifteen queries, for any number of clicks."""
    comparison = comparison_of(workspace, question, workspace.today(now))
    period = question.period
    counts = queries.overview_counts(workspace, period, comparison.days)
    clicks = counts.daily.clicks(period)
    total = sum(clicks.values())
    answer = queries.overview_with_chart(workspace, counts, question.breakdown, now)
    marks = campaign_marks(Campaign.objects.filter(workspace=workspace.pk), period.buckets(question.breakdown))
    chart = compared_chart(question, comparison, counts.daily, marks)
    excluded = excluded_of_workspace(workspace, period)
    last = None if total else last_period(workspace, period)
    all_users = WorkspaceUser.objects.filter(workspace=workspace.pk).count()
    return OverviewReport(
        workspace=workspace,
        question=question,
        comparison=comparison,
        answer=answer,
        figures=kind_figures(counts.daily, comparison),
        excluded=excluded.for_others() if audience.is_shared else excluded,
        chart=chart,
        campaigns_chart=_campaigns_chart(workspace, counts, question, answer, chart),
        campaigns=_campaigns(workspace, counts, clicks[CAMPAIGN], comparison),
        users=_users(workspace, comparison, total) if audience.names_people else None,
        all_campaigns=Campaign.objects.filter(workspace=workspace.pk).count(),
        all_users=all_users,
        coverage=_coverage(workspace, comparison, all_users),
        weekdays=_weekdays(counts, comparison),
        last_period=last,
        is_new=not total and last is None and not excluded.total and not store.has_counts(workspace.pk),
        generated_at=local_time(workspace, now),
    )


def overview_context(
    workspace: Workspace, query: Mapping[str, Any], now: datetime, audience: Audience = STAFF
) -> dict[str, Any]:
    """The context of the template `stats_app/reports/overview.html`, without the request, from the query string.

    `report` is None if the form is invalid or not settled.
    """
    orders = {table: query[table] for table in ("campaigns", "users") if query.get(table) in ORDERS[1:]}
    form = PeriodForm(query, workspace.today(now), orders)
    if not (form.is_valid() and form.is_settled):
        return {"form": form, "report": None, "is_shared": audience.is_shared}
    with store.of_one_moment():
        report = overview_report(workspace, form.question, now, audience)
    report = report.sorted(orders.get("campaigns", ""), orders.get("users", ""))
    files = {"": _("All figures as CSV"), "chart": _("Clicks"), "campaigns": _("Top campaigns")}
    if report.users is not None:
        files["users"] = _("Top users")
    return {
        "form": form,
        "report": report,
        "sort_links": _sort_links(form.address, report.rankings),
        "exports": exports("workspace", [workspace.public_id], form.query, files, audience),
        "is_shared": audience.is_shared,
    }


def _sort_links(address: str, rankings: Mapping[str, Ranking]) -> dict[str, dict[str, str]]:
    """For each table and column the query string that sorts by it, and keeps the order of the other table."""
    orders = {table: ranking.order for table, ranking in rankings.items()}
    return {
        table: {
            column: f"?{address}&{urlencode(orders | {table: order})}" for column, order in ranking.next_orders.items()
        }
        for table, ranking in rankings.items()
    }


def _coverage(workspace: Workspace, comparison: Comparison, all_users: int) -> Coverage | None:
    """How many active users had clicks. None if there are no active users, if the period has not begun, and if figures
    of persons are withheld."""
    if comparison.is_future or not person_figures.are_all_shown():
        return None
    inactive = WorkspaceUser.objects.filter(workspace=workspace.pk, is_active=False)
    active = all_users - inactive.count()
    if not active:
        return None
    return Coverage(active, store.number_with_clicks(workspace.pk, "user", comparison.period, left_out=inactive))


def _weekdays(counts: queries.OverviewCounts, comparison: Comparison) -> list[Weekday]:
    """The clicks by weekday on the days that are over. Empty if these are less than a week, or have no clicks."""
    days = comparison.counted
    if days is None or days.days < 7:
        return []
    daily = counts.daily.series(days, "day")
    return weekdays(days, daily) if any(daily) else []


def _campaigns_chart(
    workspace: Workspace, counts: queries.OverviewCounts, question: Question, answer: queries.Json, chart: ComparedChart
) -> StackedChart:
    campaigns = answer["breakdown"]["chart"]["datasets"]["campaigns"][:COLOURS]
    keys = [campaign.key for campaign in counts.campaigns[:COLOURS]]
    colours = campaign_colours(workspace, keys, chart.axis.today)
    series = [
        Series(campaign["name"], campaign["data"], campaign["publicId"], f"c{colours[key]}")
        for key, campaign in zip(keys, campaigns, strict=True)
    ]
    rest = counts.daily.of_kind(CAMPAIGN, question.period, question.breakdown)
    for one in series:
        rest = [number - part for number, part in zip(rest, one.data, strict=True)]
    if any(rest):
        series.append(Series(_("Other campaigns"), rest))
    return StackedChart(chart.axis, series, chart.marks)


def _campaigns(workspace: Workspace, counts: queries.OverviewCounts, whole: int, comparison: Comparison) -> Ranking:
    clicks = [(campaign.public_id, campaign.name, sum(campaign.daily)) for campaign in counts.campaigns]
    days = comparison.counted.days if comparison.counted else 0
    counted = {campaign.public_id: sum(campaign.daily[:days]) for campaign in counts.campaigns}
    public_ids = {campaign.key: campaign.public_id for campaign in counts.campaigns}
    before = _clicks_of(workspace, comparison.compared, "campaign", public_ids)
    return ranking(clicks, counted, before, whole, queries.TOP_CAMPAIGNS, comparison)


def _users(workspace: Workspace, comparison: Comparison, whole: int) -> Ranking | None:
    """The ranking of users. Withheld users (`person_figures`) are part of the rest. A user whose clicks in the other
    period are withheld has no change."""
    if not person_figures.are_shown():
        return None
    least = queries.least_shown(workspace, comparison.period)
    clicks_of = store.by_key(workspace.pk, comparison.period, "user", top=TOP_USERS)
    top = {key: number for key, number in clicks_of.items() if number >= least}
    users = WorkspaceUser.objects.filter(workspace=workspace.pk).in_bulk(list(top))
    public_ids = {key: user.public_id for key, user in users.items()}
    clicks = [(users[key].public_id, str(users[key]), number) for key, number in top.items()]
    if comparison.counted == comparison.period:
        counted = {public_id: number for public_id, _name, number in clicks}
    else:
        counted = _clicks_of(workspace, comparison.counted, "user", public_ids)
    before = _clicks_of(workspace, comparison.compared, "user", public_ids)
    least_before = queries.least_shown(workspace, comparison.compared) if comparison.compared else 0
    shown = {public_id for public_id in counted if before.get(public_id, 0) >= least_before}
    return ranking(clicks, counted, before, whole, TOP_USERS, comparison, shown)


def _clicks_of(
    workspace: Workspace, days: Period | None, by: store.Named, public_ids: Mapping[int, str]
) -> dict[str, int]:
    """The clicks of each key in some days, by public id."""
    return {public_ids[key]: number for key, number in clicks_of(workspace.pk, days, by, public_ids).items()}
