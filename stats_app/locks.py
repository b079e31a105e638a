"""Who may write to a workspace, and when. The one lock order of the whole product.

A writer of clicks takes the workspace shared, whoever recounts takes it alone, both before anything else of the
transaction. They stand in one queue: whoever waits for the workspace alone lets those before it finish and nobody
behind it pass, so that a stream of writers cannot keep it waiting for ever. After the workspace come clicks, sorted by
id, then rollups, sorted by key, in one statement each. Unsorted batches that overlap deadlock, and a change of zone
beside unlocked writers loses exactness.

Whoever saves many people or campaigns takes the workspace's directory before all that: two such lists would deadlock,
or make somebody twice. Clicks do not wait for it.

SQLite knows one writer at a time. There every writing transaction begins with a write, so that it waits its turn with
nothing in hand; one that began by reading would be refused at once when another has written meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
from typing import NamedTuple, TypeVar

from django.db import DatabaseError, IntegrityError, connections, transaction

from stats_app.database_errors import passes_by_itself
from stats_app.errors import WorkspaceGone
from stats_app.sql import workspaces as sql

Result = TypeVar("Result")

ATTEMPTS = 4  # the first, and three more
DIRECTORY_ATTEMPTS = 8  # forms save one row after the other, each of which may come in between
_PAUSE = 0.05  # seconds before the second attempt; doubled before each further one


class LockedWorkspace(NamedTuple):
    """What writing clicks depends on, read under the lock and never before it."""

    id: int
    timezone: str
    counted_timezone: str
    clicks_kept_from: date | None


def in_workspace(
    workspace_id: int,
    work: Callable[[LockedWorkspace], Result],
    *,
    using: str,
    alone: bool = False,
    directory: bool = False,
) -> Result:
    """Runs `work` in one transaction under the workspace's lock, and returns what it returns.

    It is tried again as `tried_again` says. Raises WorkspaceGone when there is no such workspace.
    """

    def locked() -> Result:
        if directory:
            sql.lock_directory(connections[using], workspace_id)
        row = sql.lock(connections[using], workspace_id, alone)
        if row is None:
            raise WorkspaceGone
        return work(LockedWorkspace(*row))

    return tried_again(locked, using=using)


def in_directory(
    workspace_id: int, work: Callable[[LockedWorkspace], Result], *, using: str, alone: bool = False
) -> Result:
    """As `in_workspace`, with nobody else in the workspace's directory.

    It is also tried again when somebody who takes no lock, such as a form of the admin, has just saved what `work` was
    about to.
    """

    attempts = 1 if connections[using].in_atomic_block else DIRECTORY_ATTEMPTS
    for attempt in range(1, attempts):
        with suppress(IntegrityError):
            return in_workspace(workspace_id, work, using=using, alone=alone, directory=True)
        time.sleep(_PAUSE * attempt)
    return in_workspace(workspace_id, work, using=using, alone=alone, directory=True)


def in_workspaces_alone(workspace_ids: Iterable[int], work: Callable[[], Result], *, using: str) -> Result:
    """Runs `work` in one transaction that no writer of these workspaces is in, and returns what it returns."""
    ordered = sorted(workspace_ids)

    def locked() -> Result:
        for workspace_id in ordered:
            sql.lock(connections[using], workspace_id, alone=True)
        return work()

    return tried_again(locked, using=using)


def tried_again(work: Callable[[], Result], *, using: str) -> Result:
    """Runs `work` in a transaction, which begins again after a deadlock, a serialization failure, or an SQLite database
    that stayed locked. Not where the caller holds a transaction of its own, which only the caller can begin again.
    """
    attempts = 1 if connections[using].in_atomic_block else ATTEMPTS
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic(using=using):
                return work()
        except DatabaseError as error:
            if attempt == attempts or not passes_by_itself(error):
                raise
            time.sleep(_PAUSE * 2 ** (attempt - 1))
    raise AssertionError("unreachable")
