"""Checks a JSON-RPC message for repeated keys, before the SDK reads it: the SDK silently keeps the last value."""

from __future__ import annotations

from typing import Any

from stats_app.bodies import repeated_keys

Json = dict[str, Any]

INVALID_REQUEST = -32600
PARSE_ERROR = -32700
INTERNAL_ERROR = -32603


class Refused(Exception):
    """A message that is answered with a JSON-RPC error and does not reach the SDK."""

    def __init__(self, code: int, message: str, request_id: str | int | None) -> None:
        self.code = code
        self.request_id = request_id
        super().__init__(message)


def error(code: int, message: str, request_id: str | int | None = None) -> Json:
    """The body of a JSON-RPC error."""
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def arguments_with_repeated_keys(message: Any) -> Json | None:
    """The arguments of a tool call, as from `bodies.parse`, if keys in them are repeated; else None.

    The tool's own check reports these keys. Raises `Refused` for keys that are repeated anywhere else.
    """
    if not repeated_keys(message):
        return None
    arguments: Json | None = None
    match message:
        case {"method": "tools/call", "params": {"arguments": dict(given)} as params}:
            arguments = given
            elsewhere = repeated_keys(message | {"params": params | {"arguments": None}})
        case _:
            elsewhere = repeated_keys(message)
    if elsewhere:
        request_id = message.get("id") if isinstance(message, dict) else None
        text = " ".join(wrong.message for wrong in elsewhere)
        raise Refused(INVALID_REQUEST, text, request_id if isinstance(request_id, str | int) else None)
    return arguments
