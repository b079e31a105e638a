"""What visitors are told apart by for a day."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class VisitorSalt(models.Model):
    """The random salt of one UTC day. Without it, nobody can tell whose a visitor key of that day is.

    `stats_app.visitors` makes and deletes it. No page and no export shows it.
    """

    day = models.DateField(_("day (UTC)"), primary_key=True)
    salt = models.BinaryField(_("salt"), max_length=32)

    class Meta:
        verbose_name = _("visitor salt")
        verbose_name_plural = _("visitor salts")

    def __str__(self) -> str:
        return self.day.isoformat()
