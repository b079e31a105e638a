"""The page of one workspace user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stats_app import queries, store
from stats_app.models import Workspace, WorkspaceUser
from stats_app.models.clicks import CAMPAIGN, OTHER, VCARD
from stats_app.periods import Breakdown, Period, fold
from stats_app.reports.campaign import compared_chart, page_context
from stats_app.reports.charts import ComparedChart, Series, StackedChart
from stats_app.reports.comparison import Comparison
from stats_app.reports.overview import Figure, kind_figures, kind_names, last_period, local_time
from stats_app.reports.period_form import PeriodForm


@dataclass(frozen=True, slots=True)
class UserReport:
    """What a user's page shows. `answer` is what the tool `stats_get_user_metrics` answers."""

    workspace: Workspace
    user: WorkspaceUser
    breakdown: Breakdown
    comparison: Comparison
    answer: queries.Json
    figures: list[Figure]
    chart: ComparedChart
    kinds_chart: StackedChart
    last_period: Period | None
    generated_at: datetime

    @property
    def period(self) -> Period:
        return self.comparison.period

    @property
    def is_empty(self) -> bool:
        return not self.answer["metrics"]["totalClicks"]


def user_context(workspace: Workspace, user: WorkspaceUser, query: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a user's page takes, from an address's query. `report` is None when the form is wrong."""
    return page_context(
        PeriodForm(query, workspace.today(now)),
        lambda period, breakdown: user_report(workspace, user, period, breakdown, now),
    )


def user_report(
    workspace: Workspace, user: WorkspaceUser, period: Period, breakdown: Breakdown, now: datetime
) -> UserReport:
    """One user's page. Raises NotFound for a user of another workspace."""
    comparison = Comparison(period, workspace.today(now))
    answer = queries.user_metrics(workspace, user.public_id, period, now)
    metrics = answer["metrics"]
    where: dict[store.Named, int] = {"user": user.pk}
    clicks = {CAMPAIGN: metrics["campaignClicks"], VCARD: metrics["vcardClicks"], OTHER: metrics["otherClicks"]}
    daily = store.counts(workspace.pk, comparison.both, ("day", "kind"), where=where)
    before = {kind: sum(daily[kind,][: comparison.compared.days]) for kind in clicks}
    chart = compared_chart(comparison, breakdown, [*map(sum, zip(*daily.values(), strict=True))])
    kinds = [
        Series(name, fold(daily[kind,][comparison.previous.days :], chart.axis.buckets), colour=f"c{number}")
        for number, (kind, name) in enumerate(kind_names().items(), 1)
    ]
    return UserReport(
        workspace,
        user,
        breakdown,
        comparison,
        answer,
        kind_figures(clicks, before, comparison),
        chart,
        StackedChart(chart.axis, kinds),
        None if metrics["totalClicks"] else last_period(workspace, period, where),
        local_time(workspace, now),
    )
