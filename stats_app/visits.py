"""Judging a visit of a tracked link, and recording its click. A click that cannot be recorded is logged."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connections, router
from ulid import ULID

from stats_app import verdicts
from stats_app.bursts import REPEAT, Followed, judge_bursts
from stats_app.dimensions import BOT, VERDICTS
from stats_app.ingest import recording, store
from stats_app.known_links import MAX_WAIT, KnownLink
from stats_app.locks import Lock
from stats_app.models import Click, Workspace
from stats_app.proxies import client_address
from stats_app.sql import links as sql
from stats_app.sql import visits
from stats_app.sql.clicks import ClickRow
from stats_app.sql.references import find
from stats_app.sql.workspaces import short_waits
from stats_app.verdict_changes import VerdictChange, change_verdicts
from stats_app.verdicts import Judgement, Visit
from stats_app.visitors import Visitor, visitor_of

logger = logging.getLogger(__name__)
# The log of clicks that could not be recorded: one JSON line each, in the form that `import_clicks` reads.
lost_clicks = logging.getLogger("stats_app.clicks")

# The most visits to read of one network in the last minute. A scanner with more has already been recognized.
MAX_RECENT = 1_000


def record_visit(link: KnownLink, visit: Visit, *, remote_addr: str, forwarded: str | None, now: datetime) -> Judgement:
    """Judges a visit by itself and together with the clicks just before it, and records the click.

    `remote_addr` is the address of the connection, `forwarded` the value of the header CLIENT_IP_HEADER. Never raises:
    a click that cannot be recorded is written to the log `stats_app.clicks`.
    """
    judgement = verdicts.judge(visit)
    click_id = ULID.from_datetime(now)
    if not link.can_be_recorded:  # another attempt would make the reader wait again
        _log_lost(link, click_id, judgement, now)
        return judgement
    try:
        with short_waits(connections[router.db_for_write(Click)], MAX_WAIT):
            visitor, address = None, client_address(remote_addr, forwarded)
            if address is not None:
                visitor = visitor_of(link.workspace_id, address, visit.user_agent, visit.accept_language, now=now)
            is_recorded = _record(link, click_id, judgement, visitor, now=now)
    except Exception:
        logger.exception("A click could not be recorded.")
        _log_lost(link, click_id, judgement, now)
    else:
        if not is_recorded:
            logger.error("A click could not be recorded, because its link was deleted: %s", link.token)
            _log_lost(link, click_id, judgement, now, is_deleted=True)
    return judgement


def _record(link: KnownLink, click_id: ULID, judgement: Judgement, visitor: Visitor | None, *, now: datetime) -> bool:
    """Records the click, and changes the verdicts of the other clicks in its burst, in one transaction. Returns False
    if the link was deleted."""
    using = router.db_for_write(Click)
    connection = connections[using]

    def record(lock: Lock) -> bool:
        # Sent after the statements that lock, so it is read under the lock: its campaign or user may have been deleted.
        found = sql.find_link(connection, link.token)
        recent = None
        if visitor is not None and judgement.verdict != BOT:
            # Scanners request many links at the same time. Under the lock each click sees those before it.
            visits.lock_network(connection, visitor.network)
            recent = visits.recent_visits(connection, link.workspace_id, visitor.network, now - REPEAT, MAX_RECENT)
        locked, stored = lock(), found()
        if stored is None:
            return False
        if stored.alias_id and locked.locks_aliases and not _lock_alias(locked.id, stored.alias_id, using):
            stored = stored._replace(alias_id=None)
        judged = judgement
        if visitor is not None and recent is not None:
            # The bursts of a person who opted out are recognized, too.
            visit = visits.VisitRow(
                visitor.network, visitor.key, stored.id, stored.user_id, click_id.bytes, now, judgement.reason
            )
            judged = _judge_among(recent(), visit, judgement, link.workspace_id, using)
        store(locked, [_click_row(stored, click_id, judged, visitor, now)], using=using)
        return True

    return recording(link.workspace_id, record, using=using, max_wait=MAX_WAIT)


def _lock_alias(workspace_id: int, alias_id: int, using: str) -> bool:
    """Keeps others from deleting the alias until the transaction ends. Returns False if it was deleted."""
    return bool(find(connections[using], workspace_id, "stats_app_alias", "id", {alias_id}, lock=True))


def _judge_among(
    recent: Sequence[visits.VisitRow], visit: visits.VisitRow, judgement: Judgement, workspace_id: int, using: str
) -> Judgement:
    """Judges a visit together with those of its network just before it, changes their verdicts, and remembers it."""
    connection = connections[using]
    changes = judge_bursts([_followed(row) for row in (*recent, visit)])
    judged = changes.pop(visit.click, None)
    if changes:
        workspace = Workspace(pk=workspace_id)
        change_verdicts(workspace, [VerdictChange(id, new.verdict, new.reason) for id, new in changes.items()])
        visits.change_reasons(connection, workspace_id, {id: new.reason for id, new in changes.items()})
    if judged is not None:
        judgement = judgement._replace(verdict=judged.verdict, reason=judged.reason)
    visits.remember_visit(
        connection, workspace_id, visit._replace(reason=judgement.reason), expired=visit.visited_at - REPEAT
    )
    return judgement


def _click_row(
    stored: sql.FollowedLink, click_id: ULID, judgement: Judgement, visitor: Visitor | None, now: datetime
) -> ClickRow:
    clicked_at = now.astimezone(UTC)
    is_counted_for_person = not stored.is_opted_out
    return ClickRow(
        id=click_id.bytes,
        clicked_at=clicked_at,
        utc_day=clicked_at.date(),
        kind=stored.kind,
        verdict=VERDICTS[judgement.verdict],
        campaign_id=stored.campaign_id,
        user_id=stored.user_id if is_counted_for_person else None,
        alias_id=stored.alias_id if is_counted_for_person else None,
        # For a person who opted out the link is left out, too, because it would show whose click it was.
        link_id=stored.id if is_counted_for_person else None,
        reason=judgement.reason,
        shadow=judgement.shadow_bits,
        visitor=None if visitor is None else visitor.key,
    )


def _followed(row: visits.VisitRow) -> Followed:
    return Followed(row.click, row.visited_at, row.link, row.signature, row.visitor, row.network, row.reason)


def _log_lost(
    link: KnownLink, click_id: ULID, judgement: Judgement, now: datetime, *, is_deleted: bool = False
) -> None:
    """Logs the values that are needed to record the click later, and nothing about the visitor and the person.

    A line with a link has no kind, so that `import_clicks` takes kind, user and alias from the link as it is then. A
    line about a link that was deleted, or that belongs to a person who opted out, has the kind instead.
    """
    has_link = not (is_deleted or link.is_opted_out)
    click: dict[str, Any] = {
        "workspacePublicId": link.workspace,
        "id": str(click_id).lower(),
        "kind": None if has_link else link.kind,
        "campaignPublicId": link.campaign,
        "link": link.token if has_link else None,
        "clickedAt": now.astimezone(UTC).isoformat(timespec="microseconds"),
        "verdict": judgement.verdict,
        "reason": judgement.reason,
    }
    lost_clicks.error(json.dumps({name: value for name, value in click.items() if value not in (None, "")}))
