"""Tracked links: one for each combination of arguments. Making them, switching them off and on, and their addresses."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from stats_app import public_ids
from stats_app.conf import conf
from stats_app.dimensions import CAMPAIGN, KINDS
from stats_app.errors import FieldError, shown
from stats_app.ingest import Rejection
from stats_app.known_links import forget_links
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import Alias, Campaign, TrackedLink, Workspace, WorkspaceUser
from stats_app.references import WrongField, alias_of, code_of, folded, has_campaign, reference_of, rows_of
from stats_app.targets import LENGTH_RULE, MAX_LENGTH, is_target, sent_length

TOKEN_LENGTH = 11
# 58 letters and digits that cannot be confused with each other when a token is typed. 11 of them have 64 bits.
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# How many links one statement inserts: databases limit its parameters, and a link has nine.
_AT_ONCE = 3_000


class LinkInput(NamedTuple):
    """A link to make. Nothing is validated yet: every value may be of any type.

    `campaign` and `user` are instances or public ids, `alias` an instance or an e-mail. An alias also sets the user if
    none is given. `target_url` may be empty for a campaign link, which then leads to the campaign's current target.
    """

    kind: Any
    target_url: Any = ""
    campaign: Any = None
    user: Any = None
    alias: Any = None


@dataclass(slots=True)
class LinksResult:
    """The result for a list. `links` has the link of each item, or None for a rejected one; `created` has new links."""

    created: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    links: list[TrackedLink | None] = field(default_factory=list)


def address(token: str, absolute: Callable[[str], str]) -> str | None:
    """The full URL of a link. `absolute` makes a URL from a path, like `HttpRequest.build_absolute_uri`.

    None if the host has not included the URLs of tracked links, and LINK_BASE_URL is not set.
    """
    if conf.link_base_url is not None:
        return conf.link_base_url + token
    try:
        return absolute(reverse("stats_redirects:follow", args=[token]))
    except NoReverseMatch:
        return None


def new_token(choose: Callable[[str], str] = secrets.choice) -> str:
    return "".join(choose(_ALPHABET) for _ in range(TOKEN_LENGTH))


def create_links(
    workspace: Workspace,
    links: Iterable[LinkInput | FieldError],
    *,
    now: datetime | None = None,
    make_token: Callable[[], str] = new_token,
) -> LinksResult:
    """Makes links, set-based and in one transaction. The same arguments give the same link, even in concurrent calls.

    A `FieldError` in place of an item is an error that the caller has found. Wrong items are reported by position, and
    the links of the others are made. Raises WorkspaceGone.
    """
    items = list(links)
    using = router.db_for_write(TrackedLink)
    made_at = timezone.now() if now is None else now
    create = partial(_create, items=items, using=using, made_at=made_at, make_token=make_token)
    return in_workspace(workspace.pk, create, using=using)


def switch(links: QuerySet[TrackedLink], *, on: bool) -> list[TrackedLink]:
    """Switches links on or off, and returns those that were changed."""
    using = router.db_for_write(TrackedLink)
    with transaction.atomic(using=using):
        changed = list(links.using(using).filter(is_active=not on).order_by("pk").select_for_update(of=("self",)))
        for start in range(0, len(changed), _AT_ONCE):
            numbers = [link.pk for link in changed[start : start + _AT_ONCE]]
            TrackedLink.objects.using(using).filter(pk__in=numbers).update(is_active=on)
        forget_links([link.token for link in changed], using=using)
    return changed


def _create(
    locked: LockedWorkspace,
    *,
    items: Sequence[LinkInput | FieldError],
    using: str,
    made_at: datetime,
    make_token: Callable[[], str],
) -> LinksResult:
    result = LinksResult(links=[None] * len(items))
    inputs = [item for item in items if isinstance(item, LinkInput)]
    references = _References.of(connections[using], locked, inputs)
    rows: dict[int, TrackedLink] = {}
    for index, item in enumerate(items):
        try:
            link = _row(locked.id, item, references)
        except WrongField as wrong:
            result.rejected.append(Rejection.of(index, wrong.error))
        else:
            link.token, link.created_at = make_token(), made_at
            rows[index] = link
    wanted = {row.fingerprint: row for row in rows.values()}
    known = _by_fingerprint(locked.id, wanted.keys(), using)
    # Sorted by their unique key, because otherwise two callers with overlapping lists could deadlock.
    new = [wanted[fingerprint] for fingerprint in sorted(wanted.keys() - known.keys())]
    TrackedLink.objects.using(using).bulk_create(new, ignore_conflicts=True, batch_size=_AT_ONCE)
    stored = known | _by_fingerprint(locked.id, [row.fingerprint for row in new], using)
    made_now = {row.token for row in new}
    for index, row in rows.items():
        result.links[index] = stored[row.fingerprint]
    result.created = sum(link.token in made_now for link in stored.values())
    result.unchanged = len(rows) - result.created
    return result


def _by_fingerprint(workspace_id: int, fingerprints: Iterable[str], using: str) -> dict[str, TrackedLink]:
    stored = TrackedLink.objects.using(using).select_related("campaign", "user", "alias")
    links: dict[str, TrackedLink] = {}
    wanted = list(fingerprints)
    for start in range(0, len(wanted), _AT_ONCE):
        for link in stored.filter(workspace=workspace_id, fingerprint__in=wanted[start : start + _AT_ONCE]):
            links[link.fingerprint] = link
    return links


@dataclass(slots=True)
class _References:
    """The rows of the workspace that a list refers to, by public id, e-mail or instance."""

    campaigns: dict[Any, int]
    # The primary key of a user, and when the person was erased.
    users: dict[Any, tuple[int, datetime | None]]
    # The primary key of an alias, and that of its user, and its e-mail.
    aliases: dict[Any, tuple[int, int, str]]

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper, locked: LockedWorkspace, items: Sequence[LinkInput]) -> _References:
        look = partial(rows_of, connection, locked.id)
        return cls(
            look(Campaign, "public_id", [item.campaign for item in items]),
            look(WorkspaceUser, "public_id", [item.user for item in items], "known.erased_at"),
            look(
                Alias,
                "email",
                [folded(_trimmed(item.alias)) for item in items],
                "known.user_id, known.email",
                lock=locked.locks_aliases,
            ),
        )


def _trimmed(alias: Any) -> Any:
    return alias.strip() if isinstance(alias, str) else alias


def _row(workspace_id: int, item: LinkInput | FieldError, references: _References) -> TrackedLink:
    """The link to store, without its token. Raises `WrongField` for the first wrong field."""
    if isinstance(item, FieldError):
        raise WrongField(item.field, item.code, item.message)
    kind = code_of("kind", item.kind, KINDS)
    campaign_id = _campaign(kind, item.campaign, references)
    user_id, alias_id = _person(item.user, item.alias, references)
    link = TrackedLink(
        workspace_id=workspace_id,
        kind=item.kind,
        target_url=_target(item),
        campaign_id=campaign_id,
        user_id=user_id,
        alias_id=alias_id,
    )
    link.fingerprint = _fingerprint(link)
    return link


def _campaign(kind: int, value: Any, references: _References) -> int | None:
    if not has_campaign("link", kind, value):
        return None
    campaign_id: int = reference_of(references.campaigns, "campaign", value, public_ids.CAMPAIGN)
    return campaign_id


def _person(user: Any, alias: Any, references: _References) -> tuple[int | None, int | None]:
    """The user and the alias."""
    user_id = None if user is None else _user(user, references)
    if alias is None:
        return user_id, None
    alias_id, owner_id, email = alias_of(references.aliases, _trimmed(alias))
    if user_id is not None and user_id != owner_id:
        raise WrongField("alias", "invalid", f"alias {shown(email)} does not belong to the user.")
    return owner_id, alias_id


def _user(value: Any, references: _References) -> int:
    user_id, erased_at = reference_of(references.users, "user", value, public_ids.USER)
    if erased_at is not None:
        name = shown(getattr(value, "public_id", value))
        raise WrongField("user", "not_allowed", f"user {name} belongs to a user who was erased.")
    return int(user_id)


def _target(item: LinkInput) -> str:
    target = "" if item.target_url is None else item.target_url
    if not isinstance(target, str):
        raise WrongField("target_url", "invalid", f"target_url must be an http or https address, not {shown(target)}.")
    if not target:
        if item.kind != CAMPAIGN:
            raise WrongField(
                "target_url", "required", "target_url is required: an address such as https://www.example.com/. "
                "Only a campaign link can do without."
            )  # fmt: skip
        return ""
    if (length := sent_length(target)) > MAX_LENGTH:
        raise WrongField("target_url", "too_long", f"target_url {LENGTH_RULE}, not {length}.")
    if not is_target(target):
        raise WrongField("target_url", "invalid", f"target_url must be an http or https address, not {shown(target)}.")
    return target


def _fingerprint(link: TrackedLink) -> str:
    """A hash of the arguments of a link. Links with equal hashes are the same link. The arguments are separated by line
    breaks, which no target contains."""
    parts = (link.kind, link.target_url, link.campaign_id, link.user_id, link.alias_id)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
