"""The tools over MCP: how they are listed, and that they answer what REST answers."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stats_app.ingest import ClickInput
from stats_app.models import Workspace
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record
from tests.mcp.calls import ERAS, HANDSHAKE, STATELESS, Json, answer, ask, call
from tests.rest import CAMPAIGNS, OVERVIEW, USERS, get

pytestmark = pytest.mark.django_db

NAMES = [
    "stats_get_workspace_overview",
    "stats_get_campaign_performance",
    "stats_get_user_metrics",
    "campaign_find",
    "user_find",
]


def listed(secret: str, era: str = STATELESS) -> list[Json]:
    tools: list[Json] = ask(secret, "tools/list", era=era).json()["result"]["tools"]
    return tools


@pytest.fixture
def secret() -> str:
    return make_key(make_workspace(), ["stats:read"])


@pytest.mark.parametrize("era", ERAS)
def test_it_lists_the_tools_in_their_order(secret: str, era: str) -> None:
    tools = listed(secret, era)
    assert [tool["name"] for tool in tools] == NAMES
    assert tools == listed(secret)


def test_a_list_of_tools_says_how_long_it_is_good_for(secret: str) -> None:
    result = ask(secret, "tools/list").json()["result"]
    assert (result["ttlMs"], result["cacheScope"]) == (300_000, "public")


def test_each_tool_says_what_it_is(secret: str) -> None:
    for tool in listed(secret):
        assert set(tool) == {"name", "title", "description", "inputSchema", "outputSchema", "annotations"}
        assert tool["annotations"] == {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        }
        for name, parameter in tool["inputSchema"]["properties"].items():
            assert parameter["description"], (tool["name"], name)


def objects(schema: Any) -> list[Json]:
    """All objects that a schema describes, itself included."""
    if isinstance(schema, list):
        return [inner_object for item in schema for inner_object in objects(item)]
    if not isinstance(schema, dict):
        return []
    inner = [inner_object for item in schema.values() for inner_object in objects(item)]
    return [schema, *inner] if "object" in schema.get("type", []) else inner


def test_answers_have_nothing_that_their_schema_does_not_name(secret: str) -> None:
    for tool in listed(secret):
        jsonschema.Draft202012Validator.check_schema(tool["outputSchema"])
        assert all(inner_object["additionalProperties"] is False for inner_object in objects(tool["outputSchema"])), (
            tool["name"]
        )


# What the converters of Gemini and of OpenAI's strict calls both take.
TAKEN = {"type", "enum", "pattern", "minimum", "maximum", "description"}


def test_arguments_are_described_by_what_every_model_takes(secret: str) -> None:
    for tool in listed(secret):
        schema = tool["inputSchema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.keys() <= {"type", "properties", "required"}
        assert schema["type"] == "object"
        for name, parameter in schema["properties"].items():
            assert parameter.keys() <= TAKEN, (tool["name"], name)
            assert parameter["type"] in ("string", "integer")
            assert "" not in parameter.get("enum", ()), "Gemini refuses an empty word"


class Place:
    """A workspace with some clicks, and the calls that a test makes over both surfaces."""

    def __init__(self, workspace: Workspace) -> None:
        self.secret = make_key(workspace, ["stats:read"])
        ada = make_user(workspace, display_name="Ada Lovelace")
        bob = make_user(workspace, display_name="Bob “B.” Näsby", is_active=False)
        spring = make_campaign(workspace, name="Spring launch", starts_on=date(2026, 1, 1), ends_on=date(2026, 4, 30))
        quiet = make_campaign(workspace, name="Leise — 静か")
        make_alias(ada)
        assign(spring, ada, bob)
        clicks = []
        for day in range(0, 120, 3):
            clicked_at = f"{date(2026, 1, 15) + timedelta(days=day)}T23:30:00Z"
            clicks.append(ClickInput("campaign", campaign=spring, user=ada, clicked_at=clicked_at))
            clicks.append(ClickInput("vcard", user=bob, clicked_at=clicked_at))
            if day % 2:
                clicks.append(ClickInput("other", clicked_at=clicked_at))
                clicks.append(ClickInput("campaign", campaign=spring, clicked_at=clicked_at, verdict="bot"))
        record(workspace, *clicks)
        self.campaigns = [spring.public_id, quiet.public_id]
        self.users = [ada.public_id, bob.public_id]

    def cases(self) -> list[tuple[str, str, Json]]:
        """Tool, address and arguments; those in the path stand in the address."""
        calls: list[tuple[str, str, Json]] = []
        periods = [
            {},
            {"from": "2026-03-01", "to": "2026-03-31"},
            {"from": "2025-12-29", "to": "2026-01-20"},
            {"from": "2030-01-01", "to": "2030-01-01"},
        ]
        for period in periods[1:]:
            calls += [(NAMES[0], OVERVIEW, period | {"breakdown": b}) for b in ("none", "day", "week", "month")]
            calls.append((NAMES[0], OVERVIEW, period))
        for period in periods:
            calls += [(NAMES[1], f"{CAMPAIGNS}{c}/performance/", period) for c in self.campaigns]
            calls += [(NAMES[2], f"{USERS}{u}/metrics/", period) for u in self.users]
        return calls


NOT_GIVEN = {"breakdown": "none", "status": "any", "limit": 10}


@pytest.mark.parametrize("era", ERAS)
def test_every_optional_argument_can_be_said_to_be_missing(era: str) -> None:
    """In calls that must name every argument, with values that the schema allows; and with null and an empty text."""
    place = Place(make_workspace())
    needed = {
        "stats_get_workspace_overview": {"from": "2026-03-01", "to": "2026-03-31"},
        "stats_get_campaign_performance": {"campaignPublicId": place.campaigns[0]},
        "stats_get_user_metrics": {"userPublicId": place.users[0]},
    }
    for tool in listed(place.secret):
        schema, required = tool["inputSchema"], needed.get(tool["name"], {})
        assert sorted(required) == sorted(schema.get("required", []))
        optional = [name for name in schema["properties"] if name not in required]
        plain = answer(place.secret, tool["name"], required, era)
        for values in (
            {name: NOT_GIVEN.get(name, "") for name in optional},
            dict.fromkeys(optional, ""),
            dict.fromkeys(optional),
        ):
            again = answer(place.secret, tool["name"], required | values, era)
            assert again | {"generatedAt": None} == plain | {"generatedAt": None}, (tool["name"], values)
        jsonschema.validate(required | {name: NOT_GIVEN.get(name, "") for name in optional}, schema)


@pytest.mark.parametrize("era", ERAS)
def test_other_words_for_missing_are_no_values(era: str) -> None:
    secret = make_key(make_workspace(), ["stats:read"])
    period = {"from": "2026-03-01", "to": "2026-03-31"}
    for tool, arguments, field in (
        ("campaign_find", {"query": "x", "status": "Any"}, "status"),
        ("campaign_find", {"status": "none"}, "status"),
        (NAMES[0], period | {"breakdown": "any"}, "breakdown"),
        (NAMES[0], period | {"to": ""}, "to"),
        (NAMES[1], {"campaignPublicId": ""}, "campaignPublicId"),
        (NAMES[0], period | {"other": ""}, "other"),
    ):
        problem = call(secret, tool, arguments, era)["_meta"]["stats-tools/problem"]
        assert [error["field"] for error in problem["errors"]] == [field]


def test_schemas_say_which_arguments_are_required(secret: str) -> None:
    required = {tool["name"]: tool["inputSchema"].get("required", []) for tool in listed(secret)}
    assert required == {
        "stats_get_workspace_overview": ["from", "to"],
        "stats_get_campaign_performance": ["campaignPublicId"],
        "stats_get_user_metrics": ["userPublicId"],
        "campaign_find": [],
        "user_find": [],
    }


def test_the_definitions_have_no_known_weakness(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    file.write_text(json.dumps({"tools": listed(secret)}), encoding="utf-8")
    lint = [Path(sys.executable).with_name("tdqs"), "lint", "--file", file, "--fail-on", "warning"]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_every_answer_is_that_of_rest_and_as_declared(zone: str, settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": None}
    place = Place(make_workspace(timezone=zone))
    schemas = {tool["name"]: tool["outputSchema"] for tool in listed(place.secret)}
    for number, (tool, address, arguments) in enumerate(place.cases()):
        rest = get(place.secret, address, arguments).json()
        path = {"campaignPublicId" if tool == NAMES[1] else "userPublicId": address.split("/")[4]}
        given = arguments | (path if tool != NAMES[0] else {})
        over_mcp = answer(place.secret, tool, given, ERAS[number % 2])
        generated_at = over_mcp.pop("generatedAt")
        rest.pop("generatedAt")
        assert json.dumps(over_mcp) == json.dumps(rest), (tool, given)
        over_mcp["generatedAt"] = generated_at
        jsonschema.validate(over_mcp, schemas[tool], format_checker=jsonschema.FormatChecker())


def test_a_call_without_arguments_is_one_with_none(secret: str) -> None:
    for era in (STATELESS, HANDSHAKE):
        response = ask(secret, "tools/call", {"name": "campaign_find"}, era)
        assert response.json()["result"]["structuredContent"] == {"campaigns": []}
