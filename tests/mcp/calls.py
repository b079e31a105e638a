"""Messages to `/mcp` through its real address, as clients of both eras of the protocol send them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

URL = "/mcp"
HANDSHAKE = "2025-11-25"
STATELESS = "2026-07-28"
ERAS = (HANDSHAKE, STATELESS)

Json = dict[str, Any]

_META = "io.modelcontextprotocol/"
CLIENT = {"name": "tests", "version": "7"}


def post(secret: str | None, body: object, *, url: str = URL, **headers: str) -> HttpResponse:
    """A POST of a body: text and bytes as they are, anything else as JSON."""
    if secret is not None:
        headers["x-api-key"] = secret
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    # Unexpected errors must be answered, as on a server, and not raised in the test.
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    accept = {"accept": "application/json, text/event-stream"}
    return client.generic("POST", url, raw, "application/json", headers=accept | headers)


def message(method: str, params: Json | None = None, era: str = STATELESS) -> tuple[Json, dict[str, str]]:
    """A JSON-RPC request, and the headers that the era wants beside it."""
    params = dict(params or {})
    headers = {"mcp-protocol-version": era}
    if era == STATELESS:
        headers["mcp-method"] = method
        if "name" in params:
            headers["mcp-name"] = params["name"]
        params["_meta"] = {
            f"{_META}protocolVersion": era,
            f"{_META}clientCapabilities": {},
            f"{_META}clientInfo": CLIENT,
        }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers


def ask(secret: str | None, method: str, params: Json | None = None, era: str = STATELESS, **more: str) -> HttpResponse:
    body, headers = message(method, params, era)
    return post(secret, body, **headers, **more)


def call(secret: str | None, tool: str, arguments: Json | None = None, era: str = STATELESS, **more: str) -> Json:
    """The result of a tool call, without what the SDK adds to it in the stateless era."""
    response = ask(secret, "tools/call", {"name": tool, "arguments": arguments or {}}, era, **more)
    assert response.status_code == 200, response.content
    result: Json = response.json()["result"]
    result.pop("resultType", None)
    result.get("_meta", {}).pop(f"{_META}serverInfo", None)
    if not result.get("_meta"):
        result.pop("_meta", None)
    return result


def answer(secret: str | None, tool: str, arguments: Json | None = None, era: str = STATELESS, **more: str) -> Json:
    """The answer of a tool call. Its result contains the answer twice, as text and as structured content."""
    result = call(secret, tool, arguments, era, **more)
    [text] = result["content"]
    assert result == {
        "content": [{"type": "text", "text": text["text"]}],
        "structuredContent": json.loads(text["text"]),
        "isError": False,
    }
    return json.loads(text["text"])


def failure(text: str, code: str, **details: Any) -> Json:
    """The result of a call that went wrong."""
    return {
        "_meta": {"stats-tools/problem": {"code": code, **details}},
        "content": [{"type": "text", "text": text}],
        "isError": True,
    }
