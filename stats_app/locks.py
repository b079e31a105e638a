"""The locks of a workspace, and the lock order that all code follows.

1. The directory lock, only to save lists of people or campaigns. Without it two lists could deadlock, or create the
   same person twice. Writers of clicks do not take it.
2. The workspace's lock: shared to write clicks, exclusive to recount them. Without it, counts would be wrong after a
   change of time zone. If the directory lock is not taken, this lock must be the first statement of the transaction.
   Waiting transactions form a queue, so that a steady stream of writers cannot keep a recount waiting for ever.
3. The network of a visitor, only for clicks on tracked links, so that the clicks of a burst see each other.
4. Aliases, sorted by id. Writers of clicks and links lock those that they refer to, so that nobody deletes them
   meanwhile. Campaigns and users are deleted under the workspace's exclusive lock instead. That is simpler, and rare;
   aliases are deleted whenever a list of people leaves some out. Citus would lock the table of aliases as a whole, so
   there they are deleted under the workspace's lock, too.
5. New reasons, sorted, because rollups refer to them by primary key.
6. Clicks, sorted by id, in one statement. Overlapping unsorted batches would deadlock.
7. Rollups, sorted by key, in one statement, for the same reason.

SQLite allows one writer at a time. So on SQLite every writing transaction begins with a write, which waits for the
other writer. If it began with a read, SQLite would refuse its first write after another transaction has written.
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
from stats_app.sql.cursor import is_postgresql, pipelined

Result = TypeVar("Result")

ATTEMPTS = 4  # the first one included
# More, because forms of the admin save single rows without this lock, and each may make one attempt fail.
DIRECTORY_ATTEMPTS = 20
_PAUSE = 0.05  # seconds before the second attempt; doubled before each further one


class LockedWorkspace(NamedTuple):
    """The values that writing clicks depends on. They must be read under the lock."""

    id: int
    timezone: str
    counted_timezone: str
    clicks_kept_from: date | None
    on_citus: bool = False  # whether the database may be spread over machines

    @property
    def locks_aliases(self) -> bool:
        """Whether writers lock the aliases that they refer to: see the lock order. Also true on SQLite, which locks no
        rows."""
        return not self.on_citus


Lock = Callable[[], LockedWorkspace]
"""Waits until the workspace is locked, and returns it. Raises WorkspaceGone if it does not exist."""


def in_workspace(
    workspace_id: int,
    work: Callable[[LockedWorkspace], Result],
    *,
    using: str,
    alone: bool = False,
    directory: bool = False,
) -> Result:
    """Runs `work` in one transaction under the workspace's lock, and returns what it returns.

    Tries again as `tried_again` does. Raises WorkspaceGone if the workspace does not exist.
    """

    def locked() -> Result:
        if directory:
            sql.lock_directory(connections[using], workspace_id)
        with pipelined(connections[using]):
            workspace = _lock(workspace_id, using, alone)()
        return work(workspace)

    return tried_again(locked, using=using)


def in_pipeline(
    workspace_id: int,
    work: Callable[[Lock], Result],
    *,
    using: str,
    alone: bool = False,
    max_wait: float | None = None,
) -> Result:
    """As `in_workspace`, but `work` gets a function that waits for the lock. Statements that `work` sends before it
    calls the function reach PostgreSQL together with the lock (see `pipelined`).

    With `max_wait`, raises the database's error instead of waiting longer than so many seconds for a lock; on SQLite
    this needs `short_waits`.
    """

    def locked() -> Result:
        with pipelined(connections[using]):
            return work(_lock(workspace_id, using, alone, max_wait))

    return tried_again(locked, using=using, max_wait=max_wait)


def _lock(workspace_id: int, using: str, alone: bool, max_wait: float | None = None) -> Lock:
    locked = sql.lock(connections[using], workspace_id, alone, max_wait)

    def read() -> LockedWorkspace:
        row = locked()
        if row is None:
            raise WorkspaceGone
        return LockedWorkspace(*row)

    return read


def in_directory(
    workspace_id: int, work: Callable[[LockedWorkspace], Result], *, using: str, alone: bool = False
) -> Result:
    """As `in_workspace`, also under the lock of the workspace's directory.

    Also tries again if code without this lock, such as a form of the admin, has just saved the same row.
    """

    attempts = 1 if connections[using].in_atomic_block else DIRECTORY_ATTEMPTS
    for _ in range(1, attempts):
        with suppress(IntegrityError):
            return in_workspace(workspace_id, work, using=using, alone=alone, directory=True)
        time.sleep(_PAUSE)
    return in_workspace(workspace_id, work, using=using, alone=alone, directory=True)


def can_lock_aliases(using: str) -> bool:
    """Whether aliases are locked one by one before they are deleted, and not under their workspace's lock."""
    connection = connections[using]
    return is_postgresql(connection) and not sql.is_citus(connection)


def in_workspaces_alone(workspace_ids: Iterable[int], work: Callable[[], Result], *, using: str) -> Result:
    """Runs `work` in one transaction under the exclusive locks of these workspaces, and returns what it returns."""
    ordered = sorted(workspace_ids)

    def locked() -> Result:
        for workspace_id in ordered:
            sql.lock(connections[using], workspace_id, alone=True)
        return work()

    return tried_again(locked, using=using)


def tried_again(work: Callable[[], Result], *, using: str, max_wait: float | None = None) -> Result:
    """Runs `work` in a transaction. Tries again after a deadlock, a serialization failure or a locked SQLite database,
    unless there is a caller's transaction, which only the caller can repeat, or `max_wait` seconds have passed.
    """
    attempts = 1 if connections[using].in_atomic_block else ATTEMPTS
    started = time.monotonic()
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic(using=using):
                return work()
        except DatabaseError as error:
            is_late = max_wait is not None and time.monotonic() - started >= max_wait
            if attempt == attempts or is_late or not passes_by_itself(error):
                raise
            time.sleep(_PAUSE * 2 ** (attempt - 1))
    raise AssertionError("unreachable")
