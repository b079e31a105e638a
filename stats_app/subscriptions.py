"""The addresses of mailings: adding, removing and unsubscribing them.

A link for unsubscribing has a token, which is signed for one address of one mailing, and needs no login.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django.core import signing
from django.db import router, transaction

from stats_app.models import Mailing, MailingAddress
from stats_app.models.fields import is_row_number
from stats_app.words import fold

_SEPARATOR = "."  # in tokens


def _addresses() -> Any:
    using = router.db_for_write(Mailing)
    return MailingAddress.objects.using(using).select_related("mailing__workspace")


def active_addresses() -> Any:
    """The addresses that get mails."""
    return _addresses().filter(unsubscribed_at=None, mailing__is_active=True, mailing__workspace__is_active=True)


def change_addresses(mailing: Mailing, added: Iterable[str], removed: Iterable[str], now: datetime) -> None:
    """Adds and removes addresses. New ones first get the current period. Unsubscribed ones stay unsubscribed.

    The next run tries all others, even those that the mail server has refused. Raises UnknownZone.
    """
    today = mailing.workspace.today(now)
    using = router.db_for_write(Mailing)
    with transaction.atomic(using=using):
        rows = MailingAddress.objects.using(using).filter(mailing=mailing.pk)
        rows.filter(unsubscribed_at=None, email__in=[*map(fold, removed)]).delete()
        rows.update(waits_until=None)
        known = {*rows.values_list("email", flat=True)}
        new = [email for email in dict.fromkeys(map(fold, added)) if email not in known]
        MailingAddress.objects.using(using).bulk_create(
            [MailingAddress(mailing=mailing, email=email, sends_from=today) for email in new]
        )


def token_of(address: MailingAddress) -> str:
    """The token for unsubscribing. It does not contain the e-mail, and stays valid if the address is removed from the
    mailing and added again."""
    return _signer(address.email).sign(str(address.mailing_id))


def find_address(token: str) -> MailingAddress | None:
    """The address for a token for unsubscribing; None if the token is wrong, or the address was removed."""
    number = token.partition(_SEPARATOR)[0]
    if not is_row_number(number):
        return None
    for one in _addresses().filter(mailing=number):
        if _is_signed(token, _signer(one.email)):
            return cast(MailingAddress, one)
    # Mails of earlier versions have the primary key of the address.
    address: MailingAddress | None = _addresses().filter(pk=number).first()
    return address if address is not None and _is_signed(token, _signer()) else None


def _signer(email: str = "") -> signing.Signer:
    return signing.Signer(salt=f"stats_app.unsubscribe{email}", sep=_SEPARATOR)


def _is_signed(token: str, signer: signing.Signer) -> bool:
    """Whether the token has a signature by the present SECRET_KEY, or by one of SECRET_KEY_FALLBACKS."""
    try:
        signer.unsign(token)
    except signing.BadSignature:
        return False
    return True


def unsubscribe(address: MailingAddress, now: datetime) -> None:
    """Unsubscribes the address from its mailing. Repeating it changes nothing."""
    using = router.db_for_write(Mailing)
    MailingAddress.objects.using(using).filter(pk=address.pk, unsubscribed_at=None).update(unsubscribed_at=now)
    address.unsubscribed_at = address.unsubscribed_at or now
