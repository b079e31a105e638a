"""The table of clicks as Django's admin can show it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from stats_app.dimensions import HUMAN, KINDS, VERDICTS
from stats_app.models.campaigns import Campaign
from stats_app.models.clicks import REASON_LENGTH, Click, TrackedLink
from stats_app.models.fields import CodeField, UlidField
from stats_app.models.people import Alias, WorkspaceUser
from stats_app.models.workspaces import Workspace


def _reference(model: type[models.Model], name: Any, *, null: bool = True) -> models.ForeignKey[Any, Any]:
    """A column of numbers that leads to another table and knows nothing of deletions, which `Click` deals with."""
    return models.ForeignKey(
        model, models.DO_NOTHING, null=null, db_constraint=False, related_name="+", verbose_name=name
    )


class ClickRecord(models.Model):
    """A row of the table of `Click`, to be read only.

    The admin refuses models with a composite primary key, and so do packages that copy its registry. Here `id` alone is
    the key, so that a query has to name the workspace: two workspaces may have clicks with the same id.
    """

    id = UlidField(_("id"), primary_key=True)
    workspace = _reference(Workspace, _("workspace"), null=False)
    clicked_at = models.DateTimeField(_("clicked at"))
    utc_day = models.DateField(_("day (UTC)"))
    kind = CodeField(_("kind"), codes=KINDS)
    campaign = _reference(Campaign, _("campaign"))
    user = _reference(WorkspaceUser, _("user"))
    alias = _reference(Alias, _("alias"))
    link = _reference(TrackedLink, _("link"))
    verdict = CodeField(_("verdict"), codes=VERDICTS, default=HUMAN)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True, default="")

    class Meta:
        managed = False
        db_table = Click._meta.db_table
        # Who may see clicks is a matter of the permissions of `Click`.
        default_permissions = ()
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        ordering = ["-clicked_at", "-id"]

    def __str__(self) -> str:
        return str(self.id).lower()
