"""The visits of the last minute, by which bursts of clicks are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from ulid import ULID

from stats_app.sql.cursor import execute, is_postgresql, send

# How many expired visits are deleted with each new one. It must be more than one, or the table would never shrink.
_DELETED = 10


class VisitRow(NamedTuple):
    """A visit as it is stored, without its workspace. `click` is the ULID's 16 bytes."""

    network: bytes
    visitor: bytes
    link: int
    signature: int | None
    click: bytes
    visited_at: datetime
    reason: str


def lock_network(connection: BaseDatabaseWrapper, network: bytes) -> None:
    """Locks a network, so that its visits are judged one after the other. SQLite has only one writer anyway."""
    if is_postgresql(connection):
        number = int.from_bytes(network[:8], "big", signed=True)
        execute(connection, "SELECT pg_advisory_xact_lock(%s::bigint)", [number])


def recent_visits(
    connection: BaseDatabaseWrapper, workspace_id: int, network: bytes, since: datetime, limit: int
) -> Callable[[], list[VisitRow]]:
    """Sends the statement that reads the visits from a network since a time, and returns a function that returns them,
    newest first."""
    visits = send(
        connection,
        """
        SELECT network, visitor, link, signature, click, visited_at, reason FROM stats_app_recentvisit
        WHERE workspace_id = %s AND network = %s AND visited_at >= %s ORDER BY visited_at DESC LIMIT %s
        """,
        [workspace_id, network, _time(connection, since), limit],
    )
    return lambda: [
        VisitRow(bytes(network), bytes(visitor), link, signature, _ulid(click), _aware(visited_at), reason)
        for network, visitor, link, signature, click, visited_at, reason in visits()
    ]


def remember_visit(connection: BaseDatabaseWrapper, workspace_id: int, visit: VisitRow, expired: datetime) -> None:
    """Stores a visit, and deletes some of those before `expired`."""
    click = str(ULID.from_bytes(visit.click).to_uuid()) if is_postgresql(connection) else visit.click
    values = [workspace_id, *visit[:4], click, _time(connection, visit.visited_at), visit.reason]
    expired_at = _time(connection, expired)
    if is_postgresql(connection):
        # One statement, which takes less time than two. Rows that another transaction is deleting are skipped.
        delete = _DELETE.format(skip="FOR UPDATE SKIP LOCKED")
        execute(connection, f"WITH deleted AS ({delete}) {_INSERT}", [expired_at, *values])
    else:
        execute(connection, _INSERT, values)
        execute(connection, _DELETE.format(skip=""), [expired_at])


_INSERT = """
    INSERT INTO stats_app_recentvisit (workspace_id, network, visitor, link, signature, click, visited_at, reason)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_DELETE = f"""
    DELETE FROM stats_app_recentvisit WHERE id IN (
        SELECT id FROM stats_app_recentvisit WHERE visited_at < %s ORDER BY visited_at LIMIT {_DELETED} {{skip}}
    )
"""


def change_reasons(connection: BaseDatabaseWrapper, workspace_id: int, reasons: Mapping[bytes, str]) -> None:
    """Stores the new reason of each visit, by the id of its click."""
    for click, reason in sorted(reasons.items()):
        key: Any = str(ULID.from_bytes(click).to_uuid()) if is_postgresql(connection) else click
        execute(
            connection,
            "UPDATE stats_app_recentvisit SET reason = %s WHERE workspace_id = %s AND click = %s",
            [reason, workspace_id, key],
        )


def _time(connection: BaseDatabaseWrapper, time: datetime) -> Any:
    """The parameter for a time. On SQLite it is the text that Django's own DateTimeField writes, because texts are
    compared."""
    return time if is_postgresql(connection) else str(time.astimezone(UTC).replace(tzinfo=None))


def _aware(time: datetime) -> datetime:
    """A time from the database, made aware: SQLite stores times in UTC without an offset."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _ulid(value: Any) -> bytes:
    """The bytes of a ULID from the database: PostgreSQL stores it as a UUID, SQLite as bytes."""
    return bytes(value) if isinstance(value, bytes | memoryview) else bytes(value.bytes)
