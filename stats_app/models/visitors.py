"""The data that distinguish visitors for a day."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stats_app.models.clicks import REASON_LENGTH
from stats_app.models.fields import UlidField
from stats_app.models.workspaces import Workspace


class VisitorSalt(models.Model):
    """The random salt of one UTC day. Without it a visitor key of that day cannot be traced to a visitor.

    `stats_app.visitors` makes and deletes it. No page and no export shows it.
    """

    day = models.DateField(_("day (UTC)"), primary_key=True)
    salt = models.BinaryField(_("salt"), max_length=32)

    class Meta:
        verbose_name = _("visitor salt")
        verbose_name_plural = _("visitor salts")

    def __str__(self) -> str:
        return self.day.isoformat()


class RecentVisit(models.Model):
    """A click on a tracked link in the last minute, with the keys of its visitor, to recognize bursts of clicks.

    `stats_app.visits` writes them, and deletes some old ones with each click. On PostgreSQL the table is UNLOGGED: a
    crash empties it, and bursts of the last minute are not recognized.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    network = models.BinaryField(max_length=16)
    visitor = models.BinaryField(max_length=16)
    link = models.IntegerField()
    signature = models.IntegerField(null=True)
    click = UlidField()
    visited_at = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "network", "visited_at"], name="stats_visit_network"),
            models.Index(fields=["visited_at"], name="stats_visit_time"),
        ]

    def __str__(self) -> str:
        return str(self.click).lower()
