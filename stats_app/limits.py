"""The rate limit: in no 60 seconds do more than the allowed calls of a key pass, however many processes answer.

Each key and name has one row with the times of its last calls, and one statement lets a call pass only when the oldest
of them has left the window. Refused calls do not count. Fixed minutes would let twice as many pass at their edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, router

from stats_app.errors import RateLimited
from stats_app.models import CallWindow
from stats_app.sql import access as sql

WINDOW_SECONDS = 60
MAX_LIMIT = 1000  # the times of that many calls stand in one row


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still call: `remaining` more now, and one more in `reset` seconds (whole, at least 1)."""

    name: str
    limit: int
    remaining: int
    reset: int
    window: int = WINDOW_SECONDS


def take(api_key_id: int, name: str, limit: int | None, now: datetime) -> Allowance | None:
    """Uses up one call, and says what is left; None without a limit. Raises RateLimited when there is none left.

    Runs outside of any transaction of the answer: sharing one would undo the count of a failed call, and hold the row
    of a busy key during a report.
    """
    if limit is None:
        return None
    connection = connections[router.db_for_write(CallWindow)]
    now_ms = int(now.timestamp() * 1000)
    passed = sql.pass_call(connection, api_key_id, name, limit, now_ms, WINDOW_SECONDS * 1000)
    if passed is None:
        oldest = sql.passed_calls(connection, api_key_id, name)[-limit]
        raise RateLimited(Allowance(name, limit, 0, _seconds_until_free(oldest, now_ms)))
    in_window = [moment for moment in passed[-limit:] if moment > now_ms - WINDOW_SECONDS * 1000]
    return Allowance(name, limit, limit - len(in_window), _seconds_until_free(in_window[0], now_ms))


def _seconds_until_free(moment_ms: int, now_ms: int) -> int:
    return max(1, math.ceil((moment_ms - now_ms) / 1000 + WINDOW_SECONDS))
