"""The example project in processes of its own on the tests' database, and the SDK's clients that ask it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mcp
from django.db import connection
from mcp.client import session
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODES = ("auto", "legacy")
PATIENCE = 600.0  # seconds; only to end a test that hangs; long enough for any machine
# How long the client waits for a server's first answer before it assumes that the server does not know the method.
session.DISCOVER_TIMEOUT_SECONDS = PATIENCE

# Connections are kept however long a client takes between two requests: one that closes just as the next is sent
# would be an error of the test.
GUNICORN = (
    *("gunicorn", "project.wsgi", "--bind", "127.0.0.1:{port}", "--log-level", "warning"),
    *("--keep-alive", "600", "--timeout", "600"),
)
SERVERS: dict[str, Sequence[str]] = {
    "gunicorn-threads": (*GUNICORN, "--workers", "2", "--threads", "8"),
    "gunicorn-sync": (*GUNICORN, "--workers", "2"),
    "uvicorn": (
        *("uvicorn", "project.asgi:application", "--port", "{port}", "--log-level", "warning"),
        *("--timeout-keep-alive", "600"),
    ),
    "runserver": ("django", "runserver", "127.0.0.1:{port}", "--noreload"),
}


def environment(**more: str) -> dict[str, str]:
    """That of a process which uses the tests' database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    own = {"DJANGO_SETTINGS_MODULE": "project.settings", "SECRET_KEY": "only-for-tests", "STATS_RATE_LIMIT": "1000"}
    return {**os.environ, **own, "DATABASE_URL": url, **more}


@contextmanager
def serving(kind: str) -> Iterator[str]:
    """The address of `/mcp` on a running server of this kind."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *(part.format(port=port) for part in SERVERS[kind])]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment(), stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers: gunicorn takes connections before any worker has started."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/mcp", timeout=PATIENCE)
        except urllib.error.HTTPError:  # a GET is not allowed there
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("The server did not start.")


@asynccontextmanager
async def client(url: str, secret: str, mode: str) -> AsyncIterator[mcp.Client]:
    """The SDK's client: `auto` speaks the stateless protocol, `legacy` shakes hands first."""
    async with (
        create_mcp_http_client({"x-api-key": secret}) as http,
        mcp.Client(streamable_http_client(url, http_client=http), mode=mode) as connected,
    ):
        yield connected


async def answer_of(connected: mcp.Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await connected.call_tool(tool, arguments)
    assert isinstance(result, mcp.types.CallToolResult)
    assert not result.is_error, result.content
    content: dict[str, Any] = result.structured_content
    return content


def answers_over_stdio(secret: str, text: str, number: int) -> list[dict[str, Any]]:
    """Gives the text to an `mcp_stdio`, and reads so many answers before the end of the input ends the server."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "mcp_stdio"],
        cwd=CHECKOUT,
        env=environment(STATS_API_KEY=secret),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(number)]
        process.stdin.close()
    return answers
