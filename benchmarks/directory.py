"""What importing people costs: `import_users` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks import databases
from benchmarks.cpu import Cost
from benchmarks.databases import SCRATCH
from stats_app.models import Workspace

USERS, ALIASES = 5_000, 2
NEW, AGAIN = "all new", "again, unchanged"  # the runs
SAID = {
    NEW: f"created {USERS:,}, updated 0, unchanged 0, rejected 0.",
    AGAIN: f"created 0, updated 0, unchanged {USERS:,}, rejected 0.",
}


class Saved(NamedTuple):
    """What one run cost: the CPU milliseconds until Python and Django had started, and then the import."""

    start: float
    cost: Cost


def run(log: Callable[[str], None]) -> dict[str, Saved]:
    """Imports the same file twice, into a workspace that is empty at first."""
    databases.recreate(SCRATCH)
    with databases.on(SCRATCH), TemporaryDirectory() as folder:
        workspace = Workspace.objects.create(name="People")
        path = Path(folder, "people.csv")
        path.write_text("".join(_lines()), encoding="utf-8")
        by_run = {}
        for name, said in SAID.items():
            log(f"Importing {USERS:,} users: {name} ...")
            by_run[name] = _import(path, workspace, said)
    databases.drop(SCRATCH)
    return by_run


def _lines() -> Iterator[str]:
    yield "externalId,email,displayName,aliases\n"
    for n in range(USERS):
        aliases = " ".join(f"alias{n}.{m}@example.com" for m in range(ALIASES))
        yield f"{n:06},user{n}@example.com,Given{n} Family{n},{aliases}\n"


def _import(path: Path, workspace: Workspace, expected: str) -> Saved:
    command = [sys.executable, "-m", "benchmarks.timed", "import_users", str(path), "--workspace", workspace.public_id]
    environment = os.environ | {"BENCH_ALIAS": SCRATCH}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, costs = done.stdout.splitlines()
    assert said == expected, said
    start, cost = json.loads(costs)
    return Saved(start, Cost(*cost))
