"""CPU time of the application and of PostgreSQL, to the nanosecond, as the kernel's scheduler counts it.

The ticks of `/proc/*/stat` are 10 ms, too coarse for a hundred calls of one millisecond. For PostgreSQL only the
backends of the measured database count, so that other programs on the machine do not matter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.db import connections

from benchmarks.servers import Server


class Cost(NamedTuple):
    """The cost of some calls, in milliseconds."""

    application: float
    database: float
    wall: float

    @property
    def cpu(self) -> float:
        return self.application + self.database

    def per(self, calls: float) -> Cost:
        return Cost(*(part / calls for part in self))


@dataclass
class Meter:
    """Measures the CPU time between `start` and `stop`, of one server or of this process, and of the database."""

    server: Server | None
    alias: str
    _started: Cost | None = None

    def start(self) -> None:
        self._started = self._now()

    def stop(self) -> Cost:
        assert self._started is not None
        return Cost(*(after - before for after, before in zip(self._now(), self._started, strict=True)))

    def _now(self) -> Cost:
        processes = [os.getpid()] if self.server is None else self.server.processes
        postgresql = _run_time(backends(self.alias, own=self.server is None))
        return Cost(_run_time(processes), postgresql, time.perf_counter() * 1000)


def backends(alias: str, *, own: bool) -> list[int]:
    """The PostgreSQL processes of the database: with `own` the one of this connection, else all the others."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND (pid = pg_backend_pid()) = %s AND backend_type = 'client backend'",
            [own],
        )
        return [pid for (pid,) in cursor.fetchall()]


def _run_time(processes: Iterable[int]) -> float:
    """Milliseconds that all threads of the processes have run."""
    threads = (path for pid in processes for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in threads) / 1e6
