"""A link that is followed: found, judged and recorded. The visitor is led on whatever happens to the recording."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import DatabaseError, connections, router
from ulid import ULID

from stats_app import verdicts
from stats_app.dimensions import BOT, KINDS
from stats_app.ingest import ClickInput, Rejection, record_clicks
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import TrackedLink, Workspace
from stats_app.proxies import client_address
from stats_app.sql import links as sql
from stats_app.sql import visits
from stats_app.targets import is_target
from stats_app.verdict_changes import VerdictChange, change_verdicts
from stats_app.verdicts import REPEAT, Followed, Judgement, Visit
from stats_app.visitors import Visitor, visitor_of

logger = logging.getLogger(__name__)
# One JSON line for each click that could not be recorded, in the form that `import_clicks` reads.
lost_clicks = logging.getLogger("stats_app.clicks")

MAX_KNOWN = 10_000
# Of the last minute of one network: a scanner that asks for more has been found out before.
MAX_RECENT = 1_000
_KINDS = {number: kind for kind, number in KINDS.items()}
_CACHE_PREFIX = "stats_app:link:"
_CACHE_SECONDS = 24 * 60 * 60


class KnownLink(NamedTuple):
    """What following a link needs of it, in plain values that a cache can hold.

    `target` is the link's own, or its campaign's of the time. `signature` is the number of the user in whose mail it
    stands, also when the user has opted out of being counted; None for one that stands in everyone's.
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


# The links that this process has read, the last used at the end: only for the time when the database is away.
_known: OrderedDict[str, KnownLink] = OrderedDict()


def find_link(token: str) -> KnownLink | None:
    """The link with this token, or None where there is none, it was switched off, or its target is not safe.

    When the database is away, the link as this process or Django's cache last knew it. Raises the database's error when
    neither knows it.
    """
    try:
        found = sql.find_link(connections[router.db_for_read(TrackedLink)], token)
    except DatabaseError:
        link = _known.get(token) or _cached(token)
        if link is None:
            raise
        logger.warning("The database cannot be reached: a link leads to where it last did.", exc_info=True)
        return link
    link = None if found is None else _link_of(found)
    if link is None:
        _known.pop(token, None)
    elif _known.get(token) != link:
        _remember(link)
    return link


def _link_of(found: sql.FollowedLink) -> KnownLink | None:
    target = found.target_url or found.campaign_target_url or ""
    if not found.is_active:
        return None
    if not is_target(target):
        logger.error("The link %s has a target that is no http or https address.", found.token)
        return None
    # A person who opted out counts for the workspace and the campaign only.
    user, alias = (None, None) if found.is_opted_out else (found.user, found.alias)
    kind = _KINDS[found.kind]
    return KnownLink(
        found.id, found.workspace_id, found.token, kind, target, found.campaign, user, alias, found.user_id
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
    """Takes links out of this process and of Django's cache, where they may hold an alias for a day."""
    for token in tokens:
        _known.pop(token, None)
    try:
        cache.delete_many([_CACHE_PREFIX + token for token in tokens])
    except Exception:
        logger.warning("Links could not be taken out of the cache.", exc_info=True)


def _cached(token: str) -> KnownLink | None:
    try:
        values = cache.get(_CACHE_PREFIX + token)
    except Exception:
        logger.warning("A link could not be read from the cache.", exc_info=True)
        return None
    return None if values is None else KnownLink(*values)


def record_visit(link: KnownLink, visit: Visit, *, remote_addr: str, forwarded: str | None, now: datetime) -> Judgement:
    """Records a click on the link and judges it by who visits, alone and together with the clicks just before.

    `remote_addr` is where the connection came from, and `forwarded` the value of the header CLIENT_IP_HEADER. Never
    raises: a click that cannot be recorded is written to the log `stats_app.clicks`.
    """
    judgement = verdicts.judge(visit)
    click_id = ULID.from_datetime(now)
    try:
        visitor, address = None, client_address(remote_addr, forwarded)
        if address is not None:
            visitor = visitor_of(link.workspace_id, address, visit.user_agent, visit.accept_language, now=now)
        click = ClickInput(
            link.kind, click_id, link.campaign, link.user, link.alias, link.token, now, judgement.verdict,
            judgement.reason, None if visitor is None else visitor.key, judgement.shadow_bits,
        )  # fmt: skip
        rejected = _record(link, click, visitor, now=now)
    except Exception:
        logger.exception("A click could not be recorded.")
        _log_lost(link, click_id, judgement, now)
    else:
        if rejected:
            logger.error("A click was rejected: %s", rejected)
            _log_lost(link, click_id, judgement, now)
    return judgement


def _record(link: KnownLink, click: ClickInput, visitor: Visitor | None, *, now: datetime) -> list[Rejection]:
    """Records the click, and makes the clicks of a burst that it belongs to suspected, all in one transaction."""
    workspace = Workspace(pk=link.workspace_id)
    if visitor is None or click.verdict == BOT:
        return record_clicks(workspace, [click], now=now).rejected
    using = router.db_for_write(TrackedLink)

    def judge_and_record(_locked: LockedWorkspace) -> list[Rejection]:
        connection = connections[using]
        # Scanners ask for many links at once: each click must see those that came before it.
        visits.lock_network(connection, visitor.network)
        recent = visits.recent_visits(connection, link.workspace_id, visitor.network, now - REPEAT, MAX_RECENT)
        visit = visits.VisitRow(
            visitor.network, visitor.key, link.id, link.signature, click.id.bytes, now, click.reason
        )
        changes = verdicts.bursts([_followed(row) for row in (*recent, visit)])
        own = changes.pop(visit.click, None)
        judged = click if own is None else click._replace(verdict=own.verdict, reason=own.reason)
        change_verdicts(workspace, [VerdictChange(id, change.verdict, change.reason) for id, change in changes.items()])
        visits.change_reasons(connection, link.workspace_id, {id: change.reason for id, change in changes.items()})
        rejected = record_clicks(workspace, [judged], now=now).rejected
        if not rejected:
            visit = visit._replace(reason=judged.reason)
            visits.remember_visit(connection, link.workspace_id, visit, expired=now - REPEAT)
        return rejected

    return in_workspace(link.workspace_id, judge_and_record, using=using)


def _followed(row: visits.VisitRow) -> Followed:
    return Followed(row.click, row.visited_at, row.link, row.signature, row.visitor, row.network, row.reason)


def _log_lost(link: KnownLink, click_id: ULID, judgement: Judgement, now: datetime) -> None:
    """Everything that is needed to record the click later, and nothing about the visitor."""
    click: dict[str, Any] = {
        "id": str(click_id).lower(),
        "kind": link.kind,
        "campaignPublicId": link.campaign,
        "userPublicId": link.user,
        "alias": link.alias,
        # That of a person who opted out would say whose click it was.
        "link": link.token if link.user or link.signature is None else None,
        "clickedAt": now.astimezone(UTC).isoformat(timespec="microseconds"),
        "verdict": judgement.verdict,
        "reason": judgement.reason,
    }
    lost_clicks.error(json.dumps({name: value for name, value in click.items() if value not in (None, "")}))
