"""Real clients with real servers, on every supported kind of server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from stats_app.ingest import ClickInput
from stats_app.models import ToolCall
from tests.factories import make_campaign, make_key, make_user, make_workspace, record
from tests.mcp.live import MODES, SERVERS, answer_of, client, serving

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
THREADS = 16
ROUNDS = 12


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> Iterator[str]:
    with serving("gunicorn-threads") as address:
        yield address


def make_place(name: str, clicks: int) -> tuple[str, str, str]:
    """A workspace with as many clicks on its one campaign, and its key and ids."""
    workspace = make_workspace(name=name)
    campaign, user = make_campaign(workspace, name=f"{name} spring"), make_user(workspace, display_name=f"{name} Ada")
    record(
        workspace, *[ClickInput("campaign", campaign=campaign, user=user, clicked_at="2026-03-09T10:00:00Z")] * clicks
    )
    return make_key(workspace, ["stats:read"]), campaign.public_id, user.public_id


@pytest.mark.parametrize("mode", MODES)
def test_a_client_goes_from_a_name_to_numbers(url: str, mode: str) -> None:
    secret, campaign_id, user_id = make_place("Acme", 3)

    async def converse() -> list[Any]:
        async with client(url, secret, mode) as connected:
            tools = (await connected.list_tools()).tools
            answer = await answer_of(connected, "campaign_find", {"query": "spring"})
            campaign = answer["campaigns"][0]["publicId"]
            people = await answer_of(connected, "user_find", {"query": "ada"})
            user = people["users"][0]["publicId"]
            performance = await answer_of(
                connected, "stats_get_campaign_performance", PERIOD | {"campaignPublicId": campaign}
            )
            metrics = await answer_of(connected, "stats_get_user_metrics", PERIOD | {"userPublicId": user})
            overview = await answer_of(connected, "stats_get_workspace_overview", PERIOD)
            return [len(tools), campaign, user, performance["metrics"], metrics["metrics"], overview["totals"]]

    assert anyio.run(converse) == [
        5,
        campaign_id,
        user_id,
        {
            "clicks": 3,
            "shareOfCampaignClicks": 1.0,
            "bestDay": {"date": "2026-03-09", "clicks": 3},
            "assignedUsers": 0,
        },
        {
            "campaignClicks": 3,
            "vcardClicks": 0,
            "otherClicks": 0,
            "totalClicks": 3,
            "campaignAssignments": 0,
            "aliases": 0,
        },
        {"campaignClicks": 3, "vcardClicks": 0, "totalClicks": 3},
    ]
    clients = set(ToolCall.objects.values_list("surface", "client"))
    [(surface, name)] = clients
    assert surface == "mcp"
    assert name.startswith("mcp/" if mode == "auto" else "python-httpx2/")


@pytest.mark.parametrize("mode", MODES)
def test_a_client_with_a_wrong_key_does_not_get_in(url: str, mode: str) -> None:
    async def knock() -> None:
        async with client(url, "sk_wrong", mode) as connected:
            await connected.list_tools()

    with pytest.raises(BaseException) as caught:  # noqa: PT011  # the SDK raises groups of exceptions, in each version other ones
        anyio.run(knock)
    assert "401" in describe(caught.value) or "API key" in describe(caught.value)


def describe(error: BaseException) -> str:
    """The texts of an exception and of all inside it."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return "\n".join([repr(error), *map(describe, inner)])


def test_callers_at_the_same_time_never_see_each_other(url: str) -> None:
    places = {"Acme": make_place("Acme", 3), "Globex": make_place("Globex", 5)}
    clicks = {"Acme": 3, "Globex": 5}

    def converse(number: int) -> list[Any]:
        name = ("Acme", "Globex")[number % 2]
        secret, campaign_id, _ = places[name]

        async def ask() -> list[Any]:
            seen = []
            async with client(url, secret, MODES[number // 2 % 2]) as connected:
                for _ in range(ROUNDS):
                    overview = await answer_of(connected, "stats_get_workspace_overview", PERIOD)
                    answer = await answer_of(connected, "campaign_find", {})
                    ids = [campaign["publicId"] for campaign in answer["campaigns"]]
                    seen.append((overview["workspace"]["name"], overview["totals"]["totalClicks"], ids))
            return [answer for answer in seen if answer != (name, clicks[name], [campaign_id])]

        return anyio.run(ask)

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(converse, range(THREADS))) == [[]] * THREADS
    assert ToolCall.objects.filter(outcome="ok", surface="mcp").count() == THREADS * ROUNDS * 2


@pytest.mark.parametrize("kind", [kind for kind in SERVERS if kind != "gunicorn-threads"])
def test_it_runs_under_other_servers(kind: str) -> None:
    secret, _, _ = make_place("Acme", 2)

    async def ask(url: str, mode: str) -> int:
        async with client(url, secret, mode) as connected:
            overview = await answer_of(connected, "stats_get_workspace_overview", PERIOD)
            return int(overview["totals"]["totalClicks"])

    with serving(kind) as address:
        assert [anyio.run(ask, address, mode) for mode in MODES] == [2, 2]
