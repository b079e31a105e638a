"""MCP over standard input and output, for clients that start their servers themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from django.db import close_old_connections
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from mcp.server.stdio import stdio_server

from stats_app.keys import Caller, authenticate
from stats_app.mcp.server import Callers, Context, make_server


@sensitive_variables("secret")
def serve(secret: str) -> None:
    """Serves the workspace of the API key until standard input ends. Raises NotAuthenticated for a bad key.

    The key is looked up anew for each call: such a server lives for days, and a revoked key has to end with the call.
    """

    # Not in the generator below, whose variables no mark would keep out of a report.
    @sensitive_variables("secret")
    def knock() -> Caller:
        return authenticate(secret, now())

    knock()

    @contextmanager
    def caller(context: Context) -> Iterator[Caller]:
        close_old_connections()
        try:
            yield knock()
        finally:
            close_old_connections()

    anyio.run(_serve, caller)


async def _serve(caller: Callers) -> None:
    server = make_server(caller)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
