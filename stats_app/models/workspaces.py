"""Tenants."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import public_ids
from stats_app.models.deletion import ClickedModel, ClickedQuerySet


def validate_timezone(name: str) -> None:
    """Refuses what is not the name of an IANA time zone."""
    error = ValidationError(
        _("“%(value)s” is not an IANA time zone, such as Europe/Paris."), code="invalid", params={"value": name}
    )
    # What a system's folder of zones has besides: the zones with leap seconds, and names that differ by machine.
    if name.startswith(("posix/", "right/")) or name in ("localtime", "posixrules", "Factory"):
        raise error
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise error from None


class WorkspaceQuerySet(ClickedQuerySet):
    """Workspaces, which cannot be deleted while they have clicks, of whatever kind or verdict."""

    workspace_column = "pk"
    refusal = "It has clicks, so it cannot be deleted."

    def clicked(self) -> WorkspaceQuerySet:
        rollups = apps.get_model("stats_app", "Rollup").objects.using(self.db).filter(workspace=OuterRef("pk"))
        clicks = apps.get_model("stats_app", "Click").objects.using(self.db).filter(workspace=OuterRef("pk"))
        return self.filter(Exists(rollups) | Exists(clicks))


class Workspace(ClickedModel):
    """The tenant. Everything belongs to one workspace, and nothing ever crosses."""

    public_id = public_ids.PublicIdField(_("public id"), default=public_ids.new_workspace_id)
    name = models.CharField(_("name"), max_length=200)
    timezone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_timezone],
        help_text=_("IANA name, such as Europe/Paris. Days are the workspace's local dates."),
    )
    counted_timezone = models.CharField(
        _("time zone of the counts"),
        max_length=64,
        default="",
        blank=True,
        editable=False,
        help_text=_("The zone that the rollups were counted in; empty before the first click."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    clicks_kept_from = models.DateField(
        _("clicks kept from"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Raw clicks before this local date are pruned; their counts stay."),
    )
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)

    objects: ClassVar[Any] = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)

    def today(self, now: datetime) -> date:
        """The local date of the moment `now`."""
        return now.astimezone(self.zone).date()
