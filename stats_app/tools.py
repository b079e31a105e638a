"""The tools: the read-only questions that an API key may ask, and `call`, their one door.

A tool is one declaration: its name and texts, its parameters, its answer and the function that gives it. Every surface
calls it through `call`, which checks the scope, the rate limit and the parameters, runs it and writes the audit log.
Adding a tool is adding a declaration here and its function in `stats_app.queries`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework import serializers

from stats_app import answers, limits, parameters, queries
from stats_app.audit import record_call
from stats_app.conf import conf
from stats_app.errors import StatsError, WorkspaceMismatch
from stats_app.keys import Caller
from stats_app.limits import Allowance
from stats_app.models import Workspace
from stats_app.models.access import STATS_READ
from stats_app.periods import DEFAULT_DAYS, Period

Json = dict[str, Any]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """One question. `run` takes the workspace, the checked parameters and the moment, and returns the JSON body."""

    name: str
    title: str
    description: str
    parameters: type[parameters.Parameters]
    answer: type[serializers.Serializer[Any]]
    run: Callable[[Workspace, Values, datetime], Json]


@dataclass(frozen=True, slots=True)
class ToolResult:
    body: Json
    allowance: Allowance | None


def call(
    name: str, caller: Caller, arguments: Mapping[str, object], *, surface: str, now: datetime, client: str = ""
) -> ToolResult:
    """Asks a tool. Raises a `StatsError` for what the caller did wrong; every call leaves one audit row.

    The checks come in this order: scope, rate limit, parameters, and what the tool itself finds. Calls that fail after
    the limit use it up, too; their errors carry what is left of it.
    """
    tool = TOOLS[name]
    started = time.perf_counter()
    outcome = "internal_error"
    try:
        result = _answer(tool, caller, arguments, now)
        outcome = "ok"
    except StatsError as error:
        outcome = error.code
        raise
    except (OperationalError, InterfaceError):
        outcome = "unavailable"
        raise
    finally:
        record_call(
            caller,
            name,
            arguments,
            surface=surface,
            client=client,
            outcome=outcome,
            duration_ms=round((time.perf_counter() - started) * 1000),
            called_at=now,
        )
    return result


def _answer(tool: Tool, caller: Caller, arguments: Mapping[str, object], now: datetime) -> ToolResult:
    caller.require(STATS_READ)
    allowance = limits.take(caller.api_key_id, tool.name, conf.rate_limit, now)
    try:
        values = parameters.validate(tool.parameters, arguments)
        return ToolResult(tool.run(caller.workspace, values, now), allowance)
    except StatsError as error:
        error.allowance = allowance
        raise


def _overview(workspace: Workspace, values: Values, now: datetime) -> Json:
    if values.get("workspacePublicId", workspace.public_id) != workspace.public_id:
        raise WorkspaceMismatch
    breakdown = None if values["breakdown"] == "none" else values["breakdown"]
    return queries.overview(workspace, Period(values["from"], values["to"]), breakdown, now)


def _campaign_performance(workspace: Workspace, values: Values, now: datetime) -> Json:
    period = _period_or_default(workspace, values, now)
    return queries.campaign_performance(workspace, values["campaignPublicId"], period, now)


def _user_metrics(workspace: Workspace, values: Values, now: datetime) -> Json:
    return queries.user_metrics(workspace, values["userPublicId"], _period_or_default(workspace, values, now), now)


def _period_or_default(workspace: Workspace, values: Values, now: datetime) -> Period:
    """With only one of the dates, too, the period is the default: a half-open one would surprise more."""
    if "from" in values and "to" in values:
        return Period(values["from"], values["to"])
    return Period.last_days(DEFAULT_DAYS, workspace.today(now))


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "stats_get_workspace_overview",
            "Workspace overview for a period",
            "Return the click totals of the API key's workspace for a period, and with a breakdown a chart of the "
            "period, the previous period and the 10 campaigns with the most clicks.",
            parameters.OverviewParameters,
            answers.OverviewAnswer,
            _overview,
        ),
        Tool(
            "stats_get_campaign_performance",
            "Performance of one campaign",
            "Return the clicks of one campaign in a period, its share of all campaign clicks, its best day and how "
            "many users carry it.",
            parameters.CampaignParameters,
            answers.CampaignPerformanceAnswer,
            _campaign_performance,
        ),
        Tool(
            "stats_get_user_metrics",
            "Metrics of one user",
            "Return the clicks in the signature of one user in a period by kind, and how many campaigns and aliases "
            "the user has.",
            parameters.UserParameters,
            answers.UserMetricsAnswer,
            _user_metrics,
        ),
    )
}
