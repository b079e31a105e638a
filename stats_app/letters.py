"""The contents of a mailing's mails: the overview of a past period, from the same report as the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from stats_app import store
from stats_app.conf import conf
from stats_app.models import Mailing
from stats_app.periods import Period, default_breakdown
from stats_app.reports import Audience, Question, overview_report
from stats_app.reports.movers import movers
from stats_app.reports.names import plain_name
from stats_app.reports.wording import numbers, period_text

TEMPLATE = "stats_app/mail/overview"
NOBODY = Audience(is_shared=True, names_people=False)
"""A mail may be read by anyone, and names no people."""


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents, which are the same for all addresses of a mailing."""

    language: str
    subject: str
    context: Mapping[str, Any]

    def to(self, unsubscribe_address: str) -> Letter:
        with override(self.language):
            context = {**self.context, "unsubscribe_address": unsubscribe_address}
            text, html = (render_to_string(f"{TEMPLATE}.{part}", context) for part in ("txt", "html"))
        return Letter(self.subject, text, html)


def contents(mailing: Mailing, period: Period, now: datetime) -> Contents:
    """Raises UnknownZone."""
    workspace = mailing.workspace
    question = Question.of(period, default_breakdown(period))
    with override(mailing.language), store.of_one_moment():
        report = overview_report(workspace, question, now, NOBODY)
        rose, fell = movers(workspace, report.comparison)
        clicks = report.figures[0].clicks
        subject = _("%(workspace)s, %(period)s: %(clicks)s") % {
            "workspace": plain_name(workspace.name, workspace.public_id),
            "period": period_text(period),
            "clicks": ngettext("%(number)s click", "%(number)s clicks", clicks) % {"number": numbers().grouped(clicks)},
        }
        query = {"from": period.start, "to": period.end, "breakdown": question.breakdown}
        page = reverse("stats_dashboard:workspace", args=[workspace.public_id])
        context = {
            "language": mailing.language,
            "subject": subject,
            "every": mailing.every,
            "report": report,
            "total": report.figures[0],
            "kinds": report.figures[1:],
            "groups": [(title, rows) for title, rows in ((_("Rose most"), rose), (_("Fell most"), fell)) if rows],
            "campaigns": [] if rose or fell else report.campaigns.rows[:5],
            "page_address": f"{absolute(page)}?{urlencode(query)}",
        }
    return Contents(mailing.language, subject, context)


def absolute(path: str) -> str:
    """The full URL of a path of the site, by the setting BASE_URL."""
    return f"{(conf.base_url or '').rstrip('/')}/{path.removeprefix(get_script_prefix())}"
