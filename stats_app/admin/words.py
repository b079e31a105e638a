"""Translated labels for the words that are stored in rows."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.models.audit import OK
from stats_app.models.campaigns import COMPLETED, PAUSED, PLANNED, RUNNING

KIND_WORDS = {CAMPAIGN: _("campaign"), VCARD: _("vCard"), OTHER: _("other")}
STATUS_WORDS = {PLANNED: _("planned"), RUNNING: _("running"), PAUSED: _("paused"), COMPLETED: _("completed")}

OUTCOME_WORDS = {
    OK: _("ok"),
    "invalid_parameters": _("invalid parameters"),
    "not_found": _("not found"),
    "permission_denied": _("permission denied"),
    "workspace_mismatch": _("other workspace"),
    "person_figures_off": _("figures of persons are off"),
    "rate_limited": _("rate limited"),
    "unavailable": _("database unavailable"),
    "internal_error": _("internal error"),
}
