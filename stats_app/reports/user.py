"""The page of one workspace user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from stats_app import person_figures, queries
from stats_app.errors import PersonFiguresOff
from stats_app.models import Campaign, CampaignAssignment, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.reports.charts import Series, StackedChart
from stats_app.reports.comparison import Question
from stats_app.reports.excluded import excluded_of
from stats_app.reports.figures import (
    Report,
    compared_chart,
    comparison_of,
    kind_figures,
    kind_names,
    last_period,
    local_time,
    page_context,
)
from stats_app.reports.marks import campaign_marks
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.wording import withheld_text

# The most campaigns of a user that the page names.
NAMED = 10


@dataclass(frozen=True, slots=True)
class Carried:
    """The newest campaigns of a user now, and the number of all."""

    campaigns: list[Campaign]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.campaigns)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReport(Report):
    """The contents of a user's page. Its tool is `stats_get_user_metrics`.

    `withheld` is a text if the figures of the period to compare with are not shown (`person_figures`); else empty.
    """

    user: WorkspaceUser
    kinds_chart: StackedChart
    withheld: str

    @property
    def is_empty(self) -> bool:
        return not self.answer["metrics"]["totalClicks"]


def user_context(workspace: Workspace, user: WorkspaceUser, query: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The context of a user's page, from the query string.

    `report` is None if the form is invalid or not settled, or if the figures are withheld; then `withheld` is a text.
    """
    form = PeriodForm(query, workspace.today(now))
    carried = {"carried": _carried(workspace, user)}
    try:
        return carried | page_context(
            form,
            lambda question: user_report(workspace, user, question, now),
            "user",
            [workspace.public_id, user.public_id],
        )
    except PersonFiguresOff:
        shown = person_figures.are_shown()
        return carried | {"form": form, "report": None, "withheld": withheld_text(), "are_shown": shown}


def _carried(workspace: Workspace, user: WorkspaceUser) -> Carried:
    campaigns = _carried_campaigns(workspace, user)
    newest = list(campaigns.order_by("-created_at", "-pk")[: NAMED + 1])
    return Carried(newest[:NAMED], len(newest) if len(newest) <= NAMED else campaigns.count())


def _carried_campaigns(workspace: Workspace, user: WorkspaceUser) -> QuerySet[Any]:
    assignments = CampaignAssignment.objects.filter(workspace=workspace.pk, user=user.pk)
    campaigns: QuerySet[Any] = Campaign.objects.filter(workspace=workspace.pk)
    return campaigns.filter(pk__in=assignments.values("campaign"))


def user_report(workspace: Workspace, user: WorkspaceUser, question: Question, now: datetime) -> UserReport:
    """One user's page. Raises NotFound for a user of another workspace, and PersonFiguresOff."""
    comparison = comparison_of(workspace, question, workspace.today(now))
    period, withheld = question.period, ""
    answer, daily = queries.user_metrics_and_days(workspace, user.public_id, period, comparison.days, now)
    if not _is_shown(workspace, daily, question.other):
        question, withheld = question._replace(compare="none", other=None), withheld_text()
        comparison = comparison_of(workspace, question, workspace.today(now))
    figures = kind_figures(daily, comparison)
    if comparison.names_today and not _is_shown(workspace, daily, Period(comparison.today, comparison.today)):
        figures = [replace(figure, today=None) for figure in figures]
    marks = campaign_marks(_carried_campaigns(workspace, user), period.buckets(question.breakdown))
    chart = compared_chart(question, comparison, daily, marks)
    kinds = [
        Series(name, daily.of_kind(kind, period, question.breakdown), colour=f"c{number}")
        for number, (kind, name) in enumerate(kind_names().items(), 1)
    ]
    return UserReport(
        workspace=workspace,
        user=user,
        question=question,
        comparison=comparison,
        answer=answer,
        figures=figures,
        excluded=excluded_of(workspace, period, {"user": user.pk}),
        chart=chart,
        kinds_chart=StackedChart(chart.axis, kinds, marks),
        last_period=None if answer["metrics"]["totalClicks"] else last_period(workspace, period, {"user": user.pk}),
        withheld=withheld,
        generated_at=local_time(workspace, now),
    )


def _is_shown(workspace: Workspace, daily: queries.DailyClicks, days: Period | None) -> bool:
    """Whether the user's clicks of some days may be shown."""
    return days is None or sum(daily.clicks(days).values()) >= queries.least_shown(workspace, days)
