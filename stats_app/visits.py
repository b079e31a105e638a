"""Following a link: finding it, judging the visit and recording the click.

If recording fails, the visitor is redirected all the same.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import connections, router
from ulid import ULID

from stats_app import verdicts
from stats_app.bursts import REPEAT, Followed, judge_bursts
from stats_app.database_errors import DATABASE_ERRORS
from stats_app.dimensions import BOT, KINDS, VERDICTS
from stats_app.ingest import recording, store
from stats_app.locks import LockedWorkspace
from stats_app.models import Click, TrackedLink, Workspace
from stats_app.proxies import client_address
from stats_app.sql import links as sql
from stats_app.sql import visits
from stats_app.sql.clicks import ClickRow
from stats_app.sql.references import find
from stats_app.targets import is_target
from stats_app.verdict_changes import VerdictChange, change_verdicts
from stats_app.verdicts import Judgement, Visit
from stats_app.visitors import Visitor, visitor_of

logger = logging.getLogger(__name__)
# The log of clicks that could not be recorded: one JSON line each, in the form that `import_clicks` reads.
lost_clicks = logging.getLogger("stats_app.clicks")

MAX_KNOWN = 10_000
# The most visits to read of one network in the last minute. A scanner with more has already been recognized.
MAX_RECENT = 1_000
_KINDS = {number: kind for kind, number in KINDS.items()}
_CACHE_PREFIX = "stats_app:link:"
_CACHE_SECONDS = 24 * 60 * 60


class KnownLink(NamedTuple):
    """The data needed to follow a link, in plain values that can be cached.

    `target` is the link's own target, or the current one of its campaign. `signature` is the primary key of the user
    whose mails contain the link, even if the user has opted out of being counted; None if it is in everybody's mails.
    """

    id: int
    workspace_id: int
    token: str
    kind: str
    target: str
    campaign: str | None
    user: str | None
    alias: str | None
    signature: int | None
    can_be_recorded: bool = True
    """False if the database that stores clicks did not answer when the link was looked up."""


# The links that this process has read, the last used at the end. Only used while the database is unavailable.
_known: OrderedDict[str, KnownLink] = OrderedDict()


def find_link(token: str) -> KnownLink | None:
    """The link with this token. None if there is none, if it was switched off, or if its target is not safe.

    While the database is unavailable, returns the link from the memory of this process or from Django's cache. Raises
    the database's error if neither has it.
    """
    using = router.db_for_read(TrackedLink)
    try:
        stored = sql.find_link(connections[using], token)
    except DATABASE_ERRORS:
        link = _known.get(token) or _cached(token)
        if link is None:
            raise
        logger.warning("The database cannot be reached: a link redirects to its cached target.", exc_info=True)
        return link._replace(can_be_recorded=using != router.db_for_write(Click))
    link = None if stored is None else _link_of(stored)
    if link is None:
        _known.pop(token, None)
    elif _known.get(token) != link:
        _remember(link)
    return link


def _link_of(stored: sql.FollowedLink) -> KnownLink | None:
    target = stored.target_url or stored.campaign_target_url or ""
    if not stored.is_active:
        return None
    if not is_target(target):
        logger.error("The link %s has a target that is not an http or https address.", stored.token)
        return None
    # The clicks of a person who opted out count only for the workspace and the campaign.
    user, alias = (None, None) if stored.is_opted_out else (stored.user, stored.alias)
    kind = _KINDS[stored.kind]
    return KnownLink(
        stored.id, stored.workspace_id, stored.token, kind, target, stored.campaign, user, alias, stored.user_id
    )


def _remember(link: KnownLink) -> None:
    _known[link.token] = link
    _known.move_to_end(link.token)
    if len(_known) > MAX_KNOWN:
        _known.popitem(last=False)
    try:
        cache.set(_CACHE_PREFIX + link.token, tuple(link), _CACHE_SECONDS)
    except Exception:
        logger.warning("A link could not be written to the cache.", exc_info=True)


def forget_links(tokens: Sequence[str]) -> None:
    """Removes links from the memory of this process and from Django's cache, which could keep an alias for a day."""
    for token in tokens:
        _known.pop(token, None)
    try:
        cache.delete_many([_CACHE_PREFIX + token for token in tokens])
    except Exception:
        logger.warning("Links could not be deleted from the cache.", exc_info=True)


def _cached(token: str) -> KnownLink | None:
    try:
        values = cache.get(_CACHE_PREFIX + token)
    except Exception:
        logger.warning("A link could not be read from the cache.", exc_info=True)
        return None
    return None if values is None else KnownLink(*values)


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
            # The person may have been erased with it.
            _log_lost(link, click_id, judgement, now, of_nobody=True)
    return judgement


def _record(link: KnownLink, click_id: ULID, judgement: Judgement, visitor: Visitor | None, *, now: datetime) -> bool:
    """Records the click, and changes the verdicts of the other clicks in its burst, in one transaction. Returns False
    if the link was deleted."""
    using = router.db_for_write(Click)

    def record(locked: LockedWorkspace) -> bool:
        # Read again under the lock, because its campaign or its user may have been deleted.
        stored = sql.find_link(connections[using], link.token)
        if stored is None:
            return False
        if stored.alias_id and locked.locks_aliases and not _lock_alias(locked.id, stored.alias_id, using):
            stored = stored._replace(alias_id=None, alias=None)
        judged = judgement
        if visitor is not None and judgement.verdict != BOT:
            judged = _judge_among_recent(link, click_id, judgement, visitor, now, using)
        store(locked, [_click_row(stored, click_id, judged, visitor, now)], using=using)
        return True

    return recording(link.workspace_id, record, using=using)


def _lock_alias(workspace_id: int, alias_id: int, using: str) -> bool:
    """Keeps others from deleting the alias until the transaction ends. Returns False if it was deleted."""
    return bool(find(connections[using], workspace_id, "stats_app_alias", "id", {alias_id}, lock=True))


def _judge_among_recent(
    link: KnownLink, click_id: ULID, judgement: Judgement, visitor: Visitor, now: datetime, using: str
) -> Judgement:
    """Judges the visit together with those of its network just before it, changes their verdicts, and remembers it."""
    connection, workspace = connections[using], Workspace(pk=link.workspace_id)
    # Scanners request many links at the same time. Under the lock each click sees those before it.
    visits.lock_network(connection, visitor.network)
    recent = visits.recent_visits(connection, link.workspace_id, visitor.network, now - REPEAT, MAX_RECENT)
    visit = visits.VisitRow(
        visitor.network, visitor.key, link.id, link.signature, click_id.bytes, now, judgement.reason
    )
    changes = judge_bursts([_followed(row) for row in (*recent, visit)])
    judged = changes.pop(visit.click, None)
    if changes:
        change_verdicts(workspace, [VerdictChange(id, new.verdict, new.reason) for id, new in changes.items()])
        visits.change_reasons(connection, link.workspace_id, {id: new.reason for id, new in changes.items()})
    if judged is not None:
        judgement = judgement._replace(verdict=judged.verdict, reason=judged.reason)
    visits.remember_visit(connection, link.workspace_id, visit._replace(reason=judgement.reason), expired=now - REPEAT)
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


def _log_lost(link: KnownLink, click_id: ULID, judgement: Judgement, now: datetime, *, of_nobody: bool = False) -> None:
    """Logs the values that are needed to record the click later, and nothing about the visitor. With `of_nobody` the
    link and its person are left out."""
    click: dict[str, Any] = {
        "id": str(click_id).lower(),
        "kind": link.kind,
        "campaignPublicId": link.campaign,
        "userPublicId": None if of_nobody else link.user,
        "alias": None if of_nobody else link.alias,
        # For a person who opted out the link is left out, too, because it would show whose click it was.
        "link": link.token if not of_nobody and (link.user or link.signature is None) else None,
        "clickedAt": now.astimezone(UTC).isoformat(timespec="microseconds"),
        "verdict": judgement.verdict,
        "reason": judgement.reason,
    }
    lost_clicks.error(json.dumps({name: value for name, value in click.items() if value not in (None, "")}))
