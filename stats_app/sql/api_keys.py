"""API keys, the rate limit and the audit log: the statements that each call runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql, rows


def pass_call(
    connection: BaseDatabaseWrapper, api_key_id: int, name: str, limit: int, now: int | None, window: int
) -> tuple[int, list[int]] | None:
    """Lets a call pass if fewer than `limit` calls passed in the window before it.

    Returns the time of this call and the list of times that passed, or None. Times are microseconds since 1970.

    One statement checks the limit and stores the time, so the limit is exact with any number of processes. If `now` is
    None, the clock of PostgreSQL is used, which all processes share; otherwise a process whose clock is fast would
    block the key. A stored time is never earlier than the one before it, so that setting a clock back does not let
    calls pass before their time.
    """
    clock = f"({_NOW_ON_POSTGRESQL})" if now is None else "%(now)s"
    if is_postgresql(connection):
        clock = f"{clock}::bigint"
        length, newest = "jsonb_array_length({0}.passed)", "({0}.passed ->> -1)::bigint"
        # The time of the call `limit` calls ago. The next call may pass once this one has left the window.
        oldest = "({0}.passed ->> -%(limit)s::int)::bigint"
        kept = f"CASE WHEN {length} >= %(limit)s THEN {{0}}.passed - 0 ELSE {{0}}.passed END"
        noted = f"({kept}) || to_jsonb(greatest({clock}, {newest}))"
        first = f"jsonb_build_array({clock})"
    else:
        length, newest = "json_array_length({0}.passed)", "({0}.passed ->> '$[#-1]')"
        oldest = "({0}.passed ->> ('$[#-' || %(limit)s || ']'))"
        kept = f"CASE WHEN {length} >= %(limit)s THEN json_remove({{0}}.passed, '$[0]') ELSE {{0}}.passed END"
        noted = f"json_insert({kept}, '$[#]', max(%(now)s, {newest}))"
        first = "json_array(%(now)s)"
    windows = rows(
        connection,
        f"""
        INSERT INTO stats_app_callwindow (api_key_id, name, passed) VALUES (%(key)s, %(name)s, {first})
        ON CONFLICT (api_key_id, name) DO UPDATE SET passed = {noted}
        WHERE {length} < %(limit)s OR {oldest} <= {clock} - %(window)s
        RETURNING {clock}, passed
        """.format("stats_app_callwindow"),
        {"key": api_key_id, "name": name, "limit": limit, "now": now, "window": window},
    )
    return (windows[0][0], _times(windows[0][1])) if windows else None


def passed_calls(connection: BaseDatabaseWrapper, api_key_id: int, name: str, now: int | None) -> tuple[int, list[int]]:
    """The current time by the same clock as in `pass_call`, and the times of the last calls that passed, oldest
    first."""
    clock = f"({_NOW_ON_POSTGRESQL})::bigint" if now is None else str(now)
    [(current, passed)] = rows(
        connection,
        f"SELECT {clock}, (SELECT passed FROM stats_app_callwindow WHERE api_key_id = %s AND name = %s)",
        [api_key_id, name],
    )
    return current, _times(passed) if passed else []


# `now()` would be the start of the transaction, which the caller may have begun long ago.
_NOW_ON_POSTGRESQL = "extract(epoch FROM clock_timestamp()) * 1000000"


def _times(passed: Any) -> list[int]:
    times: list[int] = json.loads(passed) if isinstance(passed, str | bytes) else passed
    return times


def find_key(connection: BaseDatabaseWrapper, digest: bytes) -> tuple[Any, ...] | None:
    """The key with this digest and its workspace, in the order of `KEY_COLUMNS` and `WORKSPACE_COLUMNS`."""
    keys = rows(connection, _FIND_KEY, [digest])
    return tuple(map(_aware, keys[0])) if keys else None


def _aware(value: Any) -> Any:
    """The value; a time from SQLite, which stores times in UTC without an offset, is made aware."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


KEY_COLUMNS = ("id", "scopes", "expires_at", "revoked_at", "last_used_at")
WORKSPACE_COLUMNS = (
    "id", "public_id", "name", "timezone", "counted_timezone", "is_active", "clicks_kept_from", "created_at"
)  # fmt: skip
_KEY_AND_WORKSPACE = [f"k.{column}" for column in KEY_COLUMNS] + [f"w.{column}" for column in WORKSPACE_COLUMNS]
_FIND_KEY = f"""
    SELECT {", ".join(_KEY_AND_WORKSPACE)}
    FROM stats_app_apikey AS k JOIN stats_app_workspace AS w ON w.id = k.workspace_id WHERE k.digest = %s
"""


def note_use(connection: BaseDatabaseWrapper, api_key_id: int, now: datetime) -> None:
    """Stores when the key was last used. Skips a row that another transaction has locked, so that no call waits."""
    free = "(SELECT id FROM stats_app_apikey WHERE id = %(key)s FOR UPDATE SKIP LOCKED)"
    execute(
        connection,
        "UPDATE stats_app_apikey SET last_used_at = %(now)s WHERE id = "
        + (free if is_postgresql(connection) else "%(key)s"),
        {"key": api_key_id, "now": now if is_postgresql(connection) else str(now.astimezone(UTC).replace(tzinfo=None))},
    )
