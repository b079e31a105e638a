"""Ids for rows without one. Reading the same file again gives the same ids."""

from __future__ import annotations

import secrets
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b

from django.db import router

from stats_app.imports.times import EPOCH
from stats_app.locks import in_workspace
from stats_app.models import ImportKey, Workspace

_MILLISECOND = timedelta(milliseconds=1)
_TIME_BYTES, _HASH_BYTES = 6, 10  # of a ULID
_KEY_BYTES = 32


def import_key(workspace: Workspace, *, dry_run: bool) -> bytes:
    """The workspace's key for the ids of rows. The first import stores a new one; a dry run before it uses one that is
    not stored. Raises WorkspaceGone if the workspace was deleted."""
    using = router.db_for_write(ImportKey)
    keys = ImportKey.objects.using(using)
    new = secrets.token_bytes(_KEY_BYTES)
    if dry_run:
        return bytes(keys.filter(pk=workspace.pk).values_list("key", flat=True).first() or new)
    get = partial(keys.get_or_create, workspace_id=workspace.pk, defaults={"key": new})
    # Under the lock, so that the workspace is not deleted meanwhile.
    stored, _ = in_workspace(workspace.pk, lambda _: get(), using=using)
    return bytes(stored.key)


class RowIds:
    """Makes the ids of one run. An id is a ULID that consists of the click's time and a keyed hash of the row's
    content and of the number of earlier rows with the same time and content."""

    def __init__(self, key: bytes) -> None:
        self._start = blake2b(key=key, digest_size=_HASH_BYTES)
        self._seen = Seen()

    def of(self, rows: Sequence[tuple[datetime, bytes, bool]]) -> list[bytes]:
        """The ids of rows in the order of the file. A row is given as the time of its click, not before 1970, its
        content, and whether that is an external id: then another row with it is the same click."""
        first_ids = [self._id(time, content) for time, content, _ in rows]
        return [
            self._id(time, content + b"\x1d%d" % number) if number and not is_external_id else first_id
            for (time, content, is_external_id), first_id, number in zip(
                rows, first_ids, self._seen.earlier(first_ids), strict=True
            )
        ]

    def _id(self, time: datetime, content: bytes) -> bytes:
        hashed = self._start.copy()
        hashed.update(content)
        return ((time - EPOCH) // _MILLISECOND).to_bytes(_TIME_BYTES, "big") + hashed.digest()


class Seen:
    """Counts how often each id has occurred so far.

    The counts are in a temporary SQLite file, so that memory does not grow with the number of ids. It is fast, because
    ids begin with their time, and most files are nearly sorted by time: the next id is mostly next to the last one in
    the file.
    """

    def __init__(self) -> None:
        self._batch = 0
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA cache_size = -16384")  # KiB
        self._file.execute("CREATE TABLE seen (id BLOB PRIMARY KEY, times INT, batch INT) WITHOUT ROWID")

    def earlier(self, ids: Sequence[bytes]) -> list[int]:
        """Adds a batch of ids. Returns for each id how often it occurred before."""
        counts = Counter(ids)
        earlier = self._add(counts)
        if not earlier and len(counts) == len(ids):
            return [0] * len(ids)
        numbers = []
        for one in ids:
            number = earlier.get(one, 0)
            numbers.append(number)
            earlier[one] = number + 1
        return numbers

    def _add(self, counts: Mapping[bytes, int]) -> dict[bytes, int]:
        """Adds the counts of a batch. Returns the earlier counts of the ids that occurred in earlier batches."""
        self._batch += 1
        self._file.execute("BEGIN")
        before = self._file.total_changes
        added = ((one, times, self._batch) for one, times in sorted(counts.items()))
        self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", added)
        earlier = {}
        if self._file.total_changes - before < len(counts):
            for one, times in counts.items():
                [(so_far, batch)] = self._file.execute("SELECT times, batch FROM seen WHERE id = ?", (one,))
                if batch < self._batch:
                    earlier[one] = so_far
                    self._file.execute("UPDATE seen SET times = times + ? WHERE id = ?", (times, one))
        self._file.execute("COMMIT")
        return earlier
