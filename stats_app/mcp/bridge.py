"""From a Django request to the SDK's ASGI application and back.

The SDK implements the protocol, its errors, and the checks of headers and hosts. It runs without sessions, so that any
worker process can answer any message.
"""

from __future__ import annotations

from typing import Any

import anyio
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Message, Scope

from stats_app.conf import conf
from stats_app.keys import HEADER, Caller

CALLER = "stats_app.caller"
ARGUMENTS = "stats_app.arguments"
"""The keys of the ASGI scope for the `Caller`, and for the call's arguments if keys in them are repeated."""

_SECRET_HEADERS = frozenset({HEADER, "cookie", "authorization"})


def answer(
    request: HttpRequest, body: bytes, server: Server[Any], caller: Caller, arguments: dict[str, Any] | None
) -> HttpResponse:
    """The server's answer to one message of the caller. Synchronous; the server's handlers run in this thread.

    `arguments` are the arguments of a tool call if keys in them are repeated.
    """
    host = request.get_host()
    security = TransportSecuritySettings(
        allowed_hosts=[host], allowed_origins=[f"{request.scheme}://{host}", *conf.mcp_allowed_origins]
    )
    scope = _scope(request, host) | {CALLER: caller, ARGUMENTS: arguments}
    return async_to_sync(_exchange)(server, scope, body, security)


def _scope(request: HttpRequest, host: str) -> dict[str, Any]:
    """The request as an ASGI scope, with only what the handlers need."""
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _SECRET_HEADERS}
    # The host as Django determines it, because behind a proxy it may be in another header.
    headers["host"] = host
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "query_string": b"",
        "headers": [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers.items()
        ],
    }


async def _exchange(
    server: Server[Any], scope: Scope, body: bytes, security: TransportSecuritySettings
) -> HttpResponse:
    response = HttpResponse(content_type="text/plain; charset=utf-8")
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            # The body has been read and the client is still connected. Another body message would make the SDK loop;
            # a disconnect message would cancel the handler.
            await anyio.sleep_forever()
        return messages.pop()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code = message["status"]
            for name, value in message.get("headers", ()):
                response.headers[name.decode("latin-1")] = value.decode("latin-1")
        else:
            response.write(message.get("body", b""))

    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True, security_settings=security)
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    return response
