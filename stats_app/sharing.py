"""Shared reports: making and revoking them, and finding them by their secret.

A secret is 256 random bits in the address of a page. Only its digest is stored, as with API keys: a copy of the table
gives no access, and nobody can read an address again later.
"""

from __future__ import annotations

import logging
import secrets
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import F
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from stats_app.database_errors import DATABASE_ERRORS
from stats_app.keys import digest_of
from stats_app.models import Campaign, SharedReport, Workspace
from stats_app.sql.transactions import savepoint

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
    """A new link to the workspace's overview or to a campaign, and its secret, which cannot be read again later.

    Raises ValidationError for a last day in the past, and for other invalid values.
    """
    if last_day < workspace.today(now):
        raise ValidationError({"last_day": _("This day is in the past.")})
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
    # The foreign keys check these two. Validation would read a replica, which may not have them yet.
    report.full_clean(exclude=["workspace", "campaign"])
    report.save()
    return report, secret


@sensitive_variables("secret")
def find_shared(secret: str, now: datetime) -> SharedReport | None:
    """The report with this secret. None if it is unknown, revoked or expired, or its workspace is inactive.

    Raises UnknownZone.
    """
    reports = SharedReport.objects.select_related("workspace", "campaign")
    report = reports.filter(digest=digest_of(secret), revoked_at=None, workspace__is_active=True).first()
    return report if report is not None and report.workspace.today(now) <= report.last_day else None


def revoke_shared(report: SharedReport, now: datetime) -> bool:
    """Revokes the link at `now`. Returns False if it was revoked before; then that time does not change."""
    revoked = SharedReport.objects.filter(pk=report.pk, revoked_at=None).update(revoked_at=now)
    if revoked:
        report.revoked_at = now
    return bool(revoked)


def note_opening(report: SharedReport, now: datetime) -> None:
    """Counts that the page was shown. Database errors are only logged, so that a read-only database shows the page."""
    using = router.db_for_write(SharedReport)
    try:
        with savepoint(using):
            row = SharedReport.objects.using(using).filter(pk=report.pk)
            row.update(opened=F("opened") + 1, last_opened_at=now)
    except DATABASE_ERRORS:
        logger.warning("The opening of a shared report could not be counted.", exc_info=True)
