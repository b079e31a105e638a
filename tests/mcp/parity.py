"""Compares a tool's answer over REST with its answer over MCP, and with the declared schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import jsonschema
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import override_settings

from stats_app import schemas
from stats_app.tools import TOOLS
from tests.mcp.calls import ERAS, call

TOOL_PATHS = (
    ("stats_get_workspace_overview", "/api/v1/workspace/overview/"),
    ("stats_get_campaign_performance", "/api/v1/campaigns/(?P<campaignPublicId>[^/]+)/performance/"),
    ("stats_get_user_metrics", "/api/v1/users/(?P<userPublicId>[^/]+)/metrics/"),
)
# Other errors are about HTTP, or depend on the time.
STATUSES = (200, 400, 403, 404)


def hold_against_mcp(
    secret: str | None, url: str, query: Mapping[str, Any] | str | None, response: HttpResponse
) -> None:
    """Asks the same over MCP, in both eras, and leaves no trace of it: neither in the limits nor in the audit log.

    Calls whose statements a test counts, watches or breaks are left alone.
    """
    tool, path = tool_of(url)
    if response.status_code not in STATUSES or connection.queries_logged or connection.execute_wrappers:
        return
    given = parse_qsl(query, keep_blank_values=True) if isinstance(query, str) else list((query or {}).items())
    arguments = path | dict(given)
    if len(arguments) < len(path) + len(given) or any(isinstance(value, list) for value in arguments.values()):
        return  # a repeated parameter, which `calls` cannot express
    if "" in (arguments.get(name) for name, field in TOOLS[tool].parameters().fields.items() if not field.required):
        return  # an empty one, which over MCP is one that is not given
    expected = response.json()
    if response.status_code == 200:
        validator(tool).validate(expected)
    limits = {"STATS_APP": getattr(settings, "STATS_APP", {}) | {"RATE_LIMIT": None}}
    for era in ERAS:
        with override_settings(**limits), transaction.atomic():
            result = call(secret, tool, {name: str(value) for name, value in arguments.items()}, era)
            transaction.set_rollback(True)
        assert_same(expected, result)


def tool_of(url: str) -> tuple[str, dict[str, str]]:
    """The tool at an address, and the parameters in its path."""
    for tool, pattern in TOOL_PATHS:
        match = re.fullmatch(pattern, url)
        if match:
            return tool, {name: unquote(value) for name, value in match.groupdict().items()}
    raise AssertionError(f"There is no tool at {url}.")


def assert_same(rest: dict[str, Any], result: dict[str, Any]) -> None:
    if not result["isError"]:
        over_mcp = result["structuredContent"]
        assert json.dumps(over_mcp | {"generatedAt": ""}) == json.dumps(rest | {"generatedAt": ""})
        return
    problem = result["_meta"]["stats-tools/problem"]
    if " buckets from " in result["content"][0]["text"]:
        assert len(rest["breakdown"]["chart"]["labels"]["current"]) > 400
        return
    assert problem == {name: rest[name] for name in ("code", "errors") if name in rest}
    assert result["content"][0]["text"].startswith(rest["detail"])


@cache
def validator(tool: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        schemas.output_schema(TOOLS[tool]), format_checker=jsonschema.FormatChecker()
    )
