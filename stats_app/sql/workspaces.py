"""The workspace's row: its lock."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import is_postgresql, rows

_COLUMNS = "id, timezone, counted_timezone, clicks_kept_from"

# The first of the two numbers of an advisory lock, which tells ours from the host's. The second is the workspace's.
QUEUE = 0x57A75
DIRECTORY = 0x57A76


def lock(connection: BaseDatabaseWrapper, workspace_id: int, alone: bool) -> tuple[Any, ...] | None:
    """Locks the row until the transaction ends, shared or alone, and reads it; None if it is not there.

    On PostgreSQL everybody queues for an advisory lock first. Row locks have no queue: writers who share a row would
    let each other in before whoever waits for it alone, as long as there are any.
    """
    if is_postgresql(connection):
        rows(connection, f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(%s, %s)", [QUEUE, workspace_id])
        strength = "NO KEY UPDATE" if alone else "SHARE"
        statement = f"SELECT {_COLUMNS} FROM stats_app_workspace WHERE id = %s FOR {strength}"
    else:
        # Not the key: SQLite would look for the rows of other tables that refer to it.
        statement = f"UPDATE stats_app_workspace SET name = name WHERE id = %s RETURNING {_COLUMNS}"
    found = rows(connection, statement, [workspace_id])
    return found[0] if found else None


def lock_directory(connection: BaseDatabaseWrapper, workspace_id: int) -> None:
    """Keeps others out of the workspace's directory until the transaction ends. SQLite has one writer anyway."""
    if is_postgresql(connection):
        rows(connection, "SELECT pg_advisory_xact_lock(%s, %s)", [DIRECTORY, workspace_id])
