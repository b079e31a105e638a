"""Telling visitors apart for a day, without knowing who they are.

A visitor is a keyed hash of address, browser and language. The key is a random salt of the UTC day that all processes
share. 48 hours after that day began it is deleted, and from then on nobody can find out whose a hash is, or which hash
of another day is the same person's. Addresses are hashed here, and neither stored nor logged.
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
_DAYS_KEPT = 2  # the day itself and the next, so that the salt lives for 48 hours

# The last salt that this process has used, and its day. Never in Django's cache, which may outlive the salt.
_cached: tuple[date, bytes] | None = None


class Visitor(NamedTuple):
    """Two keys that hold for one workspace and UTC day.

    `key` tells browsers at an address apart (IPv6: at a /64, which is what one household or phone has). `network` is
    the same for all that come from one IPv4 /24 or IPv6 /48.
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
    """Who visits at `now`, which is any aware time.

    Costs queries on the first visit of a day in each process, and none after. Call it outside transactions: within one
    that is not committed, each call reads the salt again.
    """
    salt = _salt_of(now.astimezone(UTC).date())
    key_bytes, network_bytes = (4, 3) if address.version == 4 else (8, 6)
    return Visitor(
        _hash(salt, "visitor", workspace_id, address.packed[:key_bytes], user_agent or "", accept_language or ""),
        _hash(salt, "network", workspace_id, address.packed[:network_bytes]),
    )


def delete_old_salts(today: date, *, using: str) -> None:
    """Deletes the salts of the days before yesterday."""
    VisitorSalt.objects.using(using).filter(day__lte=today - timedelta(days=_DAYS_KEPT)).delete()


def _hash(salt: bytes, *parts: object) -> bytes:
    # Different parts never give the same text, whatever a visitor sends in them.
    return hmac.digest(salt, ascii(parts).encode("ascii"), "sha256")[:KEY_LENGTH]


def _salt_of(day: date) -> bytes:
    """The salt of the day, which the first to ask makes for all processes."""
    if _cached is not None and _cached[0] == day:
        return _cached[1]
    # Not from a replica, which may not have what another process has just made.
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

    # A salt that is rolled back must not be used on. An error of the deletion is logged by Django and goes no further.
    transaction.on_commit(keep, using=using, robust=True)
    return salt
