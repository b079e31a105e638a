"""Repeated keys in a message are an error at any depth, over HTTP and over stdio. The last value is never used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stats_app.models import ToolCall
from tests.factories import make_key, make_workspace
from tests.mcp.calls import ERAS, STATELESS, failure, message, post
from tests.mcp.live import answers_over_stdio

TOOL = "campaign_find"


def call_with(arguments: str, era: str) -> tuple[str, dict[str, str]]:
    """A tool call whose arguments are this text, and its headers."""
    body, headers = message("tools/call", {"name": TOOL, "arguments": {"here": 1}}, era)
    return json.dumps(body).replace('{"here": 1}', arguments), headers


ARGUMENTS = [
    ('{"limit": 1, "limit": 2}', [("limit", 2)], {"limit": [1, 2]}),
    (
        '{"query": "a", "query": null, "query": "a", "limit": 1}',
        [("query", 3)],
        {"query": ["a", None, "a"], "limit": 1},
    ),
    ('{"limit": 1, "l\\u0069mit": 1}', [("limit", 2)], {"limit": [1, 1]}),
    ('{"query": "a", "query": "b", "limit": 1, "limit": 1}', [("query", 2), ("limit", 2)], None),
]


@pytest.mark.django_db
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("arguments", "names", "stored"), ARGUMENTS, ids=[case[0] for case in ARGUMENTS])
def test_an_argument_that_is_repeated_is_an_error(
    era: str, arguments: str, names: list[tuple[str, int]], stored: Any
) -> None:
    secret = make_key(make_workspace())
    body, headers = call_with(arguments, era)
    result = post(secret, body, **headers).json()["result"]
    errors = [
        {"field": name, "code": "repeated", "message": f"{name} is given {times} times; give it once."}
        for name, times in names
    ]
    expected = failure(" ".join(error["message"] for error in errors), "invalid_parameters", errors=errors)
    assert {name: result[name] for name in ("content", "isError")} == {
        name: expected[name] for name in ("content", "isError")
    }
    assert result["_meta"]["stats-tools/problem"] == expected["_meta"]["stats-tools/problem"]
    row = ToolCall.objects.get()
    assert row.outcome == "invalid_parameters"
    assert stored is None or row.arguments == stored


@pytest.mark.django_db
@pytest.mark.parametrize("era", ERAS)
def test_a_key_that_is_repeated_deep_in_an_argument_is_named(era: str) -> None:
    body, headers = call_with('{"query": [{"x": {"deep": 1, "deep": 2}}]}', era)
    result = post(make_key(make_workspace()), body, **headers).json()["result"]
    errors = result["_meta"]["stats-tools/problem"]["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("query", "invalid"), ("deep", "repeated")]


def repeat(text: str, key: str) -> str:
    """The JSON with a key once more, with the value that it has."""
    start = text.index(f'"{key}"')
    value = text[start + len(key) + 4 :]
    _, length = json.JSONDecoder().raw_decode(value)
    return f'{text[:start]}"{key}": {value[:length]}, {text[start:]}'


@pytest.mark.django_db
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("key", ["jsonrpc", "id", "method", "params", "name", "arguments"])
def test_a_key_that_is_repeated_elsewhere_is_a_protocol_error(era: str, key: str) -> None:
    body, headers = call_with('{"limit": 1}', era)
    response = post(make_key(make_workspace()), repeat(body, key), **headers)
    assert (response.status_code, response.json()) == (
        400,
        {
            "jsonrpc": "2.0",
            "id": None if key == "id" else 1,
            "error": {"code": -32600, "message": f"{key} is given 2 times; give it once."},
        },
    )
    assert not ToolCall.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_is_so_over_stdio() -> None:
    secret = make_key(make_workspace())
    lines = [
        repeat(call_with('{"limit": 1}', STATELESS)[0], "method"),
        call_with('{"limit": 1, "limit": 2}', STATELESS)[0].replace('"id": 1', '"id": "two"'),
        call_with('{"limit": 1}', STATELESS)[0].replace('"id": 1', '"id": 3'),
    ]
    # With the byte-order mark that a pipe on Windows begins with.
    given = answers_over_stdio(secret, "\ufeff" + "\n".join(lines) + "\n", len(lines))
    answers = {answer["id"]: answer for answer in given}
    assert answers[1]["error"] == {"code": -32600, "message": "method is given 2 times; give it once."}
    repeated = answers["two"]["result"]["_meta"]["stats-tools/problem"]["errors"]
    assert [(error["field"], error["code"]) for error in repeated] == [("limit", "repeated")]
    assert answers[3]["result"]["structuredContent"] == {"campaigns": []}
