"""Shared reports: made, found by their secret, revoked.

A secret is 256 random bits in the address of a page. What is stored is its digest, as of API keys: a copy of the table
opens nothing, and nobody can look an address up again.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import nullcontext
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import DatabaseError, connections, router, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from stats_app.keys import digest_of
from stats_app.models import Campaign, SharedReport, Workspace

MAX_MAKER = 254

logger = logging.getLogger(__name__)


@sensitive_variables("secret")
def share(
    workspace: Workspace,
    campaign: Campaign | None,
    *,
    last_day: date,
    maker: str,
    now: datetime,
    name: str = "",
    names_people: bool = False,
) -> tuple[SharedReport, str]:
    """A new link to the workspace's overview, or to one of its campaigns, and its secret, which cannot be had again.

    Raises ValidationError for a last day that is over, and for what a row may not hold.
    """
    if last_day < workspace.today(now):
        raise ValidationError({"last_day": _("This day is over.")})
    secret = secrets.token_urlsafe(32)
    report = SharedReport(
        workspace=workspace,
        campaign=campaign,
        name=name,
        digest=digest_of(secret),
        last_day=last_day,
        names_people=names_people,
        maker=maker[:MAX_MAKER],
        created_at=now,
    )
    # The two are held by their foreign keys: validation would look for them on a replica.
    report.full_clean(exclude=["workspace", "campaign"])
    report.save()
    return report, secret


@sensitive_variables("secret")
def find_shared(secret: str, now: datetime) -> SharedReport | None:
    """What a secret opens. None for every reason alike: unknown, revoked, expired, or of an inactive workspace.

    Raises UnknownZone.
    """
    reports = SharedReport.objects.select_related("workspace", "campaign")
    report = reports.filter(digest=digest_of(secret), revoked_at=None, workspace__is_active=True).first()
    return report if report is not None and report.workspace.today(now) <= report.last_day else None


def revoke_shared(report: SharedReport, now: datetime) -> bool:
    """Closes the link for good. False when it was closed before: that moment stays."""
    revoked = SharedReport.objects.filter(pk=report.pk, revoked_at=None).update(revoked_at=now)
    if revoked:
        report.revoked_at = now
    return bool(revoked)


def note_opening(report: SharedReport, now: datetime) -> None:
    """Counts that the page was shown. It is only a note: a database that takes no writes keeps nobody from reading."""
    using = router.db_for_write(SharedReport)
    try:
        # In a caller's transaction a failure must not spoil what the caller goes on to do.
        with transaction.atomic(using=using) if connections[using].in_atomic_block else nullcontext():
            row = SharedReport.objects.using(using).filter(pk=report.pk)
            row.update(opened=F("opened") + 1, last_opened_at=now)
    except DatabaseError:
        logger.warning("The opening of a shared report could not be noted.", exc_info=True)
