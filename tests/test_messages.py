"""Error messages: a wrong value is shown as it was sent, and a missing one is explained with an example."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_app.errors import shown
from stats_app.tools import TOOLS
from tests.factories import make_key, make_workspace
from tests.mcp.calls import call
from tests.rest import BASE, CLICKS, get, post, request

SECRET = "sk_0123456789ab_" + "A" * 43


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5", '"5"'),
        (5, "5"),
        (2.5, "2.5"),
        (None, "null"),
        ("null", '"null"'),
        (True, "true"),
        (False, "false"),
        ("", '""'),
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("Élodie's 😀", '"Élodie\'s 😀"'),
        ("a\n\0\x7f\u00a0\u200b\ud800", r'"a\n\u0000\u007f\u00a0\u200b\ud800"'),
        (["vcard", None, {"a": True}], '["vcard", null, {"a": true}]'),
        ({"\u200b": 1}, r'{"\u200b": 1}'),
        ("x" * 61, f'"{"x" * 60}…"'),
        ([10**20] * 9, f"{json.dumps([10**20] * 9)[:60]}…"),
        (f"my {SECRET}!", '"my sk_…!"'),
        ([SECRET], '["sk_…"]'),
        (b"vcard", "b'vcard'"),
    ],
    ids=ascii,
)
def test_a_value_is_shown_as_json_has_it(value: object, text: str) -> None:
    assert shown(value) == text


ANY_TEXT = st.text(st.characters(), max_size=70)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=6,
)


@given(JSON)
def test_whatever_is_shown_is_short_and_printable_and_tells_its_type(value: object) -> None:
    text = shown(value)
    assert text.isprintable()
    assert (text[0] == '"' == text[-1]) == isinstance(value, str)
    if isinstance(value, str) and len(value) <= 60:
        # Astral characters that cannot be printed aside: their escape has five digits.
        assert max(value, default="") >= "\U00010000" or json.loads(text) == value


# --- what is missing

# "from is required: a date as Y-m-d, such as 2026-03-31."
WITH_EXAMPLE = re.compile(r"(\w+) is required.*: .+, such as (.+)\.")
ONE_OF = re.compile(r"(\w+) is required.*: one of (\w+).*\.")


def example_in(message: str, field: str) -> str:
    """The example that the error of a missing field gives."""
    match = WITH_EXAMPLE.fullmatch(message) or ONE_OF.fullmatch(message)
    assert match, message
    assert match[1] == field
    return match[2]


REQUIRED = [
    (name, field) for name, tool in TOOLS.items() for field, it in tool.parameters().fields.items() if it.required
]


@pytest.mark.django_db
@pytest.mark.parametrize(("tool", "field"), REQUIRED)
@pytest.mark.parametrize("given", [{}, {"null": None}], ids=["missing", "null"])
def test_a_missing_argument_of_a_tool_is_explained(tool: str, field: str, given: dict[str, None]) -> None:
    secret = make_key(make_workspace())
    arguments = {field: None} if given else {}
    errors = call(secret, tool, arguments)["_meta"]["stats-tools/problem"]["errors"]
    [wrong] = [error for error in errors if error["field"] == field]
    assert wrong["code"] == "required"
    # The example is right: with it nothing is wrong with the field any more.
    again = call(secret, tool, {field: example_in(wrong["message"], field)})
    problem = again.get("_meta", {}).get("stats-tools/problem", {})
    assert [error for error in problem.get("errors", ()) if error["field"] == field] == []


def operations(method: str) -> list[tuple[str, dict[str, Any]]]:
    paths = get(None, f"{BASE}schema/").json()["paths"]
    return [(url, methods[method]) for url, methods in paths.items() if method in methods]


@pytest.mark.django_db
def test_a_missing_parameter_of_an_operation_is_explained() -> None:
    secret = make_key(make_workspace())
    seen = 0
    for url, operation in operations("get"):
        for parameter in operation.get("parameters", ()):
            if parameter.get("required") and parameter["in"] == "query":
                [wrong] = [e for e in get(secret, url).json()["errors"] if e["field"] == parameter["name"]]
                assert wrong["code"] == "required"
                assert example_in(wrong["message"], parameter["name"])
                seen += 1
    assert seen == 2


@pytest.mark.django_db
def test_a_missing_field_of_a_body_is_explained() -> None:
    secret = make_key(make_workspace())
    for url, _ in operations("post"):
        [wrong] = request("POST", secret, url, body="{}").json()["rejected"]
        assert wrong["code"] == "required"
        assert example_in(wrong["message"], wrong["field"])
    [wrong] = post(secret, {"kind": "campaign"}).json()["rejected"]
    public_id = example_in(wrong["message"], "campaignPublicId")
    [wrong] = post(secret, {"kind": "campaign", "campaignPublicId": public_id}).json()["rejected"]
    assert wrong["code"] == "not_found"


@pytest.mark.django_db
def test_a_missing_body_is_explained() -> None:
    response = request("POST", make_key(make_workspace()), CLICKS)
    [wrong] = response.json()["errors"]
    assert (wrong["field"], wrong["code"]) == ("body", "required")
    example = json.loads(example_in(wrong["message"], "body"))
    assert post(make_key(make_workspace()), example).json()["accepted"] == 1
