"""The cost of following a link, compared with a view that stores one row; and the cost of judging a visit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from unittest.mock import patch

from benchmarks import databases, filling
from benchmarks.databases import SCRATCH
from benchmarks.imports import AGENTS
from benchmarks.servers import serving
from stats_app import user_agents, verdicts
from stats_app.links import LinkInput, create_links
from stats_app.models import WorkspaceUser
from stats_app.verdicts import Visit

LINKS = 1_000
CALLS = 100  # in a round
NEW_AGENTS = 2_000
FOLLOWED, PLAIN = "a link followed, its click recorded and counted", "plain DRF view, one INSERT"


@dataclass(frozen=True)
class Followed:
    """Calls a second in each round, and microseconds to judge a visit: of a new browser by our rules, and with the
    package crawlerdetect, which the extra `bots` installs."""

    rates: dict[str, list[float]]
    known_agent: float
    new_agent: float
    new_agent_with_bots: float

    @property
    def share(self) -> float:
        """The redirect's rate divided by the plain view's: the median of the ratios in each round."""
        return median(ours / plain for ours, plain in zip(self.rates[FOLLOWED], self.rates[PLAIN], strict=True))


def run(rounds: int, log: Callable[[str], None]) -> Followed:
    """Follows links of one workspace, each visitor from another network, and requests the plain view in turn."""
    log(f"Following links in {rounds} rounds ...")
    databases.recreate(SCRATCH)
    with databases.on(SCRATCH), serving(SCRATCH) as server:
        workspace = filling.make_workspace("Links", 1, LINKS)
        users = WorkspaceUser.objects.filter(workspace=workspace)
        inputs = [LinkInput("vcard", "https://www.example.com/vcard/", user=user) for user in users]
        links = [f"/c/{link.token}" for link in create_links(workspace, inputs).links if link is not None]
        numbers = count()
        rates: dict[str, list[float]] = {FOLLOWED: [], PLAIN: []}
        for _ in range(rounds + 1):
            for name, paths in ((FOLLOWED, links), (PLAIN, [f"/plain/insert/?workspace={workspace.pk}"])):
                started = time.perf_counter()
                for number in (next(numbers) for _ in range(CALLS)):
                    server.get(paths[number % len(paths)], headers=_browser(number), status=302)
                rates[name].append(CALLS / (time.perf_counter() - started))
    databases.drop(SCRATCH)
    warm = {name: measured[1:] for name, measured in rates.items()}
    new = [f"{agent} Own/{number}" for number, agent in zip(range(2 * NEW_AGENTS), AGENTS * 10, strict=False)]
    with patch.object(user_agents, "_crawlerdetect", lambda: None):
        known = _microseconds(AGENTS[:1] * NEW_AGENTS)
        rules = _microseconds(new[:NEW_AGENTS])
    return Followed(warm, known, rules, new_agent_with_bots=_microseconds(new[NEW_AGENTS:]))


def _browser(number: int) -> dict[str, str]:
    address = f"{10 + number // 65536 % 200}.{number // 256 % 256}.{number % 256}.1"
    return {
        "User-Agent": AGENTS[number % len(AGENTS)],
        "Accept-Language": "en-GB,en;q=0.9",
        "Sec-Fetch-Mode": "navigate",
        "X-Forwarded-For": address,
    }


def _microseconds(agents: list[str]) -> float:
    for agent in ("warm", AGENTS[0]):
        verdicts.judge(Visit(user_agent=agent, accept_language="en"))
    started = time.process_time()
    for agent in agents:
        verdicts.judge(Visit(user_agent=agent, accept_language="en"))
    return (time.process_time() - started) / len(agents) * 1e6
