"""Overviews by e-mail: of which workspace, how often, to whom, and what was sent."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app.models.fields import FoldedEmailField
from stats_app.models.workspaces import Workspace

WEEKLY = "week"
MONTHLY = "month"
LANGUAGES = [("en", "English"), ("fr", "Français")]


class Mailing(models.Model):
    """The overview of each whole week or month, sent to some addresses once it is over."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="mailings", verbose_name=_("workspace"))
    every = models.CharField(
        _("how often"),
        max_length=8,
        choices=[(WEEKLY, _("weekly, Monday to Sunday")), (MONTHLY, _("monthly"))],
        default=WEEKLY,
    )
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.workspace} ({self.get_every_display()})"


class MailingAddress(models.Model):
    """One address of a mailing. The first period to send to it is the one that contains `sends_from`.

    The row stays after unsubscribing, so that nobody adds the address again by mistake. `failures` counts the failed
    attempts since the last success, and `error` is the error of the last one. `waits_until` is set if the mail server
    refuses the address permanently after two or more failed attempts.
    """

    mailing = models.ForeignKey(Mailing, models.CASCADE, db_index=False, related_name="addresses")
    email = FoldedEmailField(_("e-mail"))
    sends_from = models.DateField(_("sends from"))
    unsubscribed_at = models.DateTimeField(_("unsubscribed at"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True, default="")
    waits_until = models.DateTimeField(_("waits until"), null=True, blank=True)

    class Meta:
        verbose_name = _("address of a mailing")
        verbose_name_plural = _("addresses of mailings")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["mailing", "email"], name="stats_mailing_address_unique")]

    def __str__(self) -> str:
        return self.email


class MailingDelivery(models.Model):
    """A mail of one period to one address. Without `sent_at` sending has failed so far, and will be tried again."""

    address = models.ForeignKey(MailingAddress, models.CASCADE, db_index=False, related_name="deliveries")
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery of a mailing")
        verbose_name_plural = _("deliveries of mailings")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["address", "first_day", "last_day"], name="stats_mailing_delivery_unique")
        ]

    def __str__(self) -> str:
        return f"{self.address}, {self.first_day} – {self.last_day}"
