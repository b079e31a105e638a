"""Secret links that show one page without login."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app.models.campaigns import Campaign
from stats_app.models.fields import NameField
from stats_app.models.workspaces import OfOneWorkspace, Workspace


class SharedReport(models.Model):
    """A link to the overview of a workspace, or to one campaign. Only a digest of its secret is stored.

    `maker` is the name of the login that made it, not a foreign key: logins may be in another database, or deleted.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="shared_reports", verbose_name=_("workspace"))
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("campaign")
    )
    name = NameField(_("for whom"), blank=True)
    digest = models.BinaryField(_("digest"), max_length=32, unique=True, editable=False)
    last_day = models.DateField(_("last day"), help_text=_("In the workspace's time zone, included."))
    names_people = models.BooleanField(_("names people"), default=False)
    maker = models.CharField(_("made by"), max_length=254, editable=False)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    opened = models.PositiveIntegerField(_("opened"), default=0, editable=False)
    last_opened_at = models.DateTimeField(_("last opened at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("shared report")
        verbose_name_plural = _("shared reports")
        ordering = ["-created_at", "-id"]
        constraints = [OfOneWorkspace(field="campaign", name="stats_shared_report_campaign_of_workspace")]

    def __str__(self) -> str:
        page = str(self.campaign) if self.campaign else str(self.workspace)
        return f"{page} – {self.name}" if self.name else page
