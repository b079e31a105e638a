"""Tool calls as MCP clients send them, in the versions of the protocol with and without sessions."""

from __future__ import annotations

import json
from typing import Any

PATH = "/mcp"
HANDSHAKE = "2025-11-25"
STATELESS = "2026-07-28"
ERAS = (HANDSHAKE, STATELESS)

_META = "io.modelcontextprotocol/"


def tool_call(era: str, tool: str, arguments: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of one call, without the key."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
    if era == STATELESS:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        params["_meta"] = {
            f"{_META}protocolVersion": era,
            f"{_META}clientCapabilities": {},
            f"{_META}clientInfo": {"name": "benchmarks", "version": "1"},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(message).encode(), headers
