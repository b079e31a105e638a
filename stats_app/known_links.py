"""Finding the link that a reader follows.

Links that were read before are also found while the database is unavailable: this process and Django's cache know them
for a day.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from django.core.cache import cache
from django.db import connections, router, transaction

from stats_app.database_errors import DATABASE_ERRORS
from stats_app.dimensions import KINDS
from stats_app.models import Click, TrackedLink
from stats_app.sql import links as sql
from stats_app.sql.workspaces import short_waits
from stats_app.targets import is_target

logger = logging.getLogger(__name__)

# The most seconds that a reader waits for a lock that somebody else holds.
MAX_WAIT = 2.0
MAX_KNOWN = 10_000
_KINDS = {number: kind for kind, number in KINDS.items()}
# The number changes with the fields of `KnownLink`: another version of this app may have written to the same cache.
_CACHE_PREFIX = "stats_app:known_link:2:"
# How long a link is known after it was last read.
_KNOWN_SECONDS = 24 * 60 * 60
# A link that is followed often is written to the cache only this often.
_REFRESH_SECONDS = 60 * 60


class KnownLink(NamedTuple):
    """The data needed to follow a link, in plain values that can be cached. It does not say whose link it is.

    `workspace` and `campaign` are public ids. `target` is the link's own target, or the current one of its campaign.
    `is_opted_out` says whether the link belongs to a person who opted out of being counted.
    """

    workspace_id: int
    workspace: str
    token: str
    kind: str
    target: str
    campaign: str | None
    is_opted_out: bool
    can_be_recorded: bool = True
    """False if the database that stores clicks did not answer when the link was looked up."""


class _Known(NamedTuple):
    link: KnownLink
    read_at: float


# The links that this process has read, the last read at the end. Only used while the database is unavailable.
_known: OrderedDict[str, _Known] = OrderedDict()


def find_link(token: str) -> KnownLink | None:
    """The link with this token. None if there is none, if it was switched off, or if its target is not safe.

    While the database is unavailable, returns the link from the memory of this process or from Django's cache, which
    know it for a day. Raises the database's error if neither knows it.
    """
    using = router.db_for_read(TrackedLink)
    try:
        with short_waits(connections[using], MAX_WAIT):
            stored = sql.find_link(connections[using], token)()
    except DATABASE_ERRORS:
        link = _remembered(token) or _cached(token)
        if link is None:
            raise
        logger.warning("The database cannot be reached: a link redirects to its cached target.", exc_info=True)
        return link._replace(can_be_recorded=using != router.db_for_write(Click))
    link = None if stored is None else _link_of(stored)
    if link is not None:
        _remember(link)
    elif stored is not None or token in _known:  # not for every unknown token, because the cache may be slow
        _forget([token])
    return link


def _link_of(stored: sql.FollowedLink) -> KnownLink | None:
    target = stored.target_url or stored.campaign_target_url or ""
    if not stored.is_active:
        return None
    if not is_target(target):
        logger.error("The link %s has a target that is not an http or https address.", stored.token)
        return None
    kind = _KINDS[stored.kind]
    return KnownLink(
        stored.workspace_id,
        stored.workspace,
        stored.token,
        kind,
        target,
        stored.campaign,
        is_opted_out=bool(stored.is_opted_out),
    )


def _remember(link: KnownLink) -> None:
    now = time.time()
    known = _known.pop(link.token, None)
    if known is not None and known.link == link and 0 <= now - known.read_at < _REFRESH_SECONDS:
        _known[link.token] = known
        return
    _known[link.token] = _Known(link, now)
    if len(_known) > MAX_KNOWN:
        _known.popitem(last=False)
    try:
        cache.set(_CACHE_PREFIX + link.token, tuple(link), _KNOWN_SECONDS)
    except Exception:
        logger.warning("A link could not be written to the cache.", exc_info=True)


def forget_links(tokens: Sequence[str], *, using: str) -> None:
    """Removes links from the memory of this process and from Django's cache when the transaction is committed. Other
    processes know them until they read them again, or for a day."""
    transaction.on_commit(partial(_forget, tokens), using=using)


def _forget(tokens: Sequence[str]) -> None:
    for token in tokens:
        _known.pop(token, None)
    try:
        cache.delete_many([_CACHE_PREFIX + token for token in tokens])
    except Exception:
        logger.warning("Links could not be deleted from the cache.", exc_info=True)


def _remembered(token: str) -> KnownLink | None:
    known = _known.get(token)
    return known.link if known is not None and time.time() - known.read_at < _KNOWN_SECONDS else None


def _cached(token: str) -> KnownLink | None:
    try:
        values = cache.get(_CACHE_PREFIX + token)
        return None if values is None else KnownLink(*values)
    except Exception:
        logger.warning("A link could not be read from the cache.", exc_info=True)
        return None
