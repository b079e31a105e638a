"""API keys: made, found by their secret.

A secret is `sk_`, a public part and 256 random bits. What is stored is its SHA-256 digest: a fast hash is right for
random keys of that length, which nobody can guess, and a slow one would cost more than the whole answer.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections, router

from stats_app.errors import NotAuthenticated, PermissionDenied
from stats_app.models import ApiKey, Workspace
from stats_app.models.access import STATS_READ
from stats_app.sql import access as sql

PREFIX = "sk_"
LAST_USE_GRAIN = timedelta(minutes=5)

_PUBLIC_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PUBLIC_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an API key, and the one workspace that it opens."""

    api_key_id: int
    key_name: str
    scopes: frozenset[str]
    workspace: Workspace

    def require(self, scope: str) -> None:
        """Raises PermissionDenied when the key lacks the scope."""
        if scope not in self.scopes:
            raise PermissionDenied(scope)


def create_key(
    workspace: Workspace, name: str, scopes: Sequence[str] = (STATS_READ,), expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which cannot be had again. Raises ValidationError for a bad name or scope."""
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
    key.full_clean()
    key.save()
    return key, secret


def digest_of(secret: str) -> bytes:
    # "replace": a header may hold anything, and an encoding error must not tell it from a wrong key.
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def authenticate(secret: str | None, now: datetime) -> Caller:
    """The caller with this secret. Raises NotAuthenticated for every reason alike. One indexed read.

    Notes the time of use, at most once in `LAST_USE_GRAIN`, so that reading does not become writing.
    """
    if not secret:
        raise NotAuthenticated
    found = sql.find_key(connections[router.db_for_read(ApiKey)], digest_of(secret))
    if found is None:
        raise NotAuthenticated
    key_id, name, scopes, expires_at, revoked_at, last_used_at = found[: len(sql.KEY_COLUMNS)]
    workspace = Workspace.from_db(router.db_for_read(Workspace), sql.WORKSPACE_COLUMNS, found[len(sql.KEY_COLUMNS) :])
    if revoked_at is not None or (expires_at is not None and expires_at <= now) or not workspace.is_active:
        raise NotAuthenticated
    if last_used_at is None or last_used_at < now - LAST_USE_GRAIN:
        ApiKey.objects.filter(pk=key_id).update(last_used_at=now)
    return Caller(key_id, name, frozenset(json.loads(scopes) if isinstance(scopes, str) else scopes), workspace)
