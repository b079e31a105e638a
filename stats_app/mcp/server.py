"""The tools as an MCP server: their list, their answers, and their errors, which are results marked as errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, Protocol, cast

from asgiref.sync import sync_to_async
from django.utils.timezone import now
from mcp.server import ServerRequestContext
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ListedTool
from starlette.requests import Request

from stats_app import __version__, database_errors, errors, schemas, tools
from stats_app.keys import Caller
from stats_app.mcp.bridge import ARGUMENTS, CALLER
from stats_app.mcp.texts import FINDERS, INSTRUCTIONS, MAX_BUCKETS, NOTES
from stats_app.models.audit import MCP
from stats_app.parameters import given
from stats_app.periods import BREAKDOWNS, Period
from stats_app.tools import TOOLS, Tool, Values

Context = ServerRequestContext[Any, Any]


class Transport(Protocol):
    """The way in which requests arrive, HTTP or standard input. Returns what the SDK does not know about a request."""

    def caller(self, context: Context) -> AbstractContextManager[Caller]:
        """The caller, while the request is being answered. Entered in a thread that may use the database."""

    def arguments_with_repeated_keys(self, context: Context) -> dict[str, Any] | None:
        """The arguments of the call as they were sent, if keys in them are repeated."""


TOOL_LIST_TTL_MS = 5 * 60 * 1000
PROBLEM = "stats-tools/problem"
"""The key in a failed result's `_meta` that holds the error for programs."""

logger = logging.getLogger(__name__)


def make_server(transport: Transport) -> Server[Any]:
    """The stats tools."""

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return await sync_to_async(tool_list, thread_sensitive=True)()

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        if params.name not in TOOLS:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {errors.shown(params.name)}")
        tool = TOOLS[params.name]
        arguments = transport.arguments_with_repeated_keys(context) or params.arguments or {}
        return await sync_to_async(_result, thread_sensitive=True)(tool, arguments, context, transport)

    return Server(
        "stats-tools",
        title="Stats Tools",
        version=__version__,
        instructions=INSTRUCTIONS,
        cache_hints={"tools/list": CacheHint(TOOL_LIST_TTL_MS, "public")},
        # Without this the SDK builds the whole list of tools at each call, to read one schema.
        get_tool_input_schema=lambda name: _input_schema(TOOLS[name]) if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


@cache
def tool_list() -> ListToolsResult:
    """All tools, in a fixed order. The list is the same for every caller."""
    annotations = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    listed = [
        ListedTool(
            name=tool.name,
            title=tool.title,
            description=f"{tool.description} {NOTES.get(tool.name, '')}".strip(),
            input_schema=_input_schema(tool),
            output_schema=schemas.output_schema(tool),
            annotations=annotations,
        )
        for tool in TOOLS.values()
    ]
    return ListToolsResult(tools=listed)


def _input_schema(tool: Tool) -> dict[str, Any]:
    schema = schemas.input_schema(tool)
    for parameter, finder in FINDERS.items():
        if parameter in schema["properties"]:
            schema["properties"][parameter]["description"] += f" Look it up with {finder}."
    return schema


def _result(tool: Tool, arguments: dict[str, Any], context: Context, transport: Transport) -> CallToolResult:
    """The answer, or a failed result. Never raises, because the SDK sends the text of an exception to the client."""
    try:
        with transport.caller(context) as caller:
            answer = tools.call(
                tool.name,
                caller,
                given(tool.parameters, arguments),
                surface=MCP,
                client=_client(context),
                now=now(),
                rule=check_buckets,
            )
    except errors.StatsError as error:
        return _failure(error.code, f"{error} {_advice(tool, error)}".strip(), _details(error))
    except Exception as error:
        kind = database_errors.unavailability(error)
        if kind is not None:
            seconds = database_errors.RETRY_AFTER_SECONDS
            text = f"{database_errors.TEXTS[kind]} Wait {seconds} s, then call again."
            return _failure("unavailable", text, {"retryAfterSeconds": seconds})
        logger.exception("Unexpected error in %s", tool.name)
        return _failure("internal_error", "Something went wrong on our side; it has been logged. Call again later.")
    text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(text=text)], structured_content=answer.body)


def _client(context: Context) -> str:
    """The name of the calling program, or else its User-Agent. Before version 2026-07-28 of the protocol, only the
    handshake contains the name."""
    params = context.session.client_params
    if params is not None:
        return f"{params.client_info.name}/{params.client_info.version}"
    return context.request.headers.get("user-agent", "") if context.request is not None else ""


def check_buckets(values: Values) -> None:
    """Raises InvalidParameters for an answer with so many buckets that clients would truncate it."""
    breakdown = values.get("breakdown", "none")
    if breakdown == "none":
        return
    period = Period(values["from"], values["to"])
    number = len(period.buckets(breakdown))
    if number <= MAX_BUCKETS:
        return
    coarser = BREAKDOWNS[BREAKDOWNS.index(breakdown) + 1 :]
    fitting = next(other for other in coarser if len(period.buckets(other)) <= MAX_BUCKETS)
    message = (
        f"breakdown {breakdown} makes {number} buckets from {period.start} to {period.end}, and an answer has at most "
        f"{MAX_BUCKETS}; use breakdown {fitting}, or a shorter period."
    )
    raise errors.InvalidParameters([errors.FieldError("breakdown", "out_of_range", message)])


def _advice(tool: Tool, error: errors.StatsError) -> str:
    """What the client can do about an error whose own text does not say it."""
    match error:
        case errors.RateLimited():
            return f"Wait {error.retry_after} s, then call again."
        case errors.PermissionDenied():
            return "Calling again does not help: ask for a key with that scope."
        case errors.PersonFiguresOff():
            return (
                "Calling again for the same period does not help: ask for the whole workspace with "
                "stats_get_workspace_overview, or for a campaign with stats_get_campaign_performance."
            )
        case errors.NotAuthenticated():
            return "The key of this server is no longer valid: ask for a new one."
        case errors.NotFound():
            names = list(tool.parameters().fields)
        case errors.InvalidParameters():
            names = [wrong.field for wrong in error.errors]
        case _:
            return ""
    return " ".join(f"Look the id up with {FINDERS[name]}." for name in names if name in FINDERS)


def _details(error: errors.StatsError) -> dict[str, Any]:
    match error:
        case errors.InvalidParameters():
            return {"errors": [wrong.as_dict() for wrong in error.errors]}
        case errors.RateLimited():
            return {"retryAfterSeconds": error.retry_after}
        case _:
            return {}


def _failure(code: str, text: str, details: dict[str, Any] | None = None) -> CallToolResult:
    problem = {"code": code, **(details or {})}
    return CallToolResult(content=[TextContent(text=text)], is_error=True, _meta={PROBLEM: problem})


class _Http:
    """A request over HTTP. The view has put the caller and the arguments into the request's scope."""

    @contextmanager
    def caller(self, context: Context) -> Iterator[Caller]:
        yield cast(Request, context.request).scope[CALLER]

    def arguments_with_repeated_keys(self, context: Context) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", cast(Request, context.request).scope[ARGUMENTS])


HTTP_SERVER = make_server(_Http())
