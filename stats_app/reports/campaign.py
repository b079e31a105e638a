"""The page of one campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from stats_app import queries, store
from stats_app.models import Campaign, Workspace
from stats_app.models.campaigns import COMPLETED, PAUSED, PLANNED, RUNNING
from stats_app.periods import Breakdown, Period
from stats_app.reports.charts import ComparedChart
from stats_app.reports.comparison import Comparison
from stats_app.reports.figures import Figure, compared_chart, last_period, local_time, page_context
from stats_app.reports.period_form import PeriodForm


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What a campaign's page shows. `answer` is what the tool `stats_get_campaign_performance` answers."""

    workspace: Workspace
    campaign: Campaign
    breakdown: Breakdown
    comparison: Comparison
    answer: queries.Json
    figures: list[Figure]
    chart: ComparedChart
    last_period: Period | None
    generated_at: datetime

    @property
    def period(self) -> Period:
        return self.comparison.period

    @property
    def is_empty(self) -> bool:
        return not self.answer["metrics"]["clicks"]

    @property
    def status(self) -> str:
        """The status in the active language."""
        names = {PLANNED: _("planned"), RUNNING: _("running"), PAUSED: _("paused"), COMPLETED: _("completed")}
        return names[self.answer["campaign"]["status"]]

    @property
    def best_day(self) -> date | None:
        best = self.answer["metrics"]["bestDay"]
        return date.fromisoformat(best["date"]) if best else None


def campaign_context(
    workspace: Workspace, campaign: Campaign, query: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """What a campaign's page takes, from an address's query. `report` is None when the form is wrong or not settled."""
    return page_context(
        PeriodForm(query, workspace.today(now)),
        lambda period, breakdown: campaign_report(workspace, campaign, period, breakdown, now),
    )


def campaign_report(
    workspace: Workspace, campaign: Campaign, period: Period, breakdown: Breakdown, now: datetime
) -> CampaignReport:
    """One campaign's page. Raises NotFound for a campaign of another workspace."""
    comparison = Comparison(period, workspace.today(now))
    answer = queries.campaign_performance(workspace, campaign.public_id, period, now)
    where: dict[store.Named, int] = {"campaign": campaign.pk}
    daily = store.counts(workspace.pk, comparison.both, ("day",), where=where)[()]
    clicks = answer["metrics"]["clicks"]
    figure = Figure("campaign", _("Clicks"), clicks, comparison.change(clicks, sum(daily[: comparison.compared.days])))
    return CampaignReport(
        workspace,
        campaign,
        breakdown,
        comparison,
        answer,
        [figure],
        compared_chart(comparison, breakdown, daily),
        None if clicks else last_period(workspace, period, where),
        local_time(workspace, now),
    )
