"""The rate limit: it holds for any 60 seconds and across all processes.

Each key and name has one row with the times of its last calls. One statement lets a call pass if the oldest of these
has left the window. Refused calls do not count. A counter for each calendar minute would not do: it would allow twice
as many calls within a few seconds, just before and just after a new minute begins.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connections, router

from stats_app.database_errors import kind_of, unavailability
from stats_app.errors import WINDOW_SECONDS, Allowance, RateLimited
from stats_app.models import CallWindow
from stats_app.sql import api_keys as sql
from stats_app.sql.transactions import savepoint

# Tests that freeze the clock set it to False.
USES_CLOCK_OF_DATABASE = True
MAX_LIMIT = 1000  # because one row holds the times of so many calls

# Times are whole microseconds, as exact as the clock: rounded times could let a call pass too early.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WINDOW = WINDOW_SECONDS * 1_000_000


def take(api_key_id: int, name: str, limit: int | None, now: datetime) -> Allowance | None:
    """Counts one call, and returns how many are left. Raises RateLimited if none is left.

    Returns None if there is no limit, or if the database is read-only, because calls can still be answered then. It
    must run outside the transaction that computes the answer: that transaction would roll back the count of a failed
    call, and keep the row of the key locked during a long report.
    """
    if limit is None:
        return None
    connection = connections[router.db_for_write(CallWindow)]
    # With SQLite all processes are on one machine and share its clock.
    own = None if USES_CLOCK_OF_DATABASE and connection.vendor == "postgresql" else (now - _EPOCH) // _MICROSECOND
    try:
        with savepoint(connection.alias):
            answer = sql.pass_call(connection, api_key_id, name, limit, own, _WINDOW)
    except DatabaseError as error:
        if kind_of(error) != "read_only":
            raise
        unavailability(error)
        return None
    if answer is None:
        current, passed = sql.passed_calls(connection, api_key_id, name, own)
        raise RateLimited(Allowance(name, limit, 0, _seconds_until_free(passed[-limit], current)))
    current, passed = answer
    in_window = [call for call in passed[-limit:] if call > current - _WINDOW]
    return Allowance(name, limit, limit - len(in_window), _seconds_until_free(in_window[0], current))


def _seconds_until_free(call: int, current: int) -> int:
    return max(1, -((current - call - _WINDOW) // 1_000_000))
