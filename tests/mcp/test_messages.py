"""Bodies that are no message of JSON-RPC: an error -32600 in plain words, in every version of the protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_app.models import ToolCall
from tests.factories import make_key, make_workspace
from tests.mcp.calls import ERAS, HANDSHAKE, STATELESS, message, post
from tests.mcp.live import answers_over_stdio

ONE = "The body must be one message, a JSON object, not"
RESPONSE = "A response must have an id, and either an object result or an error."
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PING.items() if key != name}


WRONG: list[tuple[Any, str, int | None]] = [
    ([], f"{ONE} an empty list.", None),
    ([PING], f"{ONE} a list: send each message by itself.", None),
    ([PING, PING | {"id": 2}], f"{ONE} a list: send each message by itself.", None),
    ([1], f"{ONE} a list: send each message by itself.", None),
    (None, f"{ONE} null.", None),
    (1, f"{ONE} 1.", None),
    (1.5, f"{ONE} 1.5.", None),
    (True, f"{ONE} true.", None),
    ("x", f'{ONE} "x".', None),
    ({}, 'jsonrpc must be "2.0", and is missing.', None),
    (without("jsonrpc"), 'jsonrpc must be "2.0", and is missing.', 1),
    (PING | {"jsonrpc": "1.0"}, 'jsonrpc must be "2.0", not "1.0".', 1),
    (PING | {"jsonrpc": 2.0}, 'jsonrpc must be "2.0", not 2.0.', 1),
    (PING | {"jsonrpc": None}, 'jsonrpc must be "2.0", not null.', 1),
    (PING | {"id": None}, "id must be a string or a whole number, not null.", None),
    (PING | {"id": True}, "id must be a string or a whole number, not true.", None),
    (PING | {"id": 1.5}, "id must be a string or a whole number, not 1.5.", None),
    (PING | {"id": [1]}, "id must be a string or a whole number, not [1].", None),
    (PING | {"id": "\ud800"}, 'id must be a string or a whole number, not "\\ud800".', None),
    (PING | {"id": {}}, "id must be a string or a whole number, not {}.", None),
    (without("method"), "method must be a string, and is missing.", 1),
    ({"jsonrpc": "2.0"}, "method must be a string, and is missing.", None),
    (PING | {"method": None}, "method must be a string, not null.", 1),
    (PING | {"method": 5}, "method must be a string, not 5.", 1),
    (PING | {"method": ["ping"]}, 'method must be a string, not ["ping"].', 1),
    (PING | {"params": []}, "params must be an object, not [].", 1),
    (PING | {"params": ["x"]}, 'params must be an object, not ["x"].', 1),
    (PING | {"params": "x"}, 'params must be an object, not "x".', 1),
    (PING | {"params": 0}, "params must be an object, not 0.", 1),
    (PING | {"params": False}, "params must be an object, not false.", 1),
    ({"jsonrpc": "2.0", "method": "notifications/initialized", "params": 1}, "params must be an object, not 1.", None),
    ({"jsonrpc": "2.0", "id": 1, "result": 5}, RESPONSE, 1),
    ({"jsonrpc": "2.0", "result": {}}, RESPONSE, None),
    ({"jsonrpc": "2.0", "id": 1, "error": "no"}, RESPONSE, 1),
    ({"jsonrpc": "2.0", "id": 1, "error": {"code": "x", "message": "no"}}, RESPONSE, 1),
    (
        {"jsonrpc": "2.0", "id": [], "error": {"code": 1, "message": "no"}},
        "id must be a string or a whole number, not [].",
        None,
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize("era", [*ERAS, ""])
def test_what_is_no_message_is_an_invalid_request(era: str) -> None:
    secret = make_key(make_workspace())
    headers = {"mcp-protocol-version": era} if era else {}
    for body, text, request_id in WRONG:
        response = post(secret, json.dumps(body), **headers)
        assert (response.status_code, response.json()) == (
            400,
            {"jsonrpc": "2.0", "id": request_id, "error": {"code": -32600, "message": text}},
        ), body
    assert not ToolCall.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("request_id", [0, -1, 10**30, "", "ü"])
def test_every_id_of_a_request_comes_back(request_id: str | int) -> None:
    secret = make_key(make_workspace())
    body, headers = message("tools/list", {}, STATELESS)
    assert post(secret, body | {"id": request_id}, **headers).json()["id"] == request_id
    wrong = post(secret, body | {"id": request_id, "params": 1}, **headers).json()
    assert (wrong["id"], wrong["error"]["code"]) == (request_id, -32600)


@pytest.mark.django_db
def test_notifications_and_responses_are_taken() -> None:
    secret = make_key(make_workspace())
    for body in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/initialized", "params": {}},
        {"jsonrpc": "2.0", "method": "notifications/initialized", "params": None},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}},
    ):
        response = post(secret, json.dumps(body), **{"mcp-protocol-version": HANDSHAKE})
        assert (response.status_code, response.content) == (202, b""), body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab{"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)
MEMBERS = {
    "jsonrpc": JSON | st.just("2.0"),
    "id": JSON | st.just(1),
    "method": JSON | st.sampled_from(["ping", "initialize", "tools/call", "tools/list", "notifications/cancelled"]),
    "params": JSON | st.fixed_dictionaries({}, optional={"name": JSON, "arguments": JSON, "_meta": JSON}),
    "result": JSON,
    "error": JSON | st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON, "data": JSON}),
}


@pytest.mark.django_db
@given(body=JSON | st.fixed_dictionaries({}, optional=MEMBERS), era=st.sampled_from(ERAS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_no_answer_shows_the_inside_of_a_library(body: Any, era: str) -> None:
    secret = make_key(make_workspace())
    response = post(secret, json.dumps(body), **{"mcp-protocol-version": era})
    assert response.status_code < 500
    shown = response.content.lower()
    assert not any(word in shown for word in (b"pydantic", b"validation error", b"jsonrpcrequest", b"input_value"))


@pytest.mark.django_db(transaction=True)
def test_it_is_so_over_stdio() -> None:
    secret = make_key(make_workspace())
    wrong = [json.dumps(body) for body, _text, _id in WRONG]
    half = json.dumps(message("tools/call", {"name": "user_find", "arguments": {"query": "\ud800"}}, HANDSHAKE)[0])
    lines = [*wrong, "no JSON", "", half, json.dumps(PING | {"id": "last"})]
    # Each line but the empty one is answered.
    answers = answers_over_stdio(secret, "\n".join(lines) + "\n", len(lines) - 1)
    errors = [(answer["id"], answer["error"]["code"], answer["error"]["message"]) for answer in answers[:-1]]
    assert errors == [
        *((request_id, -32600, text) for _body, text, request_id in WRONG),
        (None, -32700, "body is not JSON: Expecting value, line 1 column 1."),
        (1, -32600, "The message has half a character, an escape from \\ud800 to \\udfff without its other half."),
    ]
    assert answers[-1]["id"] == "last"
