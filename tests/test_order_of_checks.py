"""The order of checks: 401, 403 for the scope, 429, 400, 404, over every operation of the API and every MCP tool.

The operations are those of the OpenAPI document: a new one is walked by itself. Each call here is wrong in every way
that is checked after the one that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse

from stats_app import public_ids
from stats_app.api import schema, urls
from stats_app.conf import DEFAULTS
from stats_app.models import CallWindow, ToolCall, Workspace
from stats_app.models.api_keys import SCOPES
from stats_app.tools import TOOLS
from tests.factories import make_key, make_workspace
from tests.mcp.calls import ERAS, ask, call
from tests.rest import request

pytestmark = pytest.mark.django_db

MISSING = {"campaignPublicId": public_ids.new_campaign_id(), "userPublicId": public_ids.new_user_id()}
LIMITS = [name for name in DEFAULTS if name.endswith("RATE_LIMIT")]


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    scope: str
    takes_body: bool

    @property
    def has_row(self) -> bool:
        return "{" in self.path

    def wrong(self, secret: str | None) -> HttpResponse:
        """A call with a malformed id, an unknown parameter, and a body that is not JSON."""
        return self._call(secret, dict.fromkeys(MISSING, "x"), "nonsense=1", "{")

    def of_nothing_known(self, secret: str | None, query: dict[str, str] | None = None) -> HttpResponse:
        """A right call about a campaign or user that does not exist, and with a query perhaps a wrong one."""
        return self._call(secret, MISSING, query, "")

    def _call(self, secret: str | None, ids: dict[str, str], query: Any, body: str) -> HttpResponse:
        return request(self.method.upper(), secret, self.path.format(**ids), query, body=body)


OPERATIONS = [
    Operation(described["operationId"], method, path, described["security"][0]["apiKey"][0], "requestBody" in described)
    for path, methods in schema.document(urls.router.urls, "/api/v1/")["paths"].items()
    for method, described in methods.items()
]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
each_tool = pytest.mark.parametrize("tool", TOOLS)
each_era = pytest.mark.parametrize("era", ERAS)


@pytest.fixture(autouse=True)
def _one_call(settings: Any) -> None:
    limit_all(settings, 1)


def limit_all(settings: Any, limit: int) -> None:
    settings.STATS_APP = dict.fromkeys(LIMITS, limit)


def without(scope: str) -> list[str]:
    return [other for other in SCOPES if other != scope]


def told(response: HttpResponse) -> tuple[int, str]:
    """The status and code of an error, which is a problem as every other one."""
    body = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert body["status"] == response.status_code
    return response.status_code, body["code"]


def outcomes(workspace: Workspace) -> list[str]:
    return list(ToolCall.objects.filter(workspace=workspace).order_by("pk").values_list("outcome", flat=True))


def test_the_walk_goes_over_operations_of_each_kind() -> None:
    assert {operation.method for operation in OPERATIONS} == {"get", "post"}
    assert {operation.has_row for operation in OPERATIONS} == {True, False}
    assert {operation.name for operation in OPERATIONS} & TOOLS.keys()


@each_operation
def test_first_the_key(operation: Operation) -> None:
    workspace = make_workspace()
    assert told(operation.wrong(None)) == (401, "not_authenticated")
    assert told(operation.wrong("sk_wrong")) == (401, "not_authenticated")
    assert (CallWindow.objects.exists(), outcomes(workspace)) == (False, [])


@each_operation
def test_then_the_scope(operation: Operation) -> None:
    workspace = make_workspace()
    secret = make_key(workspace, without(operation.scope))
    for _ in range(2):
        assert told(operation.wrong(secret)) == (403, "permission_denied")
    assert not CallWindow.objects.exists(), "a call that lacks the scope uses nothing up"
    assert outcomes(workspace) == (["permission_denied"] * 2 if operation.name in TOOLS else [])


@each_operation
def test_then_the_limit_which_wrong_calls_use_up(operation: Operation) -> None:
    workspace = make_workspace()
    secret = make_key(workspace, [operation.scope])
    first = operation.wrong(secret)
    assert told(first) == (400, "invalid_parameters")
    assert "r=0;" in first.headers["RateLimit"]
    limited = operation.wrong(secret)
    assert told(limited) == (429, "rate_limited")
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    audited = ["invalid_parameters", "rate_limited"]
    assert outcomes(workspace) == (audited if operation.name in TOOLS else [])


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.has_row], ids=lambda one: one.name)
def test_then_the_input_and_last_the_row(operation: Operation, settings: Any) -> None:
    limit_all(settings, 2)
    workspace = make_workspace()
    secret = make_key(workspace, [operation.scope])
    assert told(operation.of_nothing_known(secret, {"nonsense": "1"})) == (400, "invalid_parameters")
    assert told(operation.of_nothing_known(secret)) == (404, "not_found")
    assert told(operation.of_nothing_known(secret)) == (429, "rate_limited")
    audited = ["invalid_parameters", "not_found", "rate_limited"]
    assert outcomes(workspace) == (audited if operation.name in TOOLS else [])


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.takes_body], ids=lambda one: one.name)
def test_a_body_that_is_not_taken_uses_up_the_limit(operation: Operation) -> None:
    secret = make_key(make_workspace(), [operation.scope])
    sent: dict[str, Any] = {"body": "id;kind", "content_type": "text/csv"}
    assert told(request("POST", secret, operation.path, **sent)) == (415, "unsupported_media_type")
    assert told(request("POST", secret, operation.path, **sent)) == (429, "rate_limited")


@each_operation
def test_another_method_is_told_only_to_a_good_key(operation: Operation) -> None:
    path = operation.path.format(**MISSING)
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        assert told(request(method, None, path)) == (401, "not_authenticated")
        assert told(request(method, make_key(make_workspace()), path)) == (405, "method_not_allowed")


def problem_of(secret: str, tool: str, arguments: dict[str, Any], era: str) -> str:
    result = call(secret, tool, arguments, era)
    assert result["isError"]
    code: str = result["_meta"]["stats-tools/problem"]["code"]
    return code


@each_tool
@each_era
def test_mcp_checks_in_the_same_order(tool: str, era: str) -> None:
    workspace = make_workspace()
    arguments = {"nonsense": 1}
    refused = ask(None, "tools/call", {"name": tool, "arguments": arguments}, era)
    assert (refused.status_code, outcomes(workspace)) == (401, [])
    narrow = make_key(workspace, without("stats:read"))
    assert [problem_of(narrow, tool, arguments, era) for _ in range(2)] == ["permission_denied"] * 2
    assert not CallWindow.objects.exists()
    secret = make_key(workspace, ["stats:read"])
    calls = [problem_of(secret, tool, arguments, era) for _ in range(2)]
    assert calls == ["invalid_parameters", "rate_limited"]
    assert outcomes(workspace) == ["permission_denied"] * 2 + calls


@pytest.mark.parametrize("tool", [name for name, tool in TOOLS.items() if MISSING.keys() & tool.parameters().fields])
@each_era
def test_mcp_looks_for_the_row_last(tool: str, era: str, settings: Any) -> None:
    limit_all(settings, 2)
    workspace = make_workspace()
    secret = make_key(workspace, ["stats:read"])
    arguments = {name: MISSING[name] for name in TOOLS[tool].parameters().fields if name in MISSING}
    calls = [
        problem_of(secret, tool, arguments | {"nonsense": 1}, era),
        problem_of(secret, tool, arguments, era),
        problem_of(secret, tool, arguments, era),
    ]
    assert calls == ["invalid_parameters", "not_found", "rate_limited"] == outcomes(workspace)
