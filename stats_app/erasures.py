"""Erasing a person: identifying data is deleted, the counts stay, and no import adds the person again."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import router
from django.db.models import Exists, Max, OuterRef, Q

from stats_app import admin_log
from stats_app.identities import HIDDEN, Identity, addresses_of, calls_that_name, hidden
from stats_app.known_links import forget_links
from stats_app.locks import LockedWorkspace, in_workspace
from stats_app.models import (
    Address,
    Alias,
    CampaignAssignment,
    ErasedIdentifier,
    ErasureSalt,
    RecentVisit,
    ToolCall,
    TrackedLink,
    WorkspaceUser,
)
from stats_app.models.people import ERASED_DOMAIN, KEYS_AT_ONCE
from stats_app.sql.transactions import rolled_back
from stats_app.words import fold

_SALT_LENGTH = 32  # bytes

logger = logging.getLogger(__name__)


class Erased(NamedTuple):
    """The numbers of rows that were erased."""

    aliases: int = 0
    assignments: int = 0
    links_without_person: int = 0
    links_deleted: int = 0
    mailing_addresses: int = 0
    tool_calls: int = 0


class ErasedIdentifiers(NamedTuple):
    """The e-mails and external ids of erased persons, among those that were asked about."""

    emails: frozenset[str]
    external_ids: frozenset[str]


def erased_identifiers(
    workspace_id: int, *, emails: Iterable[str] = (), external_ids: Iterable[str] = ()
) -> ErasedIdentifiers:
    """The e-mails and external ids among these that must be refused when people of a workspace are saved.

    One query if nobody has ever been erased; otherwise up to four, and more for thousands of identifiers. Identifiers
    that a user has now are not included, because staff may have added the person again by hand.
    """
    using = router.db_for_write(ErasedIdentifier)
    salt = ErasureSalt.objects.using(using).filter(workspace=workspace_id).values_list("salt", flat=True).first()
    if salt is None:
        return ErasedIdentifiers(frozenset(), frozenset())
    given_emails, given_ids = set(emails), set(external_ids)
    digests = {email: _email_digest(bytes(salt), email) for email in given_emails}
    of_ids = {external_id: _id_digest(bytes(salt), external_id) for external_id in given_ids}
    stored = _stored(workspace_id, {*digests.values(), *of_ids.values()}, using)
    erased_emails = {email for email, digest in digests.items() if digest in stored}
    erased_ids = {external_id for external_id, digest in of_ids.items() if digest in stored}
    if erased_emails:
        addresses = Address.objects.using(using).filter(workspace=workspace_id, email__in=erased_emails)
        present = set(addresses.values_list("email", flat=True))
        erased_emails = {email for email in erased_emails if fold(email) not in present}
    if erased_ids:
        users = WorkspaceUser.objects.using(using).filter(workspace=workspace_id, external_id__in=erased_ids)
        erased_ids -= set(users.values_list("external_id", flat=True))
    return ErasedIdentifiers(frozenset(erased_emails), frozenset(erased_ids))


def erase_user(user: WorkspaceUser, *, now: datetime, dry_run: bool = False) -> Erased:
    """Erases a person and returns what was erased: nothing if the person was erased before.

    Name, e-mails, aliases, external id and assignments are deleted, also from mailings, from the audit log and from
    the log of Django's admin. The row stays, inactive and opted out, with its public id and its counts.
    Links of campaigns, and links whose target other people's links have, too, keep working without the person. Other
    links are deleted, because their targets may be about the person. `dry_run` rolls everything back. Raises
    WorkspaceGone.
    """
    using = router.db_for_write(WorkspaceUser, instance=user)
    if dry_run:
        with rolled_back(using, admin_log.database() or using):
            return _erase_user(user, now, using)
    erased = _erase_user(user, now, using)
    logger.info("User %s was erased.", user.public_id)
    return erased


def _erase_user(user: WorkspaceUser, now: datetime, using: str) -> Erased:
    # The audit log may be long, so it is read before the lock is taken. Rows added since then are read under the lock.
    calls = ToolCall.objects.using(using).filter(workspace=user.workspace_id)
    last = calls.aggregate(Max("pk"))["pk__max"] or 0
    number = 0 if user.erased_at else _erase_calls(Identity.of(user), user.workspace_id, using)

    def erase(locked: LockedWorkspace) -> Erased:
        row = WorkspaceUser.objects.using(using).filter(workspace=locked.id, pk=user.pk).first()
        if row is None or row.erased_at is not None:
            return Erased()
        number_since = _erase_calls(Identity.of(row), locked.id, using, after=last)
        return _erase(row, locked.id, now, using)._replace(tool_calls=number + number_since)

    return in_workspace(user.workspace_id, erase, using=using, alone=True)


def _erase(row: WorkspaceUser, workspace_id: int, now: datetime, using: str) -> Erased:
    identity = Identity.of(row)
    _remember(identity, workspace_id, now, using)
    aliases = Alias.objects.using(using).filter(workspace=workspace_id, user=row)
    assignments = CampaignAssignment.objects.using(using).filter(workspace=workspace_id, user=row)
    people = WorkspaceUser.objects.using(using).filter(workspace=workspace_id, pk=row.pk)
    mailing_addresses = addresses_of(identity, workspace_id, using=using)
    rows = [people, aliases, assignments]
    admin_log.rename(admin_log.entries_about(rows), row.public_id)
    models = [some.model for some in rows]
    admin_log.rename(admin_log.entries_about_deleted(models, identity.is_in, using=using), HIDDEN)
    numbers = {
        "aliases": aliases.count(),
        "assignments": assignments.count(),
        "mailing_addresses": mailing_addresses.count(),
    }
    aliases.delete()  # before the links: all deletions of aliases lock rows in this order
    links_without_person, links_deleted = _erase_links(row, workspace_id, using)
    assignments.delete()
    mailing_addresses.delete()
    row.email, row.display_name, row.external_id = f"{row.public_id}@{ERASED_DOMAIN}", "", None
    row.is_active, row.is_opted_out, row.erased_at = False, True, now
    row.save(using=using)
    return Erased(**numbers, links_without_person=links_without_person, links_deleted=links_deleted)


def _remember(identity: Identity, workspace_id: int, now: datetime, using: str) -> None:
    """Stores the hashes. Called under the workspace's exclusive lock, so that only one salt is made."""
    new = secrets.token_bytes(_SALT_LENGTH)
    row, _ = ErasureSalt.objects.using(using).get_or_create(workspace_id=workspace_id, defaults={"salt": new})
    salt = bytes(row.salt)
    digests = {_email_digest(salt, email) for email in identity.emails}
    if identity.external_id is not None:
        digests.add(_id_digest(salt, identity.external_id))
    ErasedIdentifier.objects.using(using).bulk_create(
        [ErasedIdentifier(workspace_id=workspace_id, digest=digest, erased_at=now) for digest in sorted(digests)],
        ignore_conflicts=True,
    )


def _erase_links(row: WorkspaceUser, workspace_id: int, using: str) -> tuple[int, int]:
    """Returns how many links keep working without the person, and how many were deleted."""
    links = TrackedLink.objects.using(using).filter(workspace=workspace_id)
    own = links.filter(user=row)
    tokens = list(own.values_list("token", flat=True))
    others = links.filter(Q(user__isnull=True) | ~Q(user=row), target_url=OuterRef("target_url"))
    kept = own.filter(Q(target_url="") | Exists(others)).update(user=None, alias=None)
    deleted, _ = own.all().delete()
    RecentVisit.objects.using(using).filter(workspace=workspace_id, signature=row.pk).delete()
    forget_links(tokens, using=using)
    return kept, deleted


def _erase_calls(identity: Identity, workspace_id: int, using: str, *, after: int = 0) -> int:
    number = 0
    for call in calls_that_name(identity, workspace_id, using=using, after=after):
        rows = ToolCall.objects.using(using).filter(workspace=workspace_id, pk=call.pk)
        number += rows.update(client=hidden(call.client, identity), arguments=hidden(call.arguments, identity))
    return number


def _stored(workspace_id: int, digests: set[bytes], using: str) -> set[bytes]:
    rows = ErasedIdentifier.objects.using(using).filter(workspace=workspace_id)
    ordered = sorted(digests)
    return {
        bytes(digest)
        for start in range(0, len(ordered), KEYS_AT_ONCE)
        for digest in rows.filter(digest__in=ordered[start : start + KEYS_AT_ONCE]).values_list("digest", flat=True)
    }


def _email_digest(salt: bytes, email: str) -> bytes:
    return hmac.digest(salt, b"e-mail\0" + fold(email).encode(), "sha256")


def _id_digest(salt: bytes, external_id: str) -> bytes:
    return hmac.digest(salt, b"external id\0" + external_id.encode(), "sha256")
