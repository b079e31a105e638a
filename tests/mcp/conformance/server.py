"""The tools that the protocol's test suite calls by name, where a server that only has tools can offer them."""

from __future__ import annotations

import base64
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CallToolRequestParams,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    TextResourceContents,
    Tool,
)

Context = ServerRequestContext[Any, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = base64.b64encode(
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"
).decode()

_TEXT = TextContent(text="This is a simple text response for testing.")
_IMAGE = ImageContent(data=PNG, mime_type="image/png")
_RESOURCE = EmbeddedResource(
    resource=TextResourceContents(
        uri="test://embedded-resource", mime_type="text/plain", text="This is an embedded resource content."
    )
)

ANSWERS: dict[str, CallToolResult] = {
    "test_simple_text": CallToolResult(content=[_TEXT]),
    "test_image_content": CallToolResult(content=[_IMAGE]),
    "test_audio_content": CallToolResult(content=[AudioContent(data=WAV, mime_type="audio/wav")]),
    "test_embedded_resource": CallToolResult(content=[_RESOURCE]),
    "test_multiple_content_types": CallToolResult(content=[_TEXT, _IMAGE, _RESOURCE]),
    "test_error_handling": CallToolResult(
        content=[TextContent(text="This tool intentionally returns an error for testing")], is_error=True
    ),
    "json_schema_2020_12_tool": CallToolResult(content=[_TEXT]),
    "test_custom_headers": CallToolResult(content=[_TEXT]),
    # These tools only answer: logging and questions to the client are not supported.
    "test_logging_tool": CallToolResult(content=[_TEXT]),
    "test_streaming_elicitation": CallToolResult(content=[_TEXT]),
    # Needs a capability that no client of the suite declares.
    "test_missing_capability": CallToolResult(content=[_TEXT]),
}

NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
SCHEMAS: dict[str, dict[str, Any]] = {
    "test_custom_headers": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
        "additionalProperties": False,
    },
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
}


async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
    return ListToolsResult(
        tools=[
            Tool(name=name, description=f"Answers {name}.", input_schema=SCHEMAS.get(name, NOTHING)) for name in ANSWERS
        ]
    )


async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
    if params.name not in ANSWERS:
        raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name}")
    if params.name == "test_missing_capability":
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="Sampling is needed.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return ANSWERS[params.name]


SERVER = Server("conformance", version="1", on_list_tools=list_tools, on_call_tool=call_tool)
