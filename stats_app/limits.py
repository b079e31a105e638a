"""The rate limit: in no 60 seconds do more than the allowed calls of a key pass, however many processes answer.

Each key and name has one row with the times of its last calls, and one statement lets a call pass only when the oldest
of them has left the window. Refused calls do not count. Fixed minutes would let twice as many pass at their edge.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connections, router, transaction

from stats_app.database_errors import kind_of, unavailability
from stats_app.errors import WINDOW_SECONDS, Allowance, RateLimited
from stats_app.models import CallWindow
from stats_app.sql import api_keys as sql

# Tests that stop the clock switch it off.
USES_CLOCK_OF_DATABASE = True
MAX_LIMIT = 1000  # the times of that many calls stand in one row

# Whole microseconds, as exact as the clock: rounded times would let a call pass a moment early.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WINDOW = WINDOW_SECONDS * 1_000_000


def take(api_key_id: int, name: str, limit: int | None, now: datetime) -> Allowance | None:
    """Uses up one call, and says what is left. Raises RateLimited when there is none left.

    None without a limit, and where the database takes no writes: a call that only reads is answered there all the same.
    Runs outside of any transaction of the answer: sharing one would undo the count of a failed call, and hold the row
    of a busy key during a report.
    """
    if limit is None:
        return None
    connection = connections[router.db_for_write(CallWindow)]
    # On SQLite all processes are on one machine, whose clock they share.
    own = None if USES_CLOCK_OF_DATABASE and connection.vendor == "postgresql" else (now - _EPOCH) // _MICROSECOND
    try:
        # In a caller's transaction a failure must not spoil what the caller goes on to do.
        with transaction.atomic(using=connection.alias) if connection.in_atomic_block else nullcontext():
            answer = sql.pass_call(connection, api_key_id, name, limit, own, _WINDOW)
    except DatabaseError as error:
        if kind_of(error) != "read_only":
            raise
        unavailability(error)
        return None
    if answer is None:
        moment, passed = sql.passed_calls(connection, api_key_id, name, own)
        raise RateLimited(Allowance(name, limit, 0, _seconds_until_free(passed[-limit], moment)))
    moment, passed = answer
    in_window = [call for call in passed[-limit:] if call > moment - _WINDOW]
    return Allowance(name, limit, limit - len(in_window), _seconds_until_free(in_window[0], moment))


def _seconds_until_free(call: int, moment: int) -> int:
    return max(1, -((moment - call - _WINDOW) // 1_000_000))
