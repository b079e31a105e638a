"""The audit log: one row for each tool call, good or failed."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils.timezone import now

from stats_app import public_ids, tools
from stats_app.errors import InvalidParameters
from stats_app.keys import authenticate
from stats_app.models import Workspace
from stats_app.models.api_keys import CLICKS_READ
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.rest import CAMPAIGNS, CLICKS, OVERVIEW, USERS, get, post, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
TOOL = "stats_get_workspace_overview"
COLUMNS = ("tool", "surface", "client", "arguments", "outcome", "called_at")


def rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    return [*workspace.tool_calls.order_by("pk").values_list(*COLUMNS)]


def arguments(workspace: Workspace) -> Any:
    return workspace.tool_calls.latest("pk").arguments


def test_each_call_of_each_tool_leaves_one_row() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace).public_id, make_user(workspace).public_id
    key = make_key(workspace)
    get(key, OVERVIEW, PERIOD | {"breakdown": "day"}, **{"User-Agent": "curl/8.0"})
    get(key, f"{CAMPAIGNS}{campaign}/performance/")
    get(key, f"{USERS}{user}/metrics/", {"from": "2026-03-01"})
    assert rows(workspace) == [
        (TOOL, "rest", "curl/8.0", PERIOD | {"breakdown": "day"}, "ok", NOW),
        ("stats_get_campaign_performance", "rest", "", {"campaignPublicId": campaign}, "ok", NOW),
        ("stats_get_user_metrics", "rest", "", {"userPublicId": user, "from": "2026-03-01"}, "ok", NOW),
    ]
    call = workspace.tool_calls.latest("pk")
    assert call.api_key == workspace.api_keys.get()
    assert 0 <= call.duration_ms < 60_000


def test_failed_calls_leave_one_row_each(settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": 3}
    workspace = make_workspace()
    other = public_ids.new_workspace_id()
    key, blind = make_key(workspace), make_key(workspace, [CLICKS_READ])
    get(blind, OVERVIEW, PERIOD)
    get(key, OVERVIEW, "from=x&from=y&z=1")
    get(key, OVERVIEW, PERIOD | {"workspacePublicId": other})
    get(key, OVERVIEW, PERIOD)
    get(key, OVERVIEW, PERIOD)
    missing = public_ids.new_campaign_id()
    get(key, f"{CAMPAIGNS}{missing}/performance/")
    get(key, f"{CAMPAIGNS}nonsense/performance/")
    performance = "stats_get_campaign_performance"
    assert [(row[0], row[3], row[4]) for row in rows(workspace)] == [
        (TOOL, PERIOD, "permission_denied"),
        (TOOL, {"from": ["x", "y"], "z": "1"}, "invalid_parameters"),
        (TOOL, PERIOD | {"workspacePublicId": other}, "workspace_mismatch"),
        (TOOL, PERIOD, "ok"),
        (TOOL, PERIOD, "rate_limited"),
        (performance, {"campaignPublicId": missing}, "not_found"),
        (performance, {"campaignPublicId": "nonsense"}, "invalid_parameters"),
    ]


def test_what_is_no_tool_leaves_none() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    for url in (CAMPAIGNS, USERS, CLICKS):
        get(key, url)
    post(key, {"clicks": []})
    assert rows(workspace) == []


def test_a_call_is_logged_in_the_workspace_of_its_key() -> None:
    mine, theirs = make_workspace(), make_workspace()
    get(make_key(mine), OVERVIEW, PERIOD | {"workspacePublicId": theirs.public_id})
    assert (len(rows(mine)), len(rows(theirs))) == (1, 0)


@pytest.mark.parametrize(
    ("query", "stored"),
    [
        ("from=a%00b", {"from": "a\\u0000b"}),
        ("%00=1", {"\\u0000": "1"}),
        ("from=%ED%A0%80", {"from": "���"}),
        ("from=%F0%9F%98%80%C3%A9", {"from": "😀é"}),
        ("from=%5Cu0000", {"from": "\\u0000"}),
        ('from="};--', {"from": '"};--'}),
    ],
    ids=ascii,
)
def test_whatever_is_sent_can_be_stored(query: str, stored: dict[str, str]) -> None:
    workspace = make_workspace()
    assert get(make_key(workspace), OVERVIEW, query).status_code == 400
    assert arguments(workspace) == stored


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (
            {"from": "\ud800x\udfff", "\x00": [{"\ud83d": None}]},
            {"from": "\\ud800x\\udfff", "\\u0000": [{"\\ud83d": None}]},
        ),
        ({"from": 1.5, "to": True}, {"from": 1.5, "to": True}),
        ({"from": float("nan"), "to": [float("-inf")]}, {"from": "nan", "to": ["-inf"]}),
    ],
    ids=ascii,
)
def test_other_surfaces_may_send_any_json(sent: dict[str, Any], stored: dict[str, Any]) -> None:
    workspace = make_workspace()
    caller = authenticate(make_key(workspace), now())
    with pytest.raises(InvalidParameters):
        tools.call(TOOL, caller, sent, surface="mcp", now=now())
    assert arguments(workspace) == stored


def test_arguments_nested_too_deeply_do_not_change_the_answer() -> None:
    workspace = make_workspace()
    caller = authenticate(make_key(workspace), now())
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidParameters) as error:
        tools.call(TOOL, caller, {"from": deep, "to": "2026-03-01"}, surface="mcp", now=now())
    assert str(error.value) == "from must be a date as Y-m-d, not a list."
    assert arguments(workspace) == {"truncated": "nested too deeply"}


@pytest.mark.parametrize("character", ["x", "é", "😀", "\\", '"', "\x00"], ids=ascii)
def test_at_most_8_kib_of_arguments_are_stored(character: str) -> None:
    workspace = make_workspace()
    caller = authenticate(make_key(workspace), now())
    with pytest.raises(InvalidParameters):
        tools.call(TOOL, caller, {"from": character * 100_000}, surface="mcp", now=now())
    stored = arguments(workspace)
    assert list(stored) == ["truncated"]
    assert stored["truncated"].startswith('{"from": "')
    size = len(json.dumps(stored, ensure_ascii=False).encode())
    assert 2_000 < size <= 8 * 1024


def test_arguments_of_8_kib_are_stored_whole() -> None:
    workspace = make_workspace()
    text = "x" * (8 * 1024 - len('{"from": ""}'))
    get(make_key(workspace), OVERVIEW, {"from": text})
    assert arguments(workspace) == {"from": text}


def test_a_long_client_is_clipped() -> None:
    workspace = make_workspace()
    get(make_key(workspace), OVERVIEW, PERIOD, **{"User-Agent": "a" * 500 + "\x00"})
    assert workspace.tool_calls.get().client == "a" * 200


def test_a_secret_is_never_stored_nor_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    workspace = make_workspace()
    key = make_key(workspace)
    replies = [
        get(key, OVERVIEW, PERIOD | {"api_key": key}),
        get(key, OVERVIEW, {"from": key, "to": f"x{key}y"}),
        get(key, OVERVIEW, {key: "1"}),
        get(key, OVERVIEW, f"{key}=1&{key}=2", **{"User-Agent": f"client {key}"}),
        get(key, f"{CAMPAIGNS}{key}/performance/"),
        get(key, CLICKS, {"kind": key, key: key}),
        get(key, CLICKS, {"cursor": key}),
        post(key, {"kind": key}),
        post(key, {key: key}),
    ]
    assert [reply.status_code for reply in replies] == [400] * 7 + [200] * 2
    secret_part = key.split("_", 2)[2]
    assert [secret_part in reply.content.decode() for reply in replies] == [False] * 9
    stored = [*workspace.tool_calls.order_by("pk").values_list("arguments", "client")]
    assert stored == [
        (PERIOD | {"api_key": "sk_…"}, ""),
        ({"from": "sk_…", "to": "xsk_…"}, ""),
        ({"sk_…": "1"}, ""),
        ({"sk_…": ["1", "2"]}, "client sk_…"),
        ({"campaignPublicId": "sk_…"}, ""),
    ]
    assert secret_part not in caplog.text.replace(f"/{key}/", "")


def _failing(error: Exception, table: str) -> Any:
    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql:
            raise error
        return execute(sql, params, many, context)

    return connection.execute_wrapper(fail)


@pytest.mark.parametrize("error", [DatabaseError("no room"), OperationalError("gone"), ValueError("odd")])
def test_a_failing_audit_is_logged_and_changes_no_answer(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    expected = get(key, OVERVIEW, PERIOD).json()
    with _failing(error, "stats_app_toolcall"):
        good = get(key, OVERVIEW, PERIOD)
        bad = get(key, OVERVIEW)
    assert (good.status_code, good.json(), bad.status_code) == (200, expected, 400)
    assert len(rows(workspace)) == 1
    records = [record for record in caplog.records if record.name == "stats_app.audit"]
    assert [record.levelname for record in records] == ["ERROR", "ERROR"]
    assert TOOL in records[0].getMessage()


@pytest.mark.parametrize(
    ("error", "outcome", "status", "body"),
    [
        (
            RuntimeError("secret internals"),
            "internal_error",
            500,
            problem(500, "internal_error", "Internal error", "Something went wrong on our side; it has been logged."),
        ),
        (
            OperationalError("secret internals"),
            "unavailable",
            503,
            problem(503, "unavailable", "Unavailable", "The database cannot be reached; try again."),
        ),
    ],
)
def test_an_unexpected_failure_leaves_a_row_and_shows_nothing_of_itself(
    error: Exception, outcome: str, status: int, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    with _failing(error, "stats_app_rollup"):
        response = get(key, OVERVIEW, PERIOD)
    assert (response.status_code, response.json()) == (status, body)
    assert [row[4] for row in rows(workspace)] == [outcome]
    assert "secret internals" in caplog.text
