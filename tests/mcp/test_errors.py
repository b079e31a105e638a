"""Errors in a tool, in both versions of the protocol: a result that says what is wrong, and what to do."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from stats_app.models import ToolCall
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.mcp.calls import ERAS, answer, ask, call, failure

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("era", ERAS)]

OVERVIEW = "stats_get_workspace_overview"
CAMPAIGN = "stats_get_campaign_performance"
USER = "stats_get_user_metrics"

NO_ID = "0123456789abcdefghjkmnpqrs"


@pytest.fixture
def secret() -> str:
    return make_key(make_workspace(), ["stats:read"])


def wrong(text: str, field: str, code: str = "invalid", advice: str = "") -> dict[str, Any]:
    return failure(
        f"{text} {advice}".strip(),
        "invalid_parameters",
        errors=[{"field": field, "code": code, "message": text}],
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        (
            OVERVIEW,
            {"from": "2026-04-02", "to": "2026-03-31"},
            wrong("from 2026-04-02 is after to 2026-03-31; swap them.", "from"),
        ),
        (
            OVERVIEW,
            {"from": "03/01/2026", "to": "2026-03-31"},
            wrong('from must be a date as Y-m-d, not "03/01/2026".', "from"),
        ),
        (
            OVERVIEW,
            {"to": "2026-03-31"},
            wrong("from is required: a date as Y-m-d, such as 2026-03-31.", "from", "required"),
        ),
        (
            OVERVIEW,
            {"from": None, "to": "2026-03-31"},
            wrong("from is required: a date as Y-m-d, such as 2026-03-31.", "from", "required"),
        ),
        (
            OVERVIEW,
            {"from": 20260301, "to": "2026-03-31"},
            wrong("from must be a date as Y-m-d, not 20260301.", "from"),
        ),
        (
            OVERVIEW,
            {"from": "2026-03-01", "to": "2026-03-31", "breakdown": "year"},
            wrong('breakdown must be one of none, day, week, month, not "year".', "breakdown"),
        ),
        (
            OVERVIEW,
            {"from": "2026-03-01", "to": "2026-03-31", "start": "x"},
            wrong(
                '"start" is not a parameter; the parameters are from, to, breakdown, workspacePublicId.',
                "start",
                "unknown",
            ),
        ),
        (
            OVERVIEW,
            {"from": "2026-03-01", "to": "2026-03-31", "start": None},
            wrong(
                '"start" is not a parameter; the parameters are from, to, breakdown, workspacePublicId.',
                "start",
                "unknown",
            ),
        ),
        (
            CAMPAIGN,
            {"campaignPublicId": "Spring launch"},
            wrong(
                'campaignPublicId must be cp_ and 26 characters of a lowercase ULID, not "Spring launch".',
                "campaignPublicId",
                advice="Look the id up with campaign_find.",
            ),
        ),
        (
            USER,
            {},
            wrong(
                "userPublicId is required: usr_ and 26 characters of a lowercase ULID, such as "
                "usr_01jzk3f8q2v6x9w4r7t5n0m1ab.",
                "userPublicId",
                "required",
                advice="Look the id up with user_find.",
            ),
        ),
        (
            USER,
            {"userPublicId": f"usr_{NO_ID}"},
            failure(
                f'No user with the id "usr_{NO_ID}" in this workspace. Look the id up with user_find.', "not_found"
            ),
        ),
        (
            OVERVIEW,
            {"from": "2026-03-01", "to": "2026-03-31", "workspacePublicId": NO_ID},
            failure("workspacePublicId is not the workspace of this API key; leave it out.", "workspace_mismatch"),
        ),
    ],
)
def test_it_says_what_is_wrong(
    secret: str, era: str, tool: str, arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert call(secret, tool, arguments, era) == expected
    [row] = ToolCall.objects.values("tool", "surface", "outcome")
    problem = expected["_meta"]["stats-tools/problem"]
    assert row == {"tool": tool, "surface": "mcp", "outcome": problem["code"]}


def test_another_workspace_s_ids_are_not_found(secret: str, era: str) -> None:
    theirs = make_workspace()
    campaign, user = make_campaign(theirs).public_id, make_user(theirs).public_id
    assert call(secret, CAMPAIGN, {"campaignPublicId": campaign}, era) == failure(
        f'No campaign with the id "{campaign}" in this workspace. Look the id up with campaign_find.', "not_found"
    )
    assert call(secret, USER, {"userPublicId": user}, era) == failure(
        f'No user with the id "{user}" in this workspace. Look the id up with user_find.', "not_found"
    )


def test_a_key_without_the_scope_is_told_so(era: str) -> None:
    secret = make_key(make_workspace(), ["clicks:write"])
    for tool in (OVERVIEW, CAMPAIGN, USER, "campaign_find", "user_find"):
        assert call(secret, tool, {}, era) == failure(
            "This API key lacks the scope stats:read. Calling again does not help: ask for a key with that scope.",
            "permission_denied",
        )


@override_settings(STATS_APP={"RATE_LIMIT": 2})
def test_a_call_too_many_is_told_when_the_next_one_passes(secret: str, era: str) -> None:
    answer(secret, "campaign_find", era=era)
    answer(secret, "campaign_find", era=era)
    result = call(secret, "campaign_find", era=era)
    seconds = result["_meta"]["stats-tools/problem"]["retryAfterSeconds"]
    assert 1 <= seconds <= 60
    assert result == failure(
        f"More than 2 calls in 60 seconds to campaign_find; the next one is allowed in {seconds} s. "
        f"Wait {seconds} s, then call again.",
        "rate_limited",
        retryAfterSeconds=seconds,
    )
    assert answer(secret, "user_find", era=era) == {"users": []}


@pytest.mark.parametrize(
    ("breakdown", "start", "end", "number", "fitting"),
    [
        ("day", "2026-01-01", "2027-02-05", 401, "week"),
        ("day", "2016-01-01", "2026-01-01", 3654, "month"),
        ("week", "2016-01-04", "2023-09-04", 401, "month"),
    ],
)
def test_a_chart_that_clients_would_cut_off_is_refused(
    secret: str, era: str, breakdown: str, start: str, end: str, number: int, fitting: str
) -> None:
    arguments = {"from": start, "to": end, "breakdown": breakdown}
    text = (
        f"breakdown {breakdown} makes {number} buckets from {start} to {end}, and an answer has at most 400; "
        f"use breakdown {fitting}, or a shorter period."
    )
    assert call(secret, OVERVIEW, arguments, era) == wrong(text, "breakdown", "out_of_range")
    chart = answer(secret, OVERVIEW, arguments | {"breakdown": fitting}, era)["breakdown"]["chart"]
    assert len(chart["datasets"]["current"]) <= 400


def test_four_hundred_buckets_are_answered(secret: str, era: str) -> None:
    arguments = {"from": "2026-01-01", "to": "2027-02-04", "breakdown": "day"}
    assert len(answer(secret, OVERVIEW, arguments, era)["breakdown"]["chart"]["labels"]["current"]) == 400


def test_an_unknown_tool_is_a_protocol_error(secret: str, era: str) -> None:
    response = ask(secret, "tools/call", {"name": "stats_delete_everything", "arguments": {}}, era)
    assert response.json() == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32602, "message": 'Unknown tool: "stats_delete_everything"'},
    }
    assert not ToolCall.objects.exists()


def test_arguments_that_are_no_object_are_a_protocol_error(secret: str, era: str) -> None:
    response = ask(secret, "tools/call", {"name": OVERVIEW, "arguments": ["2026-03-01"]}, era)
    assert response.json()["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            RuntimeError("the secret formula"),
            "internal_error",
            "Something went wrong on our side; it has been logged. Call again later.",
        ),
        (
            OperationalError("the secret formula"),
            "unavailable",
            "The database cannot be reached; try again. Wait 5 s, then call again.",
        ),
    ],
)
def test_an_unexpected_failure_shows_nothing_of_itself_and_is_logged(
    secret: str, era: str, caplog: pytest.LogCaptureFixture, error: Exception, code: str, text: str
) -> None:
    def fail(execute: Any, sql: str, *arguments: Any) -> Any:
        if "stats_app_campaign" in sql:
            raise error
        return execute(sql, *arguments)

    with caplog.at_level(logging.ERROR), connection.execute_wrapper(fail):
        response = ask(secret, "tools/call", {"name": "campaign_find", "arguments": {}}, era)
    assert b"formula" not in response.content
    assert b"Traceback" not in response.content
    result = response.json()["result"]
    assert (result["isError"], result["content"]) == (True, [{"type": "text", "text": text}])
    assert result["_meta"]["stats-tools/problem"]["code"] == code
    assert "the secret formula" in caplog.text
    assert "Traceback" in caplog.text
    assert list(ToolCall.objects.values_list("outcome", flat=True)) == [code]
