"""How fast clicks come in, and how much room they take: in a database of its own, in random order of time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from django.db import connections

from benchmarks import databases, filling, workload
from benchmarks.cpu import Meter
from benchmarks.databases import SCRATCH
from benchmarks.filling import BATCH
from benchmarks.servers import Server, serving
from benchmarks.workload import WorkloadClick
from stats_app.ingest import record_clicks
from stats_app.models import Workspace

USERS = 5_000
POSTED = 5  # one in so many clicks is posted


@dataclass
class Ingest:
    """Clicks a second in each round, and what it came to."""

    recorded: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    posted: list[float] = field(default_factory=list)
    post_cpu: list[float] = field(default_factory=list)
    bytes_per_click: float = 0.0

    @property
    def share_of_copy(self) -> float:
        return median(ours / copy for ours, copy in zip(self.recorded, self.copied, strict=True))


def run(clicks: int, rounds: int, log: Callable[[str], None]) -> Ingest:
    """Records `clicks` clicks and copies the same ones, round by round; then posts more of them."""
    databases.recreate(SCRATCH)
    result = Ingest()
    with databases.on(SCRATCH):
        workspace = filling.make_workspace("Ingest", workload.CAMPAIGNS, USERS)
        names = filling.Names(workspace)
        made = list(workload.clicks(clicks + clicks // POSTED, USERS))
        random.Random(workload.SEED).shuffle(made)
        _make_copy_table()
        log(f"Recording {clicks:,} clicks in batches of {BATCH:,}, and the same by COPY ...")
        step = clicks // rounds
        for number in range(rounds):
            part = made[number * step : (number + 1) * step]
            result.recorded.append(_record(workspace, names, part))
            result.copied.append(_copy(workspace, part))
        result.bytes_per_click = _bytes_per_click()
        log(f"Posting {clicks // POSTED:,} clicks, {BATCH:,} a request ...")
        with serving(SCRATCH) as server:
            _post(server, workspace, names, made[clicks:], rounds, result)
    databases.drop(SCRATCH)
    return result


def _record(workspace: Workspace, names: filling.Names, clicks: list[WorkloadClick]) -> float:
    batches = list(filling.in_batches(map(names.click_input, clicks), BATCH))
    started = time.perf_counter()
    accepted = sum(record_clicks(workspace, batch).accepted for batch in batches)
    assert accepted == len(clicks), accepted
    return accepted / (time.perf_counter() - started)


def _copy(workspace: Workspace, clicks: list[WorkloadClick]) -> float:
    started = time.perf_counter()
    filling.copy_clicks(workspace, clicks, _COPY_TABLE)
    return len(clicks) / (time.perf_counter() - started)


def _post(
    server: Server,
    workspace: Workspace,
    names: filling.Names,
    clicks: list[WorkloadClick],
    rounds: int,
    result: Ingest,
) -> None:
    bodies = [
        json.dumps({"clicks": [names.json_item(click) for click in batch]}).encode()
        for batch in filling.in_batches(clicks, BATCH)
    ]
    secret = filling.make_keys(workspace)[0]
    post = "/api/v1/clicks/"
    server.post(post, secret, bodies[0])
    step = max(1, len(bodies) // rounds)
    for part in filling.in_batches(bodies[1:], step):
        meter = Meter(server, SCRATCH)
        meter.start()
        accepted = sum(json.loads(server.post(post, secret, body))["accepted"] for body in part)
        cost = meter.stop()
        result.posted.append(accepted / cost.wall * 1000)
        result.post_cpu.append(cost.cpu / len(part))


_COPY_TABLE = "copied_click"


def _make_copy_table() -> None:
    """The table that COPY fills: with the columns, indexes and constraints of ours."""
    with connections[SCRATCH].cursor() as cursor:
        cursor.execute(f"CREATE TABLE {_COPY_TABLE} (LIKE stats_app_click INCLUDING ALL)")


def _bytes_per_click() -> float:
    with connections[SCRATCH].cursor() as cursor:
        cursor.execute(
            "SELECT (pg_total_relation_size('stats_app_click') + pg_total_relation_size('stats_app_rollup'))::float "
            "/ (SELECT count(*) FROM stats_app_click)"
        )
        return float(cursor.fetchone()[0])
