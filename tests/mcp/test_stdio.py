"""`manage.py mcp_stdio`, started by a client as desktop programs start it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp
import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils.timezone import now
from mcp.client.stdio import StdioServerParameters, stdio_client

from stats_app.models import ApiKey, ToolCall
from tests.factories import make_campaign, make_key, make_workspace
from tests.mcp.live import CHECKOUT, MODES, answer_of, environment

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def started(secret: str, mode: str) -> AsyncIterator[mcp.Client]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["manage.py", "mcp_stdio"],
        cwd=CHECKOUT,
        env=environment(STATS_API_KEY=secret),
    )
    async with mcp.Client(stdio_client(parameters), mode=mode) as connected:
        yield connected


def revoke() -> None:
    """Revokes all keys. Runs in a thread, so it must close its own connection."""
    ApiKey.objects.update(revoked_at=now())
    connection.close()


@pytest.mark.parametrize("mode", MODES)
def test_it_answers_what_http_answers_until_the_key_is_revoked(mode: str) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    secret = make_key(workspace, ["stats:read"])

    async def converse() -> list[Any]:
        async with started(secret, mode) as connected:
            tools = (await connected.list_tools()).tools
            answer = await answer_of(connected, "campaign_find", {"query": "spring"})
            await sync_to_async(revoke)()
            refused = await connected.call_tool("campaign_find", {})
            return [[tool.name for tool in tools], answer["campaigns"][0]["publicId"], refused.content[0].text]

    names, public_id, refusal = anyio.run(converse)
    assert names == [
        "stats_get_workspace_overview",
        "stats_get_campaign_performance",
        "stats_get_user_metrics",
        "campaign_find",
        "user_find",
    ]
    assert public_id == campaign.public_id
    assert refusal == (
        "A valid API key is required in the header x-api-key. "
        "The key of this server is no longer valid: ask for a new one."
    )
    [row] = ToolCall.objects.values_list("surface", "tool", "outcome", "client")
    assert row[:3] == ("mcp", "campaign_find", "ok")
    assert row[3].startswith("mcp/")


@pytest.mark.parametrize("secret", ["", "sk_wrong"])
def test_it_does_not_start_without_a_good_key(secret: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "mcp_stdio"],
        cwd=CHECKOUT,
        env=environment(STATS_API_KEY=secret),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "CommandError: Set STATS_API_KEY to a valid API key."
