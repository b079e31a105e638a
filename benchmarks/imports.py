"""Time and memory of importing files: the command runs in a separate process, on files sorted by time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from benchmarks import databases, filling, workload
from benchmarks.databases import SCRATCH
from stats_app.models import TrackedLink, Workspace
from stats_app.models.clicks import CAMPAIGN

USERS = 5_000
CSV, LOG = "CSV with ids", "combined log"  # the files
_PAUSE = 0.1  # seconds between two looks at the memory
AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{120 + n % 30}.0.{n}.0 "
    "Safari/537.36"
    for n in range(500)
]


@dataclass(frozen=True)
class Imported:
    """The time and memory for one file."""

    lines: int
    seconds: float
    peak_megabytes: float

    @property
    def rate(self) -> float:
        return self.lines / self.seconds


def run(lines: int, log: Callable[[str], None]) -> dict[str, Imported]:
    """Imports one file of each kind, each into an empty workspace."""
    databases.recreate(SCRATCH)
    by_format = {}
    with databases.on(SCRATCH), TemporaryDirectory() as folder:
        for name, write, options in ((CSV, _write_csv, []), (LOG, _write_log, ["--format", "combined"])):
            log(f"Importing {lines:,} lines: {name} ...")
            workspace = filling.make_workspace(name, workload.CAMPAIGNS, USERS)
            path = Path(folder, "clicks")
            with path.open("w", encoding="utf-8") as file:
                file.writelines(write(workspace, lines))
            by_format[name] = _import(path, workspace, lines, options)
    databases.drop(SCRATCH)
    return by_format


def _write_csv(workspace: Workspace, lines: int) -> Iterator[str]:
    names = filling.Names(workspace)
    columns = ("id", "kind", "campaignPublicId", "userPublicId", "clickedAt")
    yield ",".join(columns) + "\r\n"
    for click in workload.clicks(lines, USERS):
        item = names.json_item(click)
        yield ",".join([item.get(column, "") for column in columns]) + "\r\n"


def _write_log(workspace: Workspace, lines: int) -> Iterator[str]:
    """Every line a followed link of one user and campaign, without ids."""
    tokens = _make_links(workspace)
    for number, click in enumerate(workload.clicks(lines, USERS)):
        yield (
            f"203.0.113.{number % 251} - - [{click.clicked_at:%d/%b/%Y:%H:%M:%S +0000}] "
            f'"GET /c/{tokens[click.user]} HTTP/2.0" 302 0 "-" "{AGENTS[number % len(AGENTS)]}"\n'
        )


def _make_links(workspace: Workspace) -> list[str]:
    names = filling.Names(workspace)
    links = [
        TrackedLink(
            workspace=workspace,
            token=f"token{user}",
            fingerprint=f"token{user}",
            kind=CAMPAIGN,
            campaign_id=names.campaigns[rank % workload.CAMPAIGNS][0],
            user_id=user,
        )
        for rank, (user, _) in enumerate(names.users)
    ]
    return [link.token for link in TrackedLink.objects.bulk_create(links)]


def _import(path: Path, workspace: Workspace, lines: int, options: list[str]) -> Imported:
    command = [sys.executable, "-m", "django", "import_clicks", str(path), "--workspace", workspace.public_id, *options]
    environment = os.environ | {"BENCH_ALIAS": SCRATCH}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = _peak_kilobytes(process)
    said, timed = _read(process.stdout), _read(process.stderr)
    assert process.returncode == 0, timed
    assert said == f"accepted {lines:,}, duplicates 0, rejected 0.\n", said
    [seconds] = re.findall(r"lines in ([0-9.]+) s", timed)
    return Imported(lines, float(seconds), peak / 1024)


def _peak_kilobytes(process: subprocess.Popen[str]) -> int:
    """Waits for the process, and returns the most memory it had. Not `ru_maxrss`, which includes the memory of the
    benchmark from before the command took its place."""
    peak = 0
    while process.poll() is None:
        high_water = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        peak = int(high_water[1]) if high_water else peak
        time.sleep(_PAUSE)
    return peak


def _read(stream: TextIO | None) -> str:
    assert stream is not None
    with stream:
        return stream.read()
