"""The people whose signatures carry links, and their addresses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce, Lower
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import dimensions, public_ids
from stats_app.models.deletion import ClickedModel, ClickedQuerySet
from stats_app.models.workspaces import Workspace

# So many rows a statement may name one by one: each costs Django as much as drawing a cell of a page.
FEW = 500


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

    rollup_dimension = dimensions.USER_DAYS

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
