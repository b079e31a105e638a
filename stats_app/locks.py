"""Who may write to a workspace, and when. The one lock order of the whole product.

A writer of clicks takes the workspace's row shared, whoever recounts takes it alone, both before anything else of the
transaction. After it come clicks, sorted by id, then rollups, sorted by key, in one statement each. Unsorted batches
that overlap deadlock, and a change of zone beside unlocked writers loses exactness.

SQLite knows one writer at a time. There every writing transaction begins with a write, so that it waits its turn with
nothing in hand; one that began by reading would be refused at once when another has written meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple, TypeVar

from django.db import OperationalError, connections, transaction

from stats_app.sql import workspaces as sql

Result = TypeVar("Result")

ATTEMPTS = 4  # the first, and three more
_PAUSE = 0.05  # seconds before the second attempt; doubled before each further one
_DEADLOCK_OR_SERIALIZATION = ("40P01", "40001")


class LockedWorkspace(NamedTuple):
    """What writing clicks depends on, read under the lock and never before it."""

    id: int
    timezone: str
    counted_timezone: str
    clicks_kept_from: date | None


def in_workspace(
    workspace_id: int, work: Callable[[LockedWorkspace], Result], *, using: str, alone: bool = False
) -> Result:
    """Runs `work` in one transaction under the workspace's lock, and returns what it returns.

    A deadlock, or an SQLite database that stayed locked, is tried again from the start, unless the caller holds a
    transaction of its own, which only the caller can begin again. Raises LookupError when there is no such workspace.
    """
    attempts = 1 if connections[using].in_atomic_block else ATTEMPTS
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic(using=using):
                row = sql.lock(connections[using], workspace_id, alone)
                if row is None:
                    raise LookupError(f"There is no workspace {workspace_id}.")
                return work(LockedWorkspace(*row))
        except OperationalError as error:
            if attempt == attempts or not _passes_by_itself(error):
                raise
            time.sleep(_PAUSE * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def lock_workspaces(using: str, workspace_ids: Iterable[int]) -> None:
    """Locks workspaces against all writers until the current transaction ends, in the order of their numbers."""
    for workspace_id in sorted(workspace_ids):
        sql.lock(connections[using], workspace_id, alone=True)


def _passes_by_itself(error: OperationalError) -> bool:
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state in _DEADLOCK_OR_SERIALIZATION or "database is locked" in str(error)
