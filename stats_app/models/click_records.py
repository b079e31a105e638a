"""The table of clicks, in a form that Django's admin can show."""

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
    """A reference to another table that does nothing when rows are deleted: `Click` deals with deletions."""
    return models.ForeignKey(
        model, models.DO_NOTHING, null=null, db_constraint=False, related_name="+", verbose_name=name
    )


class ClickRecord(models.Model):
    """A row of the table of `Click`, read-only.

    The admin, and packages that copy its registry, refuse models with a composite primary key. Here `id` alone is the
    key. Queries must also name the workspace, because two workspaces may have clicks with the same id.
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
        # The permissions of `Click` decide who may see clicks.
        default_permissions = ()
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        ordering = ["-clicked_at", "-id"]

    def __str__(self) -> str:
        return str(self.id).lower()
