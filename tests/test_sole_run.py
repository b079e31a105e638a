"""One run at a time: who is kept out, who is not, and that of several that start together one always runs."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper

from stats_app.locks import LockedWorkspace, in_directory
from stats_app.sql.sole_run import sole_run
from tests.factories import make_workspace
from tests.test_layout import ROOT

PATIENCE = 300


@pytest.fixture
def on_file(tmp_path: Path) -> DatabaseWrapper:
    """A connection to a database on SQLite that is a file. Nothing is read from it."""
    return DatabaseWrapper({"NAME": str(tmp_path / "db.sqlite3")})


def test_no_two_locks_have_the_same_number() -> None:
    sources = [path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")]
    numbers = [number.lower() for source in sources for number in re.findall(r"(?i)\b0x57a[0-9a-f]+\b", source)]
    assert len(numbers) == len(set(numbers)) == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_import_of_people_and_a_run_do_not_keep_each_other_out() -> None:
    workspace = make_workspace()

    def begin_run(_locked: LockedWorkspace) -> bool:
        with sole_run(connection, workspace.pk) as hold:
            return hold is not None

    assert in_directory(workspace.pk, begin_run, using="default")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_second_run_on_postgresql_is_kept_out_until_the_first_ends() -> None:
    with sole_run(connection, 1) as first, sole_run(connection, 1) as second, sole_run(connection, 2) as other:
        assert (first is not None, second is not None, other is not None) == (True, False, True)
    with sole_run(connection, 1) as later:
        assert later is not None


def test_a_second_run_on_sqlite_is_kept_out_until_the_first_ends(on_file: DatabaseWrapper) -> None:
    with sole_run(on_file, 1) as first, sole_run(on_file, 1) as second, sole_run(on_file, 2) as other:
        assert (first is not None, second is not None, other is not None) == (True, False, True)
    with sole_run(on_file, 1) as later:
        assert later is not None


def test_who_only_reads_the_file_of_the_lock_keeps_nobody_out(on_file: DatabaseWrapper) -> None:
    """As a run does for an instant when it begins."""
    with closing(sqlite3.connect(f"{on_file.settings_dict['NAME']}-run-1", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM sqlite_master").fetchall()
        with sole_run(on_file, 1) as hold:
            assert hold is not None


def test_of_runs_on_sqlite_that_start_together_one_always_runs(on_file: DatabaseWrapper) -> None:
    together = threading.Barrier(4)
    begun: list[int] = []

    def runs() -> None:
        for number in range(50):
            together.wait(PATIENCE)
            with sole_run(on_file, 1) as hold:
                if hold is not None:
                    begun.append(number)
                together.wait(PATIENCE)

    threads = [threading.Thread(target=runs) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert begun == list(range(50))
