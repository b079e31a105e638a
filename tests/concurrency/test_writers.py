"""Many writers at once, with changes of zone and rebuilds, killed or disconnected at any time: counts stay exact."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection, connections, transaction

from stats_app import locks
from stats_app.ingest import ClickInput, IngestResult, record_clicks
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import Click, Rollup, Workspace
from stats_app.rollups import check
from stats_app.sql.workspaces import QUEUE, lock
from tests.concurrency.click_writer import is_human, time_of
from tests.concurrency.processes import PATIENCE, ROOT
from tests.factories import make_workspace

ZONES = ["Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati", "UTC", "America/St_Johns", "Europe/Paris"]

pytestmark = pytest.mark.django_db(transaction=True)


class Writers:
    """Starts jobs of `click_writer`, each in a separate process, and reads their output."""

    def __init__(self, database: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.click_writer", json.dumps(database)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._said: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            self._said[said.pop("job")].put(said)

    def start(self, act: str, **values: Any) -> int:
        """Starts a job, and returns its number."""
        job = len(self._said)
        self._said[job] = queue.Queue()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"job": job, "act": act, **values}) + "\n")
        self._process.stdin.flush()
        return job

    def hear(self, job: int, event: str) -> dict[str, Any]:
        """The job's next line of output, which must be this event."""
        said = self._said[job].get(timeout=PATIENCE)
        assert said["event"] == event, said
        return said

    def answer(self, job: int) -> Any:
        """Waits until the job is done."""
        self.hear(job, "started")
        return self.hear(job, "done")["answer"]

    def run(self, act: str, **values: Any) -> Any:
        return self.answer(self.start(act, **values))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        self._process.stdout.close()


def plain_days(last: int, zone: str) -> dict[str, int]:
    """The human clicks of each local day, when the clicks 0 to `last` are stored once each."""
    days = Counter(str(time_of(n).astimezone(ZoneInfo(zone)).date()) for n in range(last) if is_human(n))
    return dict(sorted(days.items()))


def assert_exact(writers: Writers, workspace: int, last: int, zone: str) -> None:
    assert writers.run("verify", workspace=workspace) == {
        "zone": zone,
        "clicks": last,
        "differences": [],
        "days": plain_days(last, zone),
    }


def project_options() -> dict[str, Any]:
    """The example project's settings for SQLite. Read in a separate process, because they depend on the environment."""
    code = "import json; from project.settings import DATABASES; print(json.dumps(DATABASES['default']['OPTIONS']))"
    environment = os.environ | {"DEBUG": "1", "DATABASE_URL": ""}
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True
    )
    options: dict[str, Any] = json.loads(printed.stdout)
    assert options["transaction_mode"] == "IMMEDIATE"
    return options


@pytest.fixture(params=["the project's settings", "Django's default settings"])
def sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Writers]:
    """Writers to a file of their own."""
    database: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "clicks.sqlite3")}
    if request.param == "the project's settings":
        database["OPTIONS"] = project_options()
    writers = Writers(database)
    writers.run("migrate")
    yield writers
    writers.close()


def write_at_once(writers: Writers, processes: int, half: int, size: int, rounds: int) -> None:
    """Each process sends half of the clicks of the next one too, while the zone changes, all is recounted, and two
    more processes change verdicts of the same clicks."""
    workspace = writers.run("prepare", zone="UTC")
    last = (processes + 1) * half
    jobs = [
        writers.start("send", workspace=workspace, first=n * half, last=(n + 2) * half, size=size, seed=n)
        for n in range(processes)
    ]
    recounts = [
        writers.start("change_zones", workspace=workspace, names=ZONES[:rounds]),
        writers.start("rebuild_often", workspace=workspace, times=rounds),
        *(
            writers.start("change_verdicts_often", workspace=workspace, last=last, times=rounds, seed=seed)
            for seed in (0, 1)
        ),
    ]
    sent = [writers.answer(job) for job in jobs]
    for job in recounts:
        writers.answer(job)
    assert [sum(numbers) for numbers in zip(*sent, strict=True)] == [last, processes * 2 * half - last, 0]
    assert_exact(writers, workspace, last, ZONES[rounds - 1])


@pytest.mark.postgres
def test_eight_processes_store_every_click_once(postgres: Writers) -> None:
    write_at_once(postgres, processes=8, half=300, size=50, rounds=6)


@pytest.mark.sqlite
def test_four_processes_store_every_click_once_in_sqlite(sqlite: Writers) -> None:
    write_at_once(sqlite, processes=4, half=120, size=20, rounds=3)


@pytest.mark.postgres
def test_a_hundred_killed_writers_leave_no_trace(postgres: Writers) -> None:
    """A quarter of the processes is killed between a write and the commit, the others at any time."""
    workspace = postgres.run("prepare", zone="Asia/Kathmandu")
    chance = random.Random(1)
    shared, last = 75 * 5 + 25, 75 * 5 + 25 + 25 * 30
    for wave in range(25):
        values = {"workspace": workspace, "size": 10, "seed": wave}
        first = shared + wave * 30  # clicks of its own, so that there is something to write
        table = ("stats_app_click", "stats_app_rollup")[wave % 2]
        between = postgres.start("send", first=first, last=first + 30, pause_after=table, **values)
        others = [
            postgres.start("send", first=n * 5, last=n * 5 + 30, stay=True, **values)
            for n in range(wave * 3, wave * 3 + 3)
        ]
        pids = [postgres.hear(job, "started")["pid"] for job in (between, *others)]
        begin = time.monotonic()
        for delay, pid in zip(sorted(chance.uniform(0, 0.1) for _ in others), pids[1:], strict=True):
            time.sleep(max(0.0, begin + delay - time.monotonic()))
            os.kill(pid, signal.SIGKILL)
        postgres.hear(between, "paused")
        os.kill(pids[0], signal.SIGKILL)
    verified = postgres.run("verify", workspace=workspace)
    assert verified["differences"] == []
    assert verified["clicks"] < last
    sent = postgres.run("send", workspace=workspace, first=0, last=last, size=100, seed=0)
    assert sent == [last - verified["clicks"], verified["clicks"], 0]
    assert_exact(postgres, workspace, last, "Asia/Kathmandu")


NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["stats_app_click", "stats_app_rollup"])
def test_a_lost_connection_leaves_nothing_half_written(table: str) -> None:
    workspace = make_workspace()
    clicks = [ClickInput("vcard", number.to_bytes(16, "big"), clicked_at=NOW) for number in range(20)]
    record_clicks(workspace, clicks[:5], now=NOW)

    def cut(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        answer = execute(sql, *args)
        if f"INSERT INTO {table}" in sql:
            terminate(connection.connection.info.backend_pid)
        return answer

    with connection.execute_wrapper(cut), pytest.raises(OperationalError):
        record_clicks(workspace, clicks, now=NOW)
    assert (Click.objects.count(), Rollup.objects.get().vcard_clicks, list(check(workspace))) == (5, 5, [])
    assert record_clicks(workspace, clicks, now=NOW) == IngestResult(15, 5, [])
    assert (Click.objects.count(), Rollup.objects.get().vcard_clicks, list(check(workspace))) == (20, 20, [])


def terminate(backend: int) -> None:
    """Ends a connection of the database from another one, as an administrator would, and waits until it is gone."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 600000)", [backend])
            assert cursor.fetchone() == (True,)
    finally:
        other.close()


def cross(first: Workspace, second: Workspace, in_atomic: bool) -> tuple[list[int], list[str]]:
    """Two threads that lock two workspaces in opposite order; the attempts of each, and the errors they got."""
    barrier = threading.Barrier(2, timeout=PATIENCE)
    attempts = [0, 0]
    errors: list[str] = []

    def take(number: int, other: Workspace) -> Callable[[LockedWorkspace], None]:
        def work(locked: LockedWorkspace) -> None:
            attempts[number] += 1
            if attempts[number] == 1:
                barrier.wait()
            lock(connection, other.pk, alone=True)

        return work

    def act(number: int, one: Workspace, other: Workspace) -> None:
        try:
            if in_atomic:
                with transaction.atomic():
                    in_workspace(one.pk, take(number, other), using="default", alone=True)
            else:
                in_workspace(one.pk, take(number, other), using="default", alone=True)
        except OperationalError as error:
            errors.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=args) for args in ((0, first, second), (1, second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return sorted(attempts), errors


@pytest.mark.postgres
def test_a_deadlock_is_tried_again() -> None:
    assert cross(make_workspace(), make_workspace(), in_atomic=False) == ([1, 2], [])


@pytest.mark.postgres
@pytest.mark.plain("it finds deadlocks itself, and says so in other words")
def test_a_deadlock_inside_the_callers_transaction_is_the_callers() -> None:
    attempts, [error] = cross(make_workspace(), make_workspace(), in_atomic=True)
    assert attempts == [1, 1]
    assert error.startswith("deadlock detected")


class Failing:
    """Work that renames its workspace and fails a given number of times."""

    def __init__(self, times: int, message: str) -> None:
        self.attempts, self._times, self._message = 0, times, message

    def __call__(self, locked: LockedWorkspace) -> str:
        self.attempts += 1
        name = f"{Workspace.objects.get(pk=locked.id).name}, renamed"
        Workspace.objects.filter(pk=locked.id).update(name=name)
        if self.attempts <= self._times:
            raise OperationalError(self._message)
        return name


LOCKED = "database is locked"


def test_a_database_that_stays_locked_is_tried_again_from_the_start() -> None:
    workspace = make_workspace()
    work = Failing(3, LOCKED)
    assert in_workspace(workspace.pk, work, using="default") == "Acme, renamed"
    assert work.attempts == locks.ATTEMPTS == 4


@pytest.mark.parametrize(("message", "attempts"), [(LOCKED, 4), ("disk I/O error", 1)])
def test_what_does_not_pass_is_the_callers(message: str, attempts: int) -> None:
    workspace = make_workspace()
    work = Failing(9, message)
    with pytest.raises(OperationalError, match=message):
        in_workspace(workspace.pk, work, using="default")
    workspace.refresh_from_db()
    assert (work.attempts, workspace.name) == (attempts, "Acme")


def test_inside_the_callers_transaction_nothing_is_tried_again() -> None:
    workspace = make_workspace()
    work = Failing(1, LOCKED)
    with transaction.atomic():
        with pytest.raises(OperationalError, match=LOCKED):
            in_workspace(workspace.pk, work, using="default")
        assert Workspace.objects.get(pk=workspace.pk).name == "Acme"
    assert work.attempts == 1


@pytest.mark.postgres
def test_whoever_needs_the_workspace_alone_is_overtaken_by_no_later_writer() -> None:
    workspace = make_workspace().pk
    order: list[str] = []
    first_may_end = threading.Event()

    def hold(name: str, alone: bool, until: threading.Event | None = None) -> threading.Thread:
        def work(_locked: LockedWorkspace) -> None:
            order.append(name)
            if until is not None:
                assert until.wait(PATIENCE)

        def run() -> None:
            try:
                in_workspace(workspace, work, using="default", alone=alone)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def wait_for(waiting: int, inside: int) -> None:
        """Waits until the given numbers of transactions wait for the lock, and hold it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s "
                    "AND NOT granted",
                    [QUEUE, workspace],
                )
                [not_granted] = cursor.fetchone()
            if (not_granted, len(order)) == (waiting, inside):
                return
            time.sleep(0.01)
        raise AssertionError((not_granted, order))

    threads = [hold("writer before", alone=False, until=first_may_end)]
    wait_for(waiting=0, inside=1)
    threads.append(hold("alone", alone=True))
    wait_for(waiting=1, inside=1)
    threads += [hold("writer after", alone=False) for _ in range(3)]
    wait_for(waiting=4, inside=1)
    first_may_end.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["writer before", "alone", *["writer after"] * 3]


@pytest.mark.postgres
def test_zone_changes_come_through_beside_writers_that_never_stop(postgres: Writers) -> None:
    workspace = postgres.run("prepare", zone="UTC")
    jobs = [postgres.start("send", workspace=workspace, first=0, last=2_000, size=5, seed=seed) for seed in range(6)]
    for job in jobs:
        postgres.hear(job, "started")
    # Each must get the lock while the writers are writing; otherwise it would end after all of them.
    postgres.run("change_zones", workspace=workspace, names=ZONES)
    accepted = [postgres.hear(job, "done")["answer"][0] for job in jobs]
    assert sum(accepted) == 2_000
    assert_exact(postgres, workspace, 2_000, ZONES[-1])
