"""Changing the verdicts of stored clicks, and updating the counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.db import connections, router

from stats_app.dimensions import HUMAN, VERDICTS
from stats_app.ingest import checked_reason, click_id_of, number_reasons, spans_of
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import Click, Workspace
from stats_app.periods import zone_of
from stats_app.references import WrongField, code_of
from stats_app.sql import clicks as sql

_HUMAN = VERDICTS[HUMAN]


class VerdictChange(NamedTuple):
    """The new verdict on a stored click. `id` is as in `ClickInput`."""

    id: Any
    verdict: str
    reason: str = ""


class _Excluded(NamedTuple):
    """A stored click that must not be counted."""

    verdict: int
    reason: str
    campaign_id: int | None
    user_id: int | None


def change_verdicts(workspace: Workspace, changes: Iterable[VerdictChange]) -> int:
    """Gives stored clicks another verdict and updates the rollups in one transaction; returns how many clicks changed.

    Clicks that are not stored, or already have the verdict and the reason, are skipped. Uses the caller's transaction
    if there is one; otherwise it tries again after a deadlock. If the same transaction also records clicks, call this
    function first: recording locks rollups, and stored clicks must be locked before them. Raises ValueError for an
    invalid verdict, reason or id.
    """
    try:
        wanted = {click_id_of(change.id): _verdict(change) for change in changes}
    except WrongField as wrong:
        raise ValueError(wrong.error.message) from None
    using = router.db_for_write(Click)
    return in_workspace(workspace.pk, partial(_change_verdicts, wanted=wanted, using=using), using=using)


def _change_verdicts(locked: LockedWorkspace, *, wanted: Mapping[bytes, tuple[int, str]], using: str) -> int:
    connection = connections[using]
    verdicts = set(wanted.values())
    excluded = [click_id for click_id, (verdict, _) in wanted.items() if verdict != _HUMAN]
    if excluded:
        subjects = sql.subjects(connection, locked.id, excluded)
        number_reasons(connection, locked.id, (_Excluded(*wanted[one.id], *one[1:]) for one in subjects))
    stored = sql.lock_verdicts(connection, locked.id, sorted(wanted))
    changed = [click for click in stored if (click.verdict, click.reason) != wanted[click.id]]
    ids = [click.id for click in changed]
    spans = spans_of(zone_of(locked.timezone), {click.utc_day for click in changed})
    sql.move(connection, locked.id, ids, spans, "-")
    for verdict, reason in verdicts:
        alike = [click_id for click_id in ids if wanted[click_id] == (verdict, reason)]
        sql.set_verdicts(connection, locked.id, alike, verdict, reason)
    sql.move(connection, locked.id, ids, spans)
    return len(changed)


def _verdict(change: VerdictChange) -> tuple[int, str]:
    verdict = code_of("verdict", change.verdict, VERDICTS)
    return verdict, checked_reason(change.reason, verdict)
