"""Checks a JSON-RPC message before the SDK reads it.

The SDK silently keeps the last value of a repeated key. If the body is not a JSON-RPC message, it answers with internal
errors of its own models, or not at all.
"""

from __future__ import annotations

import re
from typing import Any

from stats_app.bodies import repeated_keys
from stats_app.errors import shown

Json = dict[str, Any]

INVALID_REQUEST = -32600
PARSE_ERROR = -32700
INTERNAL_ERROR = -32603

SURROGATE = re.compile("[\ud800-\udfff]")
"""A lone surrogate, half of a character. JSON's escapes can express it, but an answer in UTF-8 cannot contain it."""


class Refused(Exception):
    """A message that is answered with a JSON-RPC error and does not reach the SDK."""

    def __init__(self, code: int, message: str, request_id: str | int | None) -> None:
        self.code = code
        self.request_id = request_id
        super().__init__(message)


def error(code: int, message: str, request_id: str | int | None = None) -> Json:
    """The body of a JSON-RPC error."""
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def check(message: Any) -> Json | None:
    """The arguments of a tool call, as from `bodies.parse`, if keys in them are repeated; else None.

    The tool's own check reports these keys. Raises `Refused` for keys that are repeated anywhere else, and for anything
    but one request, notification or response.
    """
    arguments = _arguments_with_repeated_keys(message) if repeated_keys(message) else None
    if wrong := _what_is_wrong(message):
        raise Refused(INVALID_REQUEST, wrong, _request_id(message))
    return arguments


def _what_is_wrong(message: Any) -> str:
    """A sentence about the first error in a message, by the rules of JSON-RPC and MCP; empty if it is correct."""
    match message:
        case []:
            return "The body must be one message, a JSON object, not an empty list."
        case list():
            return "The body must be one message, a JSON object, not a list: send each message by itself."
        case dict():
            return _wrong_member(message)
    return f"The body must be one message, a JSON object, not {shown(message)}."


def _wrong_member(message: Json) -> str:
    if message.get("jsonrpc") != "2.0":
        return f'jsonrpc must be "2.0"{_but_is(message, "jsonrpc")}.'
    # Without an id it is a notification, to which nobody expects an answer.
    if "id" in message and _request_id(message) is None and not (message["id"] is None and _is_error(message)):
        return f"id must be a string or a whole number{_but_is(message, 'id')}."
    if "method" not in message and {"result", "error"} & message.keys():
        return "" if _is_response(message) else "A response must have an id, and either an object result or an error."
    if not isinstance(message.get("method"), str):
        return f"method must be a string{_but_is(message, 'method')}."
    if not isinstance(message.get("params"), dict | None):
        return f"params must be an object{_but_is(message, 'params')}."
    return ""


def _but_is(message: Json, name: str) -> str:
    return f", not {shown(message[name])}" if name in message else ", and is missing"


def _request_id(message: Any) -> str | int | None:
    """The id of a message, if it has a valid one, which an answer can repeat."""
    match message:
        case {"id": bool()}:
            return None
        case {"id": int(number)}:
            return number
        case {"id": str(text)} if not SURROGATE.search(text):
            return text
    return None


def _is_response(message: Json) -> bool:
    return _is_error(message) or ("id" in message and isinstance(message.get("result"), dict))


def _is_error(message: Json) -> bool:
    """Whether it is an error response. Its id is null if the id of the request could not be read."""
    match message:
        case {"id": _, "error": {"code": int(), "message": str()}}:
            return "method" not in message
    return False


def _arguments_with_repeated_keys(message: Any) -> Json | None:
    arguments: Json | None = None
    match message:
        case {"method": "tools/call", "params": {"arguments": dict(given)} as params}:
            arguments = given
            elsewhere = repeated_keys(message | {"params": params | {"arguments": None}})
        case _:
            elsewhere = repeated_keys(message)
    if elsewhere:
        text = " ".join(wrong.message for wrong in elsewhere)
        raise Refused(INVALID_REQUEST, text, _request_id(message))
    return arguments
