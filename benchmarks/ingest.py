"""The cost of recording clicks, and their size: in arrival order and in random order, each in a separate database; by
`record_clicks`, by `POST clicks/`, and by COPY into a similar table. Also the rate on SQLite."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from statistics import median

from django.db import connections

from benchmarks import databases, filling, workload
from benchmarks.cases import Case, floor_case
from benchmarks.cpu import Cost, Meter
from benchmarks.databases import SCRATCH, SQLITE
from benchmarks.filling import BATCH
from benchmarks.servers import Server, serving
from benchmarks.workload import WorkloadClick
from stats_app.ingest import record_clicks
from stats_app.models import Workspace

USERS = 5_000
POSTED = 5  # clicks recorded by `record_clicks` for each one by `POST clicks/`
SINGLE = 2_000  # clicks that are recorded one by one on SQLite
FLOOR_CALLS = 300  # in a round, so that they take as long as some batches: the speed of a machine varies
ARRIVAL, RANDOM = "in arrival order", "in random order"
RECORD, POST, COPY = "`record_clicks`", "`POST clicks/`", "COPY into a table like ours, no rollups"


@dataclass
class Ingest:
    """The cost of a batch of `BATCH` clicks in each round, the cost of the floor, and the bytes of a click."""

    floor: Case
    costs: dict[str, list[Cost]] = field(default_factory=lambda: {RECORD: [], POST: [], COPY: []})
    bytes_per_click: float = 0.0

    def typical(self, way: str) -> Cost:
        """The median round, part by part."""
        return Cost(*(median(parts) for parts in zip(*self.costs[way], strict=True)))

    def floors(self, way: str) -> float:
        """CPU of a batch as a multiple of the floor's: the median of the ratios in each round."""
        return median(cost.cpu / floor.cpu for cost, floor in zip(self.costs[way], self.floor.costs, strict=True))

    def rate(self, way: str) -> float:
        """Clicks a second of wall time."""
        return BATCH / self.typical(way).wall * 1000


@dataclass(frozen=True)
class OnSqlite:
    """Clicks a second of CPU: the database works in the same process."""

    in_batches: float
    single: float


def run(clicks: int, rounds: int, log: Callable[[str], None]) -> dict[str, Ingest]:
    """The same clicks in both orders."""
    made = sorted(workload.clicks(clicks, USERS), key=lambda click: click.clicked_at)
    shuffled = random.Random(workload.SEED).sample(made, len(made))
    return {order: _run(order, ordered, rounds, log) for order, ordered in ((ARRIVAL, made), (RANDOM, shuffled))}


def _run(order: str, clicks: list[WorkloadClick], rounds: int, log: Callable[[str], None]) -> Ingest:
    log(f"{len(clicks):,} clicks come in {order} ...")
    databases.recreate(SCRATCH)
    with databases.on(SCRATCH), serving(SCRATCH) as server:
        workspace = filling.make_workspace("Ingest", workload.CAMPAIGNS, USERS)
        ways = _Ways(workspace, server)
        result = Ingest(replace(floor_case(SCRATCH, workspace.pk), calls=FLOOR_CALLS))
        for part in filling.in_batches(clicks, max((POSTED + 1) * BATCH, len(clicks) // rounds)):
            batches = list(filling.in_batches(part, BATCH))
            posted = max(1, len(batches) // (POSTED + 1))
            result.floor.run(server)
            # In this order, so that all clicks come in in the order that is measured.
            result.costs[POST].append(ways.post(batches[:posted]))
            result.costs[RECORD].append(ways.record(batches[posted:]))
            result.costs[COPY].append(ways.copy(batches[posted:]))
        result.bytes_per_click = _bytes_per_click()
    databases.drop(SCRATCH)
    return result


class _Ways:
    """The ways of recording clicks in one workspace. Each returns the cost of a batch."""

    def __init__(self, workspace: Workspace, server: Server) -> None:
        self.workspace = workspace
        self.server = server
        self.names = filling.Names(workspace)
        self.secret = filling.make_keys(workspace)[0]
        # The first request and the first call load code and data that later ones do not have to load.
        self.post([[]])
        record_clicks(workspace, [])
        with connections[SCRATCH].cursor() as cursor:
            cursor.execute(f"CREATE TABLE {_COPY_TABLE} (LIKE stats_app_click INCLUDING ALL)")

    def record(self, batches: list[list[WorkloadClick]]) -> Cost:
        inputs = [[self.names.click_input(click) for click in batch] for batch in batches]
        meter = Meter(None, SCRATCH)
        meter.start()
        accepted = sum(record_clicks(self.workspace, batch).accepted for batch in inputs)
        return _checked(meter.stop(), batches, accepted)

    def copy(self, batches: list[list[WorkloadClick]]) -> Cost:
        meter = Meter(None, SCRATCH)
        meter.start()
        for batch in batches:
            filling.copy_lines(map(self.names.copy_line, batch), _COPY_TABLE)
        return meter.stop().per(len(batches))

    def post(self, batches: list[list[WorkloadClick]]) -> Cost:
        bodies = [
            json.dumps({"clicks": [self.names.json_item(click) for click in batch]}).encode() for batch in batches
        ]
        meter = Meter(self.server, SCRATCH)
        meter.start()
        answers = [json.loads(self.server.post("/api/v1/clicks/", self.secret, body)) for body in bodies]
        return _checked(meter.stop(), batches, sum(answer["accepted"] for answer in answers))


_COPY_TABLE = "copied_click"


def _checked(cost: Cost, batches: list[list[WorkloadClick]], accepted: int) -> Cost:
    """The cost for a batch of `BATCH` clicks, also if the last batch was smaller."""
    sent = sum(map(len, batches))
    assert accepted == sent, (accepted, sent)
    return cost.per(sent / BATCH) if sent else cost


def _bytes_per_click() -> float:
    with connections[SCRATCH].cursor() as cursor:
        cursor.execute(
            "SELECT (pg_total_relation_size('stats_app_click') + pg_total_relation_size('stats_app_rollup'))::float "
            "/ (SELECT count(*) FROM stats_app_click)"
        )
        return float(cursor.fetchone()[0])


def on_sqlite(clicks: int, log: Callable[[str], None]) -> OnSqlite:
    """Records clicks in arrival order on SQLite, in batches and then one by one."""
    log(f"{clicks:,} clicks come in on SQLite ...")
    databases.recreate_sqlite()
    with databases.on(SQLITE):
        workspace = filling.make_workspace("Ingest", workload.CAMPAIGNS, USERS)
        names = filling.Names(workspace)
        made = sorted(workload.clicks(clicks + SINGLE, USERS), key=lambda click: click.clicked_at)
        inputs = [names.click_input(click) for click in made]
        many, single = inputs[:clicks], inputs[clicks:]
        return OnSqlite(
            _rate(workspace, filling.in_batches(iter(many), BATCH)), _rate(workspace, ([one] for one in single))
        )


def _rate(workspace: Workspace, batches: Iterator[list[filling.ClickInput]]) -> float:
    started = time.process_time()
    accepted = sum(record_clicks(workspace, batch).accepted for batch in batches)
    return accepted / (time.process_time() - started)
