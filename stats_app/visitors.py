"""Telling visitors apart for a day, without knowing who they are.

A visitor is a keyed hash of address, browser and language. The key is a random salt for each UTC day, shared by all
processes. It is deleted 48 hours after the day began. From then on nobody can find the person behind a hash, or match
hashes of two days. Addresses are hashed here, and neither stored nor logged.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from django.db import router, transaction

from stats_app.models import VisitorSalt

KEY_LENGTH = 16  # bytes
_SALT_LENGTH = 32  # bytes
_DAYS_KEPT = 2  # the day itself and the next, so a salt is kept for 48 hours

# The last salt that this process has used, and its day. Not in Django's cache, which could keep it for too long.
_cached: tuple[date, bytes] | None = None


class Visitor(NamedTuple):
    """Two keys that are valid for one workspace and UTC day.

    `key` distinguishes browsers at an address (for IPv6 at a /64, which is one household or phone). `network` is the
    same for all visitors from an IPv4 /24 or IPv6 /48.
    """

    key: bytes
    network: bytes


def visitor_of(
    workspace_id: int,
    address: IPv4Address | IPv6Address,
    user_agent: str | None,
    accept_language: str | None,
    *,
    now: datetime,
) -> Visitor:
    """The visitor at the aware time `now`.

    Runs queries only for the first visit of a day in each process. Call it outside of transactions: inside one, the
    salt is not kept in memory before the commit, so each call reads it again.
    """
    salt = _salt_of(now.astimezone(UTC).date())
    key_bytes, network_bytes = (4, 3) if address.version == 4 else (8, 6)
    return Visitor(
        _hash(salt, "visitor", workspace_id, address.packed[:key_bytes], user_agent or "", accept_language or ""),
        _hash(salt, "network", workspace_id, address.packed[:network_bytes]),
    )


def delete_old_salts(today: date, *, using: str) -> None:
    """Deletes the salts of the days before yesterday."""
    old = VisitorSalt.objects.using(using).filter(day__lte=today - timedelta(days=_DAYS_KEPT))
    if old.exists():  # because on SQLite a deletion waits for other writers even if it deletes nothing
        old.delete()


def _hash(salt: bytes, *parts: object) -> bytes:
    # `ascii` of the tuple is unambiguous: different parts never give the same text, whatever a visitor sends.
    return hmac.digest(salt, ascii(parts).encode("ascii"), "sha256")[:KEY_LENGTH]


def _salt_of(day: date) -> bytes:
    """The salt of the day. The first process that needs it creates it for all."""
    if _cached is not None and _cached[0] == day:
        return _cached[1]
    # Not from a replica, which may not have the salt that another process has just created.
    using = router.db_for_write(VisitorSalt)
    salts = VisitorSalt.objects.using(using).filter(day=day).values_list("salt", flat=True)
    salt = salts.first()
    if salt is None:
        new = VisitorSalt(day=day, salt=secrets.token_bytes(_SALT_LENGTH))
        VisitorSalt.objects.using(using).bulk_create([new], ignore_conflicts=True)
        salt = salts.get()
    salt = bytes(salt)

    def keep() -> None:
        global _cached
        _cached = (day, salt)
        delete_old_salts(day, using=using)

    # Kept only after the commit, because a salt that is rolled back must not be used. Errors of the deletion are logged
    # by Django and ignored (`robust`).
    transaction.on_commit(keep, using=using, robust=True)
    return salt
