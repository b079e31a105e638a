"""The tools, which are read-only questions for API keys, and `call`, which runs them.

A tool is one declaration: its name and texts, its parameters, its answer and its function. Every surface runs it by
`call`, which checks the scope, the rate limit and the parameters, runs the function and writes the audit log. A new
tool needs a declaration here and a function in `stats_app.queries`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import serializers

from stats_app import answers, limits, parameters, queries, store
from stats_app.audit import record_call
from stats_app.conf import conf
from stats_app.database_errors import DATABASE_ERRORS, kind_of
from stats_app.errors import Allowance, StatsError, WorkspaceMismatch
from stats_app.keys import Caller
from stats_app.models import Workspace
from stats_app.models.api_keys import STATS_READ
from stats_app.models.audit import OK
from stats_app.periods import DEFAULT_DAYS, Period

Json = dict[str, Any]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `run` takes the workspace, the validated parameters and the time, and returns the JSON body.

    The texts are the same on every surface. Surfaces may add texts of their own.
    """

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
    name: str,
    caller: Caller,
    arguments: Mapping[str, object],
    *,
    surface: str,
    now: datetime,
    client: str = "",
    rule: Callable[[Values], None] | None = None,
) -> ToolResult:
    """Runs a tool. Raises a `StatsError` for a mistake of the caller. Every call writes one audit row.

    The order of checks is: scope, rate limit, parameters, `rule` (a check by the surface, which raises
    InvalidParameters), and the checks in the tool's function. Calls that fail after the rate limit count for it, and
    their errors say what is left of it.
    """
    tool = TOOLS[name]
    started = time.perf_counter()
    outcome = "internal_error"
    try:
        result = _answer(tool, caller, arguments, now, rule)
        outcome = OK
    except StatsError as error:
        outcome = error.code
        raise
    except DATABASE_ERRORS as error:
        if kind_of(error) is not None:
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


def _answer(
    tool: Tool,
    caller: Caller,
    arguments: Mapping[str, object],
    now: datetime,
    rule: Callable[[Values], None] | None,
) -> ToolResult:
    caller.require(STATS_READ)
    allowance = limits.take(caller.api_key_id, tool.name, conf.rate_limit, now)
    try:
        values = parameters.validate(tool.parameters, arguments)
        if rule is not None:
            rule(values)
        with store.of_one_moment():
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


def _campaign_find(workspace: Workspace, values: Values, now: datetime) -> Json:
    return queries.find_campaigns(workspace, values.get("query", ()), values.get("status"), values["limit"], now)


def _user_find(workspace: Workspace, values: Values, now: datetime) -> Json:
    return queries.find_users(workspace, values.get("query", ()), values["limit"])


def _period_or_default(workspace: Workspace, values: Values, now: datetime) -> Period:
    """The period of the two dates. If one of them is missing, the default period is used."""
    if "from" in values and "to" in values:
        return Period(values["from"], values["to"])
    return Period.last_days(DEFAULT_DAYS, workspace.today(now))


_COUNTED = (
    "Only clicks by people are counted; mail scanners, link previews and repeated clicks are left out. "
    "Numbers are live. "
)
_LIMIT = "A key may make 30 calls a minute to each tool unless the server sets another limit; calls are logged."
_DEFAULT_PERIOD = (
    "Dates are local dates in the workspace's time zone, both ends included; today has the clicks so far. Without "
    "dates, or with only one of them, the period is the last 30 days ending today. "
)

# In the order of MCP's list. REST offers the first three; its own lists replace the tools that find ids.
TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "stats_get_workspace_overview",
            "Workspace overview for a period",
            "Return the click totals of the API key's whole workspace for a period, by kind; with a breakdown also the "
            "clicks of each day, week or month beside those of the previous period, and the 10 campaigns with the most "
            "clicks. Use it for totals, for trends over time, to compare a period with the one before, and to rank "
            "campaigns. For a single campaign use stats_get_campaign_performance, for a single person "
            "stats_get_user_metrics.\n\n"
            "Dates are local dates in the workspace's time zone, both are required and both are included. Today has "
            "the clicks so far; a week or month that is only partly in the period has only its days in the period. For "
            "whole calendar months the previous period is the same number of whole months just before, otherwise the "
            f"same number of days just before. {_COUNTED}totalClicks also has the clicks on other links than campaigns "
            f"and vCards; signals has all three kinds. A period without clicks gives zeros and no signals. {_LIMIT}",
            parameters.OverviewParameters,
            answers.OverviewAnswer,
            _overview,
        ),
        Tool(
            "stats_get_campaign_performance",
            "Performance of one campaign in a period",
            "Return the clicks of one campaign in a period, its share of all campaign clicks of the workspace, its "
            "best day, its status and how many users carry it now. Use it when a question is about one campaign; to "
            "compare two periods call it once for each (trend is always null). To rank campaigns or see them over "
            "time use stats_get_workspace_overview with a breakdown, for the clicks of one person "
            "stats_get_user_metrics.\n\n"
            f"{_DEFAULT_PERIOD}{_COUNTED}Without clicks in the period, clicks is 0 and bestDay null; the share is null "
            "when no campaign has any. An id that does not exist or is another workspace's gives the error not_found. "
            f"{_LIMIT}",
            parameters.CampaignParameters,
            answers.CampaignPerformanceAnswer,
            _campaign_performance,
        ),
        Tool(
            "stats_get_user_metrics",
            "Click metrics of one user in a period",
            "Return the clicks on the links in one user's e-mail signature in a period, by kind, and how many "
            "campaigns and aliases the user has now. Use it when a question is about one person; to compare two "
            "periods call it once for each. For the workspace as a whole use stats_get_workspace_overview, for one "
            "campaign stats_get_campaign_performance.\n\n"
            f"{_DEFAULT_PERIOD}{_COUNTED}A user without clicks in the period gives zeros. An id that does not exist or "
            "is another workspace's gives the error not_found. Where the server withholds figures of persons, or of "
            f"persons with few clicks, the error is person_figures_off. {_LIMIT}",
            parameters.UserParameters,
            answers.UserMetricsAnswer,
            _user_metrics,
        ),
        Tool(
            "campaign_find",
            "Find campaigns and their ids",
            "Find campaigns of the API key's workspace by words of their name or by status, newest first, each with "
            "the public id that stats_get_campaign_performance needs. Call it first when a question names a campaign, "
            "or to see which campaigns there are; it has no click numbers. For people use user_find.\n\n"
            "Returns at most 10. If it returns 10, there may be more: give more words or a status. If none match, the "
            "list is empty, which is not an error: try again with a single word or a part of one, or without a query. "
            f"{_LIMIT}",
            parameters.CampaignSearchParameters,
            answers.FoundCampaignsAnswer,
            _campaign_find,
        ),
        Tool(
            "user_find",
            "Find users and their ids",
            "Find users of the API key's workspace, the people whose e-mail signatures carry links, by words of their "
            "name, e-mail or alias, ordered by name, each with the public id that stats_get_user_metrics needs. Call "
            "it first when a question names a person; it has no click numbers. For campaigns use campaign_find.\n\n"
            "Returns at most 10, inactive users too. If it returns 10, there may be more: give more words. If none "
            "match, the list is empty, which is not an error: try again with a single word or a part of one. "
            f"{_LIMIT}",
            parameters.UserSearchParameters,
            answers.FoundUsersAnswer,
            _user_find,
        ),
    )
}
