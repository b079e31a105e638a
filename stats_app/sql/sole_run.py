"""A lock for jobs that must not run twice at the same time. If the process is killed, its connection ends, and the
database or the operating system releases the lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.database_errors import DATABASE_ERRORS
from stats_app.sql.cursor import is_postgresql
from stats_app.sql.workspaces import RUNS


class LostLock(Exception):
    """The connection with the lock was lost, so another run may have begun."""


class Hold:
    """The held lock."""

    def check(self) -> None:
        """Raises LostLock if the lock was lost. A lock on a file never is."""


class _HeldByPostgresql(Hold):
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def check(self) -> None:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DATABASE_ERRORS as error:
            raise LostLock("The connection that holds the lock of this run was lost.") from error


@contextmanager
def sole_run(connection: BaseDatabaseWrapper, number: int) -> Iterator[Hold | None]:
    """Holds a lock for the job with this number. Yields None, without waiting, if another process holds it."""
    if is_postgresql(connection):
        with _on_postgresql(connection, number) as hold:
            yield hold
    elif connection.is_in_memory_db():  # type: ignore[attr-defined]  # a method of Django's SQLite backend
        yield Hold()
    else:
        with _on_sqlite(connection, number) as hold:
            yield hold


@contextmanager
def _on_postgresql(connection: BaseDatabaseWrapper, number: int) -> Iterator[Hold | None]:
    """An advisory lock of a transaction, on a connection of its own. Because a transaction is open, a transaction
    pooler cannot give the connection to another client. It reads no rows, so it does not keep any from being
    vacuumed."""
    own: Any = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [RUNS, number])
            [is_alone] = cursor.fetchone()
        yield _HeldByPostgresql(own) if is_alone else None
    finally:
        # If the connection were only closed, the server could release the lock a little later, and the next run would
        # not get it.
        with suppress(*DATABASE_ERRORS):
            own.rollback()
        own.close()


@contextmanager
def _on_sqlite(connection: BaseDatabaseWrapper, number: int) -> Iterator[Hold | None]:
    """A write transaction in an empty database file beside the real one, so that the real one is not locked."""
    path = f"{connection.settings_dict['NAME']}-run-{number}"
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as beside:
        try:
            # Not EXCLUSIVE, which fails while anybody reads the file: runs that start at the same time could all fail.
            beside.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            yield None
            return
        yield Hold()
