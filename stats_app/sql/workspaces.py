"""Locking a workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql, rows, send

_COLUMNS = "id, timezone, counted_timezone, clicks_kept_from"
_IS_CITUS = "to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL"

# An advisory lock has two numbers. The first distinguishes our kinds of locks from each other and from locks of the
# host. The second is the workspace's id, or the number of a job (`sole_run`).
QUEUE = 0x57A75
DIRECTORY = 0x57A76
RUNS = 0x57A77


def lock(
    connection: BaseDatabaseWrapper, workspace_id: int, alone: bool, max_wait: float | None = None
) -> Callable[[], tuple[Any, ...] | None]:
    """Sends the statements that lock the row until the transaction ends, shared or exclusively. Returns a function that
    returns its `_COLUMNS` and whether the database is Citus, or None if the row does not exist.

    On PostgreSQL every transaction first waits for an advisory lock, because row locks have no queue: as long as new
    writers share the row, a transaction that needs it exclusively would never get it. With `max_wait`, PostgreSQL waits
    at most so many seconds for this lock, and for each further lock of the transaction.
    """
    if is_postgresql(connection):
        # The limit is set in the same statement, to save a round trip: the list is evaluated from left to right.
        limit = "" if max_wait is None else f"set_config('lock_timeout', '{max_wait * 1000:.0f}', true), "
        queue = f"pg_advisory_xact_lock{'' if alone else '_shared'}(%s, %s)"
        strength = "NO KEY UPDATE" if alone else "SHARE"
        # Whether it is Citus is read here, too, because a separate query would cost time for each click.
        statement = f"SELECT {_COLUMNS}, {_IS_CITUS} FROM stats_app_workspace WHERE id = %s FOR {strength}"
        execute(connection, f"SELECT {limit}{queue}", [QUEUE, workspace_id])
    else:
        # Sets the name and not the id, because for an id SQLite would search other tables for rows that refer to it.
        statement = f"UPDATE stats_app_workspace SET name = name WHERE id = %s RETURNING {_COLUMNS}, false"
    locked = send(connection, statement, [workspace_id])
    return lambda: next(iter(locked()), None)


def is_citus(connection: BaseDatabaseWrapper) -> bool:
    """Whether this PostgreSQL database may be spread over machines."""
    [(answer,)] = rows(connection, f"SELECT {_IS_CITUS}")
    return bool(answer)


def lock_directory(connection: BaseDatabaseWrapper, workspace_id: int) -> None:
    """Locks the workspace's directory until the transaction ends. SQLite has only one writer anyway."""
    if is_postgresql(connection):
        rows(connection, "SELECT pg_advisory_xact_lock(%s, %s)", [DIRECTORY, workspace_id])


@contextmanager
def short_waits(connection: BaseDatabaseWrapper, max_wait: float) -> Iterator[None]:
    """Inside this context each statement on SQLite waits at most so many seconds for another writer. On PostgreSQL it
    does nothing: see `lock`."""
    if is_postgresql(connection):
        yield
        return
    connection.ensure_connection()
    sqlite = connection.connection
    [usual] = sqlite.execute("PRAGMA busy_timeout").fetchone()
    sqlite.execute(f"PRAGMA busy_timeout = {min(usual, round(max_wait * 1000))}")
    try:
        yield
    finally:
        if connection.connection is sqlite:  # not if it was closed
            sqlite.execute(f"PRAGMA busy_timeout = {usual}")
