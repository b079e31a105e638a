"""The texts for assistants are about MCP, and those in the API's document about REST."""

from __future__ import annotations

import json

from stats_app.mcp.server import tool_list
from stats_app.mcp.texts import FINDERS, NOTES
from stats_app.tools import TOOLS
from tests.rest import BASE, get

ONLY_MCP = ("campaign_find", "user_find", "400 buckets", "an assistant")


def test_the_document_of_rest_names_nothing_of_mcp() -> None:
    text = get(None, f"{BASE}schema/").content.decode()
    assert [words for words in ONLY_MCP if words in text] == []


def test_the_tools_over_mcp_name_nothing_of_rest() -> None:
    operations = {
        operation["operationId"]
        for methods in get(None, f"{BASE}schema/").json()["paths"].values()
        for operation in methods.values()
    } - TOOLS.keys()
    texts = json.dumps([tool.model_dump() for tool in tool_list().tools])
    assert [name for name in operations if name in texts] == []
    assert "/api/" not in texts


def test_each_id_says_where_it_comes_from_on_its_surface() -> None:
    for tool in tool_list().tools:
        for name, schema in tool.input_schema["properties"].items():
            if name in FINDERS:
                assert schema["description"].endswith(f" Look it up with {FINDERS[name]}.")
    for methods in get(None, f"{BASE}schema/").json()["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    source = {"campaignPublicId": "campaign_list", "userPublicId": "user_list"}[parameter["name"]]
                    assert parameter["description"].endswith(f" The operation {source} lists them.")


def test_notes_are_of_tools_that_there_are() -> None:
    assert NOTES.keys() <= TOOLS.keys()
    assert set(FINDERS.values()) <= TOOLS.keys()
    parameters = {name for tool in TOOLS.values() for name in tool.parameters().fields}
    assert FINDERS.keys() <= parameters
