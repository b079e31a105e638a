"""The page of one campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from stats_app import queries
from stats_app.dimensions import CAMPAIGN
from stats_app.models import Campaign, Workspace
from stats_app.periods import Period
from stats_app.reports.audience import STAFF, Audience
from stats_app.reports.charts import ComparedChart
from stats_app.reports.comparison import Comparison, Question
from stats_app.reports.excluded import Excluded, excluded_of
from stats_app.reports.figures import (
    Figure,
    compared_chart,
    comparison_of,
    figure,
    last_period,
    local_time,
    page_context,
)
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.wording import status_text

# What stands for a share that the tool rounds to 0.
SMALL_SHARE = 0.00001


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What a campaign's page shows. `answer` is what the tool `stats_get_campaign_performance` answers."""

    workspace: Workspace
    campaign: Campaign
    question: Question
    comparison: Comparison
    answer: queries.Json
    figures: list[Figure]
    excluded: Excluded
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
        return status_text(self.answer["campaign"]["status"])

    @property
    def share(self) -> float | None:
        """The share of all campaign clicks; the tool's, but that of some clicks is never rounded to nothing."""
        share: float | None = self.answer["metrics"]["shareOfCampaignClicks"]
        return share if share or self.is_empty else SMALL_SHARE

    @property
    def best_day(self) -> date | None:
        best = self.answer["metrics"]["bestDay"]
        return date.fromisoformat(best["date"]) if best else None


def campaign_context(
    workspace: Workspace, campaign: Campaign, query: Mapping[str, Any], now: datetime, audience: Audience = STAFF
) -> dict[str, Any]:
    """What a campaign's page takes, from an address's query. `report` is None when the form is wrong or not settled."""
    return page_context(
        PeriodForm(query, workspace.today(now)),
        lambda question: campaign_report(workspace, campaign, question, now, audience),
        "campaign",
        [workspace.public_id, campaign.public_id],
        audience,
    )


def campaign_report(
    workspace: Workspace, campaign: Campaign, question: Question, now: datetime, audience: Audience = STAFF
) -> CampaignReport:
    """One campaign's page. Raises NotFound for a campaign of another workspace."""
    comparison = comparison_of(workspace, question, workspace.today(now))
    answer, daily = queries.campaign_performance_and_days(
        workspace, campaign.public_id, question.period, comparison.days, now
    )
    clicks = figure("campaign", _("Clicks"), daily, comparison, CAMPAIGN)
    excluded = excluded_of(workspace, question.period, {"campaign": campaign.pk})
    return CampaignReport(
        workspace,
        campaign,
        question,
        comparison,
        answer,
        [clicks],
        excluded.for_others() if audience.is_shared else excluded,
        compared_chart(question, comparison, daily),
        None if clicks.clicks else last_period(workspace, question.period, {"campaign": campaign.pk}),
        local_time(workspace, now),
    )
