"""The results as tables: for the terminal and for the documentation."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from django.db import connections

from benchmarks import cases as asked
from benchmarks import directory
from benchmarks import pages as asked_pages
from benchmarks.cases import Case
from benchmarks.cpu import Cost
from benchmarks.databases import MAIN
from benchmarks.directory import Saved
from benchmarks.imports import Imported
from benchmarks.ingest import ARRIVAL, COPY, POST, RECORD, Ingest, OnSqlite
from benchmarks.redirects import FOLLOWED, PLAIN, Followed

PACKAGES = ("Django", "djangorestframework", "psycopg", "orjson", "mcp", "gunicorn")
PROSE = """\
CPU is the time of the application and of PostgreSQL for one call. A multiple is that CPU divided by the CPU of the
floor in the same round. The floor is a DRF view that reads one row by its primary key and answers with 0.9 KB of JSON.
Tools are called over HTTP, with API key, rate limit and audit row, on one connection to gunicorn with two workers. Each
figure is the median of several rounds. In each round all cases are called in turn, after some more clicks have come in.
A case always asks for the same period. In the table, a release has to reach `must`, and we aim at `goal`.
"""


@dataclass(frozen=True)
class Row:
    """One limit: the value that must be reached, the goal, and the measured value."""

    what: str
    must: str
    goal: str
    reached: str


@dataclass(frozen=True)
class Results:
    """All results of one run."""

    size: int
    small_size: int
    staff_size: int
    cases: dict[tuple[str, str], Case]
    pages: dict[str, Case]
    ingest: dict[str, Ingest]
    on_sqlite: OnSqlite
    followed: Followed
    imports: dict[str, Imported]
    people: dict[str, Saved]
    load: tuple[float, float]  # of the machine, before and after

    def rows(self) -> list[Row]:
        growth = asked.growth(self.cases)
        worst = max(growth, key=lambda name: growth[name])
        sizes = f"{self.size:,} clicks over those at {self.small_size:,}"
        arrival, sqlite, followed = self.ingest[ARRIVAL], self.on_sqlite, self.followed
        year = "365 days by day"
        overview, dearest = self.pages[asked_pages.OVERVIEW], asked_pages.dearest(self.pages)
        longest, uncounted = asked_pages.dearest_list(self.pages), self.pages[asked_pages.UNCOUNTED_LIST]
        users = f"`import_users`, {directory.USERS:,} with {directory.ALIASES} aliases each"
        return [
            Row("overview, 30 days, no breakdown", "3 ×", "1.5 ×", self._multiple(asked.OVERVIEW_30)),
            Row(f"overview, {year}, 10 campaign series", "6 ×", "4.2 ×", self._multiple(asked.OVERVIEW_365)),
            Row("campaign performance, 365 days, the largest", "3 ×", "1.7 ×", self._multiple(asked.CAMPAIGN)),
            Row("user metrics, 365 days, the largest", "3 ×", "1.7 ×", self._multiple(asked.USER)),
            Row(f"these at {sizes}", "1.3 ×", "1.1 ×", f"{growth[worst]:.2f} × ({worst})"),
            Row(f"overview, {year}, 1,000 campaigns", "12 ×", "8 ×", self._multiple(asked.MANY_CAMPAIGNS)),
            Row("a tool over MCP: CPU ms more than over REST", "2.0", "1.5", self._beyond_rest()),
            Row(f"staff page: {asked_pages.OVERVIEW}: CPU ms", "300", "", f"{overview.typical.cpu:.0f}"),
            Row("any page of staff or of the admin: CPU ms", "300", "", f"{dearest.typical.cpu:.0f} ({dearest.name})"),
            Row("a list of 100,000 users: CPU ms", "300", "", f"{longest.typical.cpu:.0f} ({longest.name})"),
            Row("its first page, sorted by name: CPU ms", "60", "", f"{uncounted.typical.cpu:.0f}"),
            Row(f"{RECORD}, 1,000 clicks a batch", "", "14.5 ×", f"{arrival.floors(RECORD):.1f} ×"),
            Row(f"{POST}, 1,000 clicks a request", "", "17.5 ×", f"{arrival.floors(POST):.1f} ×"),
            Row("bytes a click, indexes and rollups too", "230", "205", f"{arrival.bytes_per_click:.0f}"),
            Row("on SQLite, 1,000 a batch: clicks a CPU second", "", "30,000", f"{sqlite.in_batches:,.0f}"),
            Row("on SQLite, one by one: clicks a CPU second", "", "2,000", f"{sqlite.single:,.0f}"),
            Row("a link followed, over one INSERT: calls a second", "0.4", "0.7", f"{followed.share:.2f}"),
            Row("judging a new browser: µs", "60", "", f"{followed.new_agent:.1f}"),
            Row("the same with crawlerdetect: µs", "", "", f"{followed.new_agent_with_bots:.1f}"),
            Row("judging a known browser: µs", "2", "", f"{followed.known_agent:.2f}"),
            *(
                Row(f"`import_clicks`, {name}: lines a second", "15,000", "20,000", f"{file.rate:,.0f}")
                for name, file in self.imports.items()
            ),
            Row("`import_clicks`: MB of memory at most", "200", "", self._memory()),
            Row(f"{users}, {directory.NEW}: CPU s", "", "3", self._seconds(directory.NEW)),
            Row(f"{users}, {directory.AGAIN}: CPU s", "", "1", self._seconds(directory.AGAIN)),
        ]

    def _multiple(self, name: str) -> str:
        return f"{self.cases[MAIN, name].over(self.cases[MAIN, asked.FLOOR]):.2f} ×"

    def _multiple_of_page(self, page: Case) -> str:
        return f"{page.over(self.pages[asked.FLOOR]):.1f} ×"

    def _beyond_rest(self) -> str:
        more = {
            name: self.cases[MAIN, name].beyond(self.cases[MAIN, rest]) for name, (rest, _) in asked.MCP_CALLS.items()
        }
        worst = max(more, key=lambda name: more[name])
        return f"{more[worst]:.2f} ({worst})"

    def _memory(self) -> str:
        dearest = max(self.imports.values(), key=lambda file: file.peak_megabytes)
        return f"{dearest.peak_megabytes:.0f} ({dearest.lines:,} lines)"

    def _seconds(self, name: str) -> str:
        start, cost = self.people[name]
        application, database = cost.application / 1000, cost.database / 1000
        parts = f"application {application:.2f}, database {database:.2f}; before it {start / 1000:.2f} to start"
        return f"{cost.cpu / 1000:.2f} ({parts})"

    def costs(self) -> list[list[str]]:
        """The cost of each case per call, in milliseconds."""
        return [
            [name if alias == MAIN else f"{name}, at {self.small_size:,} clicks", *_figures(case)]
            for (alias, name), case in self.cases.items()
        ]

    def costs_of_pages(self) -> list[list[str]]:
        """The cost of the staff pages per call, in milliseconds and as multiples of the floor."""
        return [[name, self._multiple_of_page(page), *_figures(page)] for name, page in self.pages.items()]

    def writes(self) -> list[list[str]]:
        """The cost of a batch of clicks in each order and way, and the size of a click."""
        return [
            [
                f"{way} {order}",
                f"{ingest.floors(way):.1f} ×",
                *_milliseconds(ingest.typical(way)),
                f"{ingest.rate(way):,.0f}",
            ]
            for order, ingest in self.ingest.items()
            for way in (RECORD, POST, COPY)
        ] + [
            [f"bytes a click {order}", "", "", "", "", "", f"{ingest.bytes_per_click:.0f}"]
            for order, ingest in self.ingest.items()
        ]

    def visits(self) -> list[list[str]]:
        """How many links are followed in a second."""
        return [[name, f"{median(self.followed.rates[name]):,.0f}"] for name in (FOLLOWED, PLAIN)]


def _figures(case: Case) -> list[str]:
    return [*_milliseconds(case.typical), f"{case.bytes:,}"]


def _milliseconds(cost: Cost) -> list[str]:
    return [f"{figure:,.2f}" for figure in (cost.cpu, cost.application, cost.database, cost.wall)]


def text(results: Results) -> str:
    """The tables in columns."""
    rows = [[row.what, row.must, row.goal, row.reached] for row in results.rows()]
    parts = [
        _columns(["what", "must", "goal", "reached"], rows),
        _columns(_COSTS, results.costs()),
        _columns(_PAGES, results.costs_of_pages()),
        _columns(_WRITES, results.writes()),
        _columns(_VISITS, results.visits()),
        "\n".join(surroundings(results)),
    ]
    return "\n\n".join(parts)


def markdown(results: Results) -> str:
    """The page of the documentation."""
    rows = [[row.what, row.must, row.goal, row.reached] for row in results.rows()]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            '`make bench` prints the figures of your machine, and `make bench ARGS="--help"` its options. This page',
            'was written by the last run of `make bench ARGS="--markdown docs/benchmarks.md"`.',
            "",
            PROSE,
            _table(["what", "must", "goal", "reached"], rows),
            "## What each call costs",
            "",
            _table(_COSTS, results.costs()),
            "## What each page of staff costs",
            "",
            f"The workspace has {results.staff_size:,} clicks, 100,000 users and 1,000 campaigns. In another",
            "workspace of this size, the clicks are spread evenly over users and campaigns. The pages are called with",
            "the middleware of the admin, the floor without any.",
            "",
            _table(_PAGES, results.costs_of_pages()),
            "## Clicks coming in",
            "",
            "Batches of 1,000 clicks of 5,000 users and 50 campaigns over 400 days, in the order of their times and in",
            "random order. The floor is mostly the work of Python, and storing clicks mostly that of PostgreSQL. So",
            "these multiples differ between machines more than the others: compare them with COPY, too.",
            "",
            _table(_WRITES, results.writes()),
            "## Links that are followed",
            "",
            "One visitor after the other, each from another address, compared with a view that stores one row.",
            "",
            _table(_VISITS, results.visits()),
            "## Where it was measured",
            "",
            *(f"- {line}" for line in surroundings(results)),
            "",
        ]
    )


def surroundings(results: Results) -> list[str]:
    """The machine, the versions, the workload and the date."""
    with connections[MAIN].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('shared_buffers')")
        postgres, buffers = cursor.fetchone()
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {_revision()}",
        f"{os.cpu_count()} × {_processor()}, {_memory()}, {platform.system()} {platform.release()}; "
        f"load {results.load[0]:.1f} before, {results.load[1]:.1f} after",
        f"PostgreSQL {postgres} (shared_buffers {buffers}, no parallel query)",
        f"Python {platform.python_version()}, {versions}",
        f"{results.size:,} clicks over 400 days, 100,000 users, 50 campaigns; seed 20260101",
    ]


_COSTS = ["per call", "CPU ms", "application", "database", "wall ms", "bytes"]
_PAGES = ["per page", "× floor", *_COSTS[1:]]
_WRITES = ["per 1,000 clicks", "× floor", *_COSTS[1:5], "clicks a second"]
_VISITS = ["call", "calls a second"]


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(_padded(line, widths)).rstrip() for line in lines)


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Aligns the first column to the left, and figures to the right."""
    figures = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
    return [line[0].ljust(widths[0]), *figures]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{kilobytes / 1024**2:.0f} GB"


def _revision() -> str:
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
