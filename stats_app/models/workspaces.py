"""Tenants and the people whose signatures carry links."""

from __future__ import annotations

import uuid
import zoneinfo
from datetime import date, datetime
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, router, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce, Lower
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import dimensions, locks, public_ids


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


# So many rows a statement may name one by one: each costs Django as much as drawing a cell of a page.
FEW = 500


class ClickedQuerySet(models.QuerySet[Any]):
    """Rows that clicks refer to. They are deleted with the writers of their workspaces locked out: `record_clicks`
    relies on a row that it found under the lock, and clicks have no constraint in the database.

    Rows that clicks are stored or counted for cannot be deleted at all. Foreign keys would see to the stored ones only,
    and Django would read every one of those into memory to name it.
    """

    workspace_column: ClassVar[str] = "workspace_id"
    refusal: ClassVar[str] = "Clicks are counted for it, so it cannot be deleted."

    def delete(self) -> tuple[int, dict[str, int]]:
        self._for_write = True  # or `db` would be the one that the router reads from
        with transaction.atomic(using=self.db):
            locks.lock_workspaces(self.db, set(self.order_by().values_list(self.workspace_column, flat=True)))
            clicked = set(self.order_by().clicked())
            if clicked:
                raise models.ProtectedError(self.refusal, clicked)
            return super().delete()

    def clicked(self) -> ClickedQuerySet:
        """Those that clicks are stored or counted for: none of a model that clicks are not counted by."""
        dimension = next((one for one in dimensions.DIMENSIONS if one.code == self.model.rollup_dimension), None)
        if dimension is None:
            return self.none()
        rollups = apps.get_model("stats_app", "Rollup").objects.using(self.db)
        counted = rollups.filter(workspace=OuterRef("workspace"), dimension=dimension.code, key=OuterRef("pk"))
        clicks = apps.get_model("stats_app", "Click").objects.using(self.db)
        stored = clicks.filter(**{str(dimension.key): OuterRef("pk")})
        return self.filter(Exists(counted) | Exists(stored))

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates
    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark: not offered on managers


class ClickedModel(models.Model):
    """A workspace, or a row of one, that clicks refer to. `rollup_dimension` counts them for it, if any does."""

    rollup_dimension: ClassVar[int | None] = None

    objects: ClassVar[Any] = ClickedQuerySet.as_manager()

    class Meta:
        abstract = True

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        database = using or router.db_for_write(type(self), instance=self)
        return type(self)._default_manager.using(database).filter(pk=self.pk).delete()

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates


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
    counts_version = models.UUIDField(
        _("version of the counts"),
        default=uuid.uuid4,
        editable=False,
        help_text=_("Changes whenever counts change in another way than by adding clicks."),
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


def number_of(rows: models.QuerySet[Any], parent: str) -> Coalesce:
    """The number of `rows`, which are already held to one parent by an OuterRef, as a subquery."""
    counted = rows.order_by().values(parent).annotate(number=models.Count("*")).values("number")
    return Coalesce(models.Subquery(counted), 0)


def few(rows: models.QuerySet[Any], column: str = "pk") -> list[int] | None:
    """The values of a column of numbers, or None where they are more than `FEW`."""
    found = list(rows.order_by().values_list(column, flat=True)[: FEW + 1])
    return found if len(found) <= FEW else None


def _named(part: str) -> Q:
    return Q(display_name__icontains=part) | Q(email__icontains=part)


class WorkspaceUserQuerySet(ClickedQuerySet):
    def with_alias_count(self) -> WorkspaceUserQuerySet:
        """Adds `alias_count`. A subquery, which is run for the rows of a page only; a join would group all users."""
        counted: WorkspaceUserQuerySet = self.annotate(
            alias_count=number_of(Alias.objects.filter(user=OuterRef("pk")), "user")
        )
        return counted

    def named(self, part: str) -> WorkspaceUserQuerySet:
        """The users with this part of a text in the name or the e-mail, in either case."""
        return self.filter(_named(part))

    def known_as(self, part: str, workspace: int) -> WorkspaceUserQuerySet:
        """The users of the workspace with this part of a text in the name, the e-mail or an alias, in either case.

        An extra query reads whose alias it is, where they are few: an OR with a subquery would keep the database from
        its indexes. Where they are many, reading all is as well.
        """
        aliases = Alias.objects.filter(workspace=workspace, email__icontains=part)
        holders = few(aliases, "user")
        held = Q(pk__in=holders) if holders is not None else Exists(aliases.filter(user=OuterRef("pk")))
        return self.filter(_named(part) | held, workspace=workspace)


class WorkspaceUser(ClickedModel):
    """A person whose e-mail signature carries links. Not a login."""

    rollup_dimension = dimensions.USER

    public_id = public_ids.PublicIdField(_("public id"), default=public_ids.new_user_id)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="users", verbose_name=_("workspace")
    )
    email = models.EmailField(_("e-mail"))
    display_name = models.CharField(_("name"), max_length=200, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)

    objects: ClassVar[Any] = WorkspaceUserQuerySet.as_manager()

    class Meta:
        verbose_name = _("workspace user")
        verbose_name_plural = _("workspace users")
        ordering = ["display_name", "id"]
        indexes = [
            models.Index(fields=["workspace", "created_at"], name="stats_user_created"),
            models.Index(fields=["display_name", "id"], name="stats_user_name"),
            models.Index(fields=["email", "id"], name="stats_user_email"),
            # Few are, as a rule, and all would be read to find them.
            models.Index(fields=["workspace", "created_at"], condition=Q(is_active=False), name="stats_user_inactive"),
        ]
        constraints = [
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                name="stats_user_email_unique",
                violation_error_message=_("Another user of this workspace has this e-mail."),
            )
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    def clean(self) -> None:
        if Alias.objects.filter(workspace=self.workspace_id, email__iexact=self.email).exists():
            raise ValidationError({"email": _("This e-mail is an alias in this workspace.")})


class Alias(ClickedModel):
    """A further e-mail address of a workspace user."""

    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="aliases", verbose_name=_("workspace")
    )
    user = models.ForeignKey(WorkspaceUser, models.CASCADE, related_name="aliases", verbose_name=_("user"))
    email = models.EmailField(_("e-mail"))

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["email", "id"]
        indexes = [models.Index(fields=["email", "id"], name="stats_alias_email")]
        constraints = [
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                name="stats_alias_email_unique",
                violation_error_message=_("This e-mail is already an alias in this workspace."),
            )
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        if self.user_id and self.workspace_id and self.user.workspace_id != self.workspace_id:
            raise ValidationError({"user": _("This user belongs to another workspace.")})
        if WorkspaceUser.objects.filter(workspace=self.workspace_id, email__iexact=self.email).exists():
            raise ValidationError({"email": _("This is a user's own e-mail in this workspace.")})


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
