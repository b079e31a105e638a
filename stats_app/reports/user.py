"""The page of one workspace user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stats_app import queries
from stats_app.models import Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.reports.charts import ComparedChart, Series, StackedChart
from stats_app.reports.comparison import Comparison, Question
from stats_app.reports.figures import (
    Figure,
    compared_chart,
    comparison_of,
    kind_figures,
    kind_names,
    last_period,
    local_time,
    page_context,
)
from stats_app.reports.period_form import PeriodForm


@dataclass(frozen=True, slots=True)
class UserReport:
    """What a user's page shows. `answer` is what the tool `stats_get_user_metrics` answers."""

    workspace: Workspace
    user: WorkspaceUser
    question: Question
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
    """What a user's page takes, from an address's query. `report` is None when the form is wrong or not settled."""
    return page_context(
        PeriodForm(query, workspace.today(now)),
        lambda question: user_report(workspace, user, question, now),
        "user",
        [workspace.public_id, user.public_id],
    )


def user_report(workspace: Workspace, user: WorkspaceUser, question: Question, now: datetime) -> UserReport:
    """One user's page. Raises NotFound for a user of another workspace."""
    comparison = comparison_of(workspace, question, workspace.today(now))
    period = question.period
    answer, daily = queries.user_metrics_and_days(workspace, user.public_id, period, comparison.days, now)
    chart = compared_chart(question, comparison, daily)
    kinds = [
        Series(name, daily.of_kind(kind, period, question.breakdown), colour=f"c{number}")
        for number, (kind, name) in enumerate(kind_names().items(), 1)
    ]
    return UserReport(
        workspace,
        user,
        question,
        comparison,
        answer,
        kind_figures(daily, comparison),
        chart,
        StackedChart(chart.axis, kinds),
        None if answer["metrics"]["totalClicks"] else last_period(workspace, period, {"user": user.pk}),
        local_time(workspace, now),
    )
