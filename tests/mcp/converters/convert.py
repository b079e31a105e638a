"""Takes the tools through the converters of Gemini and of OpenAI, as their SDKs do with the tools of an MCP server.

Run by `run` in an environment of its own, with the file that holds the list of tools.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from agents.mcp import MCPServerStreamableHttp
from agents.mcp.util import MCPUtil
from google.genai import types
from google.genai._mcp_utils import mcp_to_gemini_tools
from mcp.types import Tool

Json = dict[str, Any]

# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
STRICT_KEYWORDS = {"type", "enum", "pattern", "minimum", "maximum", "description"}


def gemini_takes(tools: list[Tool]) -> None:
    """Every argument arrives at Gemini with its type, text and rules."""
    declarations = [
        declaration for tool in mcp_to_gemini_tools(tools) for declaration in tool.function_declarations or ()
    ]
    assert [declaration.name for declaration in declarations] == [tool.name for tool in tools]
    for tool, declaration in zip(tools, declarations, strict=True):
        schema = tool.input_schema
        types.Schema.from_json_schema(json_schema=types.JSONSchema(**schema), raise_error_on_unsupported_field=True)
        assert declaration.parameters is not None
        assert declaration.description == tool.description
        assert (declaration.parameters.required or []) == schema.get("required", [])
        for name, argument in schema["properties"].items():
            taken = (declaration.parameters.properties or {})[name].model_dump(exclude_none=True)
            taken["type"] = taken["type"].value.lower()
            assert taken == argument, (tool.name, name)


def strict_calls_take(tools: list[Tool]) -> None:
    """OpenAI's strict calls are possible: they name every argument, and no other."""
    server = MCPServerStreamableHttp(params={"url": "http://127.0.0.1/mcp"})
    for tool in tools:
        function = MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=True)
        schema = function.params_json_schema
        assert function.strict_json_schema, tool.name
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(tool.input_schema["properties"])
        for name, argument in schema["properties"].items():
            assert argument == tool.input_schema["properties"][name]
            assert argument.keys() <= STRICT_KEYWORDS, (tool.name, name)


def the_converters_are_strict() -> None:
    """The converters still refuse what they are known to refuse. Otherwise these checks would prove nothing."""
    closed = {"type": "object", "properties": {"day": {"type": "string"}}, "additionalProperties": False}
    try:
        mcp_to_gemini_tools([Tool(name="closed", input_schema=closed)])
    except Exception:
        return
    raise AssertionError("Gemini's converter takes closed objects now: `stats_app.schemas` could keep them.")


def main() -> None:
    listed: list[Json] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tools = [Tool.model_validate(tool) for tool in listed]
    assert len(tools) == 5
    gemini_takes(tools)
    strict_calls_take(tools)
    the_converters_are_strict()
    sys.stdout.write(f"{len(tools)} tools are taken by Gemini and by OpenAI's strict calls.\n")


main()
