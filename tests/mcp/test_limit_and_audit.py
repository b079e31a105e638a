"""One limit and one log for both surfaces."""

from __future__ import annotations

import pytest
from django.test import override_settings

from stats_app.models import ApiKey, ToolCall
from tests.factories import make_key, make_workspace
from tests.mcp.calls import ERAS, HANDSHAKE, STATELESS, answer, call
from tests.rest import OVERVIEW, get

pytestmark = pytest.mark.django_db

PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
TOOL = "stats_get_workspace_overview"


def test_calls_over_both_surfaces_use_up_the_same_limit() -> None:
    secret = make_key(make_workspace(), ["stats:read"])
    for _ in range(20):
        assert get(secret, OVERVIEW, PERIOD).status_code == 200
    for number in range(10):
        answer(secret, TOOL, PERIOD, ERAS[number % 2])
    for era in ERAS:
        assert call(secret, TOOL, PERIOD, era)["_meta"]["stats-tools/problem"]["code"] == "rate_limited"
    assert get(secret, OVERVIEW, PERIOD).status_code == 429
    outcomes = ToolCall.objects.values_list("surface", "outcome")
    assert sorted(outcomes) == (
        [("mcp", "ok")] * 10 + [("mcp", "rate_limited")] * 2 + [("rest", "ok")] * 20 + [("rest", "rate_limited")]
    )


@override_settings(STATS_APP={"RATE_LIMIT": 1})
def test_wrong_calls_use_it_up_too() -> None:
    secret = make_key(make_workspace(), ["stats:read"])
    assert call(secret, TOOL, {})["_meta"]["stats-tools/problem"]["code"] == "invalid_parameters"
    assert call(secret, TOOL, PERIOD)["_meta"]["stats-tools/problem"]["code"] == "rate_limited"


def test_a_call_is_logged_with_who_made_it() -> None:
    workspace = make_workspace()
    secret = make_key(workspace, ["stats:read"])
    answer(secret, TOOL, PERIOD, STATELESS)
    answer(secret, TOOL, PERIOD | {"breakdown": None}, HANDSHAKE, **{"user-agent": "claude-code/2.1"})
    answer(secret, "user_find", {"query": "x"}, HANDSHAKE)
    key = ApiKey.objects.get()
    rows = ToolCall.objects.order_by("pk").values_list(
        "workspace_id", "api_key_id", "tool", "surface", "client", "arguments", "outcome"
    )
    assert list(rows) == [
        (workspace.pk, key.pk, TOOL, "mcp", "tests/7", PERIOD, "ok"),
        (workspace.pk, key.pk, TOOL, "mcp", "claude-code/2.1", PERIOD, "ok"),
        (workspace.pk, key.pk, "user_find", "mcp", "", {"query": "x"}, "ok"),
    ]


def test_secrets_in_arguments_are_not_logged() -> None:
    secret = make_key(make_workspace(), ["stats:read"])
    text = str(call(secret, "campaign_find", {"query": secret, secret: 1}))
    assert secret not in text
    [row] = ToolCall.objects.all()
    assert secret not in str(row.arguments)
