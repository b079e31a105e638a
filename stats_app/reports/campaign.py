"""The page of one campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from stats_app import queries, store
from stats_app.dimensions import CAMPAIGN
from stats_app.models import Campaign, Workspace
from stats_app.periods import MAX_DATE, MAX_DAYS, MIN_DATE, ONE_DAY, Period
from stats_app.presets import Preset
from stats_app.reports.audience import STAFF, Audience
from stats_app.reports.carriers import Carriers, carriers_of
from stats_app.reports.comparison import Question
from stats_app.reports.excluded import excluded_of
from stats_app.reports.figures import (
    Report,
    compared_chart,
    comparison_of,
    figure,
    last_period,
    local_time,
    page_context,
)
from stats_app.reports.marks import marks_of
from stats_app.reports.period_form import WHOLE_RUN, PeriodForm
from stats_app.reports.wording import status_text

# The share to show in place of one that the tool rounds to 0.
SMALL_SHARE = 0.00001


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport(Report):
    """The contents of a campaign's page. Its tool is `stats_get_campaign_performance`."""

    campaign: Campaign
    carriers: Carriers | None

    @property
    def is_empty(self) -> bool:
        return not self.answer["metrics"]["clicks"]

    @property
    def status(self) -> str:
        """The status in the active language."""
        return status_text(self.answer["campaign"]["status"])

    @property
    def share(self) -> float | None:
        """The share of all campaign clicks, as from the tool, but never rounded to 0 if there are clicks."""
        share: float | None = self.answer["metrics"]["shareOfCampaignClicks"]
        return share if share or self.is_empty else SMALL_SHARE

    @property
    def best_day(self) -> date | None:
        best = self.answer["metrics"]["bestDay"]
        return date.fromisoformat(best["date"]) if best else None


def campaign_context(
    workspace: Workspace, campaign: Campaign, query: Mapping[str, Any], now: datetime, audience: Audience = STAFF
) -> dict[str, Any]:
    """The context of a campaign's page, from the query string. `report` is None if the form is invalid or unsettled."""
    today = workspace.today(now)
    return page_context(
        PeriodForm(query, today, own=_own_presets(workspace, campaign, today)),
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
    marks = marks_of(campaign, question.period.buckets(question.breakdown))
    clicks = figure("campaign", _("Clicks"), daily, comparison, CAMPAIGN)
    excluded = excluded_of(workspace, question.period, {"campaign": campaign.pk})
    return CampaignReport(
        workspace=workspace,
        campaign=campaign,
        question=question,
        comparison=comparison,
        answer=answer,
        figures=[clicks],
        excluded=excluded.for_others() if audience.is_shared else excluded,
        chart=compared_chart(question, comparison, daily, marks),
        carriers=carriers_of(workspace, campaign, question.period, comparison.today) if audience.names_people else None,
        last_period=None if clicks.clicks else last_period(workspace, question.period, {"campaign": campaign.pk}),
        generated_at=local_time(workspace, now),
    )


def _own_presets(workspace: Workspace, campaign: Campaign, today: date) -> dict[str, Preset]:
    """The preset for the campaign's whole run, which begins on its first day, or else on the day of its first click,
    and ends on its last day or today. Empty for a campaign that has not begun."""
    first = campaign.starts_on or store.first_day(workspace.pk, where={"campaign": campaign.pk})
    if first is None or first > today:
        return {}

    def whole(day: date) -> Period:
        end = max(MIN_DATE, min(campaign.ends_on or max(day, first), MAX_DATE))
        # If the run is longer than a period may be, the last days up to today are shown. Some campaigns have an end
        # such as 2099, which means never.
        days_after_first = (MAX_DAYS - 1) * ONE_DAY
        start = max(first, MIN_DATE, min(end, max(day, first)) - days_after_first)
        return Period(start, min(end, start + days_after_first))

    return {WHOLE_RUN: Preset(whole)}
