"""The requests to the running servers. Each round runs all cases in turn, so that a slow minute affects them all."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from statistics import median
from urllib.parse import parse_qsl

from django.db import connections

from benchmarks import filling, mcp
from benchmarks.cpu import Cost, Meter
from benchmarks.databases import MAIN, SMALL, on
from benchmarks.servers import Server
from benchmarks.workload import LAST_DAY
from stats_app.models import Campaign, Workspace, WorkspaceUser

FLOOR = "floor"
OVERVIEW_30, OVERVIEW_365 = "overview, 30 days", "overview, 365 days by day"
CAMPAIGN, USER = "campaign performance, 365 days", "user metrics, 365 days"
TOOLS = (OVERVIEW_30, OVERVIEW_365, CAMPAIGN, USER)
MANY_CAMPAIGNS = "overview, 365 days by day, 1,000 campaigns"
# A tool over MCP, and the same over REST.
MCP_CALLS = {f"{name} over MCP {era}": (name, era) for name in (OVERVIEW_30, OVERVIEW_365) for era in mcp.ERAS}
PLAIN = {
    "plain Django, clicks by day, 30 days": ("days", 30),
    "plain Django, clicks by day, 365 days": ("days", 365),
    "plain Django, whole overview, 30 days": ("overview", 30),
    "plain Django, whole overview, 365 days": ("overview", 365),
}
NAMES = (FLOOR, *TOOLS, *MCP_CALLS, MANY_CAMPAIGNS, *PLAIN)

CALLS = 25  # in a round; few, so that the speed of the machine hardly changes during a round
CALLS_OF_SLOW = 5
WARMING = 10  # calls before the first round, not measured, to load everything and prepare all statements
COMPARED_ROUNDS = 3  # for plain Django, which is slow, and whose times vary little


@dataclass
class Case:
    """One request to one server, and its cost per call in each round."""

    name: str
    alias: str
    path: str
    calls: int = CALLS
    secrets: Iterable[str] = ("",)
    body: builtins.bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    costs: list[Cost] = field(default_factory=list)

    def run(self, server: Server) -> None:
        """Runs one round."""
        secrets = cycle(self.secrets)
        if not self.costs:
            for _ in range(min(WARMING, self.calls)):
                self.bytes = len(self.ask(server, next(secrets)))
        meter = Meter(server, self.alias)
        meter.start()
        for _ in range(self.calls):
            self.ask(server, next(secrets))
        self.costs.append(meter.stop().per(self.calls))

    def ask(self, server: Server, secret: str) -> builtins.bytes:
        if self.body is None:
            return server.get(self.path, secret, self.headers)
        return server.post(self.path, secret, self.body, self.headers)

    @property
    def typical(self) -> Cost:
        """The median round, part by part."""
        return Cost(*(median(parts) for parts in zip(*self.costs, strict=True)))

    def beyond(self, other: Case) -> float:
        """The difference of CPU to another case, in milliseconds: the median of the differences in each round."""
        return median(mine.cpu - its.cpu for mine, its in zip(self.costs, other.costs, strict=False))

    def over(self, other: Case) -> float:
        """CPU as a multiple of another case's: the median of the ratios in the rounds that both were in."""
        return median(mine.cpu / its.cpu for mine, its in zip(self.costs, other.costs, strict=False))


def cases_of(alias: str) -> list[Case]:
    """The floor and the tools in one database; in the main one the comparisons, too."""
    with on(alias):
        workspace = Workspace.objects.get(name=filling.CLICKS)
        many = Workspace.objects.get(name=filling.MANY_CAMPAIGNS)
        campaign = Campaign.objects.filter(workspace=workspace).earliest("pk").public_id
        user = WorkspaceUser.objects.filter(workspace=workspace).earliest("pk").public_id
        secrets, secrets_of_many = filling.make_keys(workspace), filling.make_keys(many)
    year = last_days(365)
    tools = [
        Case(OVERVIEW_30, alias, f"/api/v1/workspace/overview/?{last_days(30)}", secrets=secrets),
        Case(OVERVIEW_365, alias, f"/api/v1/workspace/overview/?{year}&breakdown=day", secrets=secrets),
        Case(CAMPAIGN, alias, f"/api/v1/campaigns/{campaign}/performance/?{year}", secrets=secrets),
        Case(USER, alias, f"/api/v1/users/{user}/metrics/?{year}", secrets=secrets),
    ]
    if alias == SMALL:
        return tools
    path = f"/api/v1/workspace/overview/?{year}&breakdown=day"
    slow = [Case(MANY_CAMPAIGNS, alias, path, CALLS_OF_SLOW, secrets_of_many)]
    for name, (view, days) in PLAIN.items():
        path = f"/plain/{view}/?workspace={workspace.pk}&{last_days(days)}"
        slow.append(Case(name, alias, path, calls=1))
    return [floor_case(alias, workspace.pk), *tools, *_mcp_cases(alias, secrets), *slow]


def _mcp_cases(alias: str, secrets: Iterable[str]) -> list[Case]:
    days = {OVERVIEW_30: 30, OVERVIEW_365: 365}
    cases = []
    for name, (same, era) in MCP_CALLS.items():
        arguments = dict(parse_qsl(last_days(days[same]))) | ({"breakdown": "day"} if same == OVERVIEW_365 else {})
        body, headers = mcp.tool_call(era, "stats_get_workspace_overview", arguments)
        cases.append(Case(name, alias, mcp.PATH, secrets=secrets, body=body, headers=headers))
    return cases


def run(servers: dict[str, Server], rounds: int, log: Callable[[str], None]) -> dict[tuple[str, str], Case]:
    """The cases of all servers after `rounds` rounds, by database and name."""
    cases = [case for alias in servers for case in cases_of(alias)]
    # The same tool in both databases one after the other, because they are compared.
    cases.sort(key=lambda case: NAMES.index(case.name))
    for number in range(rounds):
        log(f"Round {number + 1} of {rounds} ...")
        for alias in servers:
            _let_a_minute_pass(alias)
        for case in cases:
            if case.name not in PLAIN or number < COMPARED_ROUNDS:
                filling.record_some_more(case.alias)
                case.run(servers[case.alias])
    return {(case.alias, case.name): case for case in cases}


def growth(cases: dict[tuple[str, str], Case]) -> dict[str, float]:
    """The cost of each tool in the main database, divided by its cost in the small one."""
    return {name: cases[MAIN, name].over(cases[SMALL, name]) for name in TOOLS}


def floor_case(alias: str, workspace_id: int) -> Case:
    return Case(FLOOR, alias, f"/floor/?workspace={workspace_id}")


def last_days(days: int, last: date = LAST_DAY) -> str:
    """The query of an address for the last days of the workload."""
    return f"from={last - timedelta(days=days - 1)}&to={last}"


def _let_a_minute_pass(alias: str) -> None:
    """Moves the times of all calls back by a minute, because of the rate limit, which keeps its default of 30 calls."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "UPDATE stats_app_callwindow SET passed = (SELECT jsonb_agg(called_at::bigint - 60000000 ORDER BY place) "
            "FROM jsonb_array_elements(passed) WITH ORDINALITY AS times (called_at, place))"
        )
