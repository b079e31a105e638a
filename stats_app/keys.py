"""API keys: making, rotating and revoking them, and finding them by their secret.

A secret is `sk_`, a public part and 256 random bits. Only its SHA-256 digest is stored. A fast hash is enough, because
nobody can guess a random key of that length, and a slow hash would cost more than the whole answer.

Functions that hold a secret in a variable are marked, so that Django's mails about errors leave it out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections, router, transaction
from django.views.decorators.debug import sensitive_variables

from stats_app.database_errors import DATABASE_ERRORS
from stats_app.errors import NotAuthenticated, PermissionDenied, Refused
from stats_app.models import ApiKey, Workspace
from stats_app.models.api_keys import STATS_READ
from stats_app.sql import api_keys as sql
from stats_app.sql.transactions import savepoint

logger = logging.getLogger(__name__)

HEADER = "x-api-key"
"""The header with the key, on every surface for programs."""

CHALLENGE = f'ApiKey realm="stats", header="{HEADER}"'
"""What `WWW-Authenticate` says."""

PREFIX = "sk_"
LAST_USE_GRAIN = timedelta(minutes=5)
ROTATION_GRACE = timedelta(hours=24)

_PUBLIC_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PUBLIC_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: an API key, and its workspace."""

    api_key_id: int
    scopes: frozenset[str]
    workspace: Workspace

    def require(self, scope: str) -> None:
        """Raises PermissionDenied if the key lacks the scope."""
        if scope not in self.scopes:
            raise PermissionDenied(scope)


@sensitive_variables("secret")
def create_key(
    workspace: Workspace, name: str, scopes: Sequence[str] = (STATS_READ,), expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which cannot be read again later. Raises ValidationError for a bad name or scope."""
    public_part = "".join(secrets.choice(_PUBLIC_ALPHABET) for _ in range(_PUBLIC_LENGTH))
    secret = f"{PREFIX}{public_part}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        workspace=workspace,
        name=name,
        public_part=public_part,
        digest=digest_of(secret),
        scopes=list(dict.fromkeys(scopes)),
        expires_at=expires_at,
    )
    # The foreign key checks the workspace. Validation would read a replica, which may not have the workspace yet.
    key.full_clean(exclude=["workspace"])
    key.save()
    return key, secret


@sensitive_variables("secret")
def rotate_key(key: ApiKey, now: datetime, grace: timedelta = ROTATION_GRACE) -> tuple[ApiKey, str]:
    """A new key in place of `key`, and its secret, which cannot be read again later.

    The new key has the name, the scopes and, if the old one expires, the same lifetime. The old key stays valid for
    `grace`, unless it expires sooner, so that programs can change over one by one. Raises Refused for a key that is not
    valid any more.
    """
    using = router.db_for_write(ApiKey, instance=key)
    with transaction.atomic(using=using):
        old = ApiKey.objects.using(using).select_for_update(of=("self",)).select_related("workspace").get(pk=key.pk)
        if not is_good(old, now):
            raise Refused(f"The API key {old} is revoked or expired and cannot be rotated: make a new one.")
        ends = None if old.expires_at is None else now + (old.expires_at - old.created_at)
        new, secret = create_key(old.workspace, old.name, old.scopes, ends)
        old.expires_at = min(filter(None, (old.expires_at, now + grace)))
        old.save(update_fields=["expires_at"])
    key.expires_at = old.expires_at
    return new, secret


def revoke_key(key: ApiKey, now: datetime) -> bool:
    """Revokes the key at `now`. Returns False if it was revoked before; then that time does not change."""
    revoked = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    if revoked:
        key.revoked_at = now
    return bool(revoked)


def is_good(key: ApiKey, now: datetime) -> bool:
    """Whether the key is neither revoked nor expired. The workspace is not checked."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


@sensitive_variables("secret")
def digest_of(secret: str) -> bytes:
    # "replace", because a header may contain anything, and must not lead to another error than a wrong key.
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


@sensitive_variables("secret")
def authenticate(secret: str | None, now: datetime) -> Caller:
    """The caller with this secret, by one indexed read. Raises the same NotAuthenticated for every reason.

    Stores the time of use at most once in `LAST_USE_GRAIN`, so that not every read causes a write.
    """
    if not secret:
        raise NotAuthenticated
    row = sql.find_key(connections[router.db_for_read(ApiKey)], digest_of(secret))
    if row is None:
        raise NotAuthenticated
    key_id, scopes, expires_at, revoked_at, last_used_at = row[: len(sql.KEY_COLUMNS)]
    workspace = Workspace.from_db(router.db_for_read(Workspace), sql.WORKSPACE_COLUMNS, row[len(sql.KEY_COLUMNS) :])
    if revoked_at is not None or (expires_at is not None and expires_at <= now) or not workspace.is_active:
        raise NotAuthenticated
    if last_used_at is None or last_used_at < now - LAST_USE_GRAIN:
        _note_use(key_id, now)
    return Caller(key_id, frozenset(json.loads(scopes) if isinstance(scopes, str) else scopes), workspace)


def _note_use(key_id: int, now: datetime) -> None:
    """Stores the time of use. It is not important: a locked row is skipped, and database errors are only logged."""
    using = router.db_for_write(ApiKey)
    connection = connections[using]
    try:
        with savepoint(using):
            sql.note_use(connection, key_id, now)
    except DATABASE_ERRORS:
        logger.warning("The last use of an API key could not be stored.", exc_info=True)
