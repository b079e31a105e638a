"""MCP over standard input and output, for clients that start their servers themselves."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, cast

import anyio
from django.db import close_old_connections
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError, RequestId

from stats_app import bodies
from stats_app.errors import InvalidParameters, PayloadTooLarge
from stats_app.keys import Caller, authenticate
from stats_app.mcp import messages
from stats_app.mcp.server import Context, make_server


@sensitive_variables("secret")
def serve(secret: str) -> None:
    """Serves the workspace of the API key until standard input ends. Raises NotAuthenticated for a bad key."""
    authenticate(secret, now())
    anyio.run(_serve, secret)


@sensitive_variables("secret")
async def _serve(secret: str) -> None:
    lines = _Lines()
    # `stdio_server` only iterates over the lines of this file.
    async with stdio_server(cast("anyio.AsyncFile[str]", lines)) as (reading, writing):
        # This is early enough, because the reader does not start before the first `await` below.
        lines.answers = writing
        server = make_server(_Stdio(secret, lines))
        await server.run(reading, writing, server.create_initialization_options())


class _Lines:
    """The lines of standard input. Lines that are not a message, or repeat a key, are answered here with an error.

    The SDK would not answer lines that are not a message, so that programs would wait for ever.
    """

    def __init__(self) -> None:
        self.answers: Any = None
        # The arguments with repeated keys, by the id of the call, until it is answered.
        self.repeated: dict[RequestId | None, dict[str, Any]] = {}

    async def __aiter__(self) -> AsyncIterator[str]:
        # "utf-8-sig", because programs on Windows put a byte-order mark before the first line.
        text = TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="replace")
        async for line in anyio.wrap_file(text):
            if not line.strip():
                continue
            try:
                self._note(line)
            except messages.Refused as refused:
                error = ErrorData(code=refused.code, message=str(refused))
                response = JSONRPCError(jsonrpc="2.0", id=refused.request_id, error=error)
                await self.answers.send(SessionMessage(response))
            else:
                yield line

    def _note(self, line: str) -> None:
        try:
            message = bodies.parse(line.encode())
        except InvalidParameters as error:
            raise messages.Refused(messages.PARSE_ERROR, str(error), None) from None
        except PayloadTooLarge:
            return
        arguments = messages.check(message)
        if messages.SURROGATE.search(json.dumps(message, ensure_ascii=False)):
            text = "The message has half a character, an escape from \\ud800 to \\udfff without its other half."
            raise messages.Refused(messages.INVALID_REQUEST, text, message.get("id"))
        if arguments is not None:
            self.repeated[message.get("id")] = arguments


class _Stdio:
    """Looks up the API key at each call: such a server runs for days, and a revoked key must stop working at once."""

    @sensitive_variables("secret")
    def __init__(self, secret: str, lines: _Lines) -> None:
        self.secret = secret
        self.lines = lines

    @contextmanager
    def caller(self, context: Context) -> Iterator[Caller]:
        close_old_connections()
        try:
            yield authenticate(self.secret, now())
        finally:
            close_old_connections()

    def arguments_with_repeated_keys(self, context: Context) -> dict[str, Any] | None:
        return self.lines.repeated.pop(context.request_id, None)
