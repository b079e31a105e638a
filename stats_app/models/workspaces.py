"""Tenants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import public_ids
from stats_app.errors import UnknownZone
from stats_app.models.deletion import ClickedModel, ClickedQuerySet
from stats_app.models.fields import NameField
from stats_app.periods import zone_of
from stats_app.sql.words import Alphabetical, holds


def validate_timezone(name: str) -> None:
    """Refuses text that is not the name of an IANA time zone."""
    error = ValidationError(
        _("“%(value)s” is not an IANA time zone, such as Europe/Paris."), code="invalid", params={"value": name}
    )
    # Other files in a system's folder of time zones: zones with leap seconds, and names that mean different zones on
    # different machines.
    if name.startswith(("posix/", "right/")) or name in ("localtime", "posixrules", "Factory"):
        raise error
    try:
        zone_of(name)
    except UnknownZone:
        raise error from None


class OfOneWorkspace(models.BaseConstraint):
    """A row and the row that its foreign key `field` refers to belong to the same workspace.

    The database enforces it by a composite foreign key of the workspace and `field`, which refers to a unique
    constraint of the other table. It is checked at once; but if `field` may be null, at the end of the transaction,
    because Django deletes rows, and those that refer to them, in any order.
    """

    default_violation_error_message = _("It belongs to another workspace.")

    def __init__(self, *, field: str, name: str, **more: Any) -> None:
        super().__init__(name=name, **more)
        self.field = field

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        field = model._meta.get_field(self.field)
        parent = field.remote_field.model
        quoted = schema_editor.quote_name
        here = ", ".join(map(quoted, ("workspace_id", field.column)))
        there = ", ".join(map(quoted, ("workspace_id", parent._meta.pk.column)))
        when = ""
        if field.null:
            when = " DEFERRABLE INITIALLY DEFERRED"
        elif schema_editor.connection.vendor == "sqlite":
            when = " ON DELETE CASCADE"  # Django's `flush` deletes from SQLite's tables in any order
        table = quoted(parent._meta.db_table)
        return f"CONSTRAINT {quoted(self.name)} FOREIGN KEY ({here}) REFERENCES {table} ({there}){when}"

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table, name = map(schema_editor.quote_name, (model._meta.db_table, self.name))
        return f"ALTER TABLE {table} DROP CONSTRAINT {name}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = DEFAULT_DB_ALIAS) -> None:
        if self.field in (exclude or ()):
            return
        named = getattr(instance, self.field)
        if named is not None and named.workspace_id != instance.workspace_id:
            raise ValidationError({self.field: self.get_violation_error_message()})

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, kwargs | {"field": self.field}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OfOneWorkspace) and (self.field, self.name) == (other.field, other.name)

    __hash__ = None  # type: ignore[assignment]  # like Django's own constraints, which are compared by value


class WorkspaceOf(models.ForeignKey[Any, Any]):
    """The workspace of a row. Saving the row copies it from the row that the foreign key `of` refers to."""

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        row = getattr(model_instance, self.of, None)
        if row is not None:
            setattr(model_instance, self.attname, row.workspace_id)
        return super().pre_save(model_instance, add)


class WorkspaceQuerySet(ClickedQuerySet):
    """Workspaces. One with clicks of any kind or verdict cannot be deleted."""

    workspace_column = "pk"
    refusal = "It has clicks, so it cannot be deleted."

    def clicked(self) -> WorkspaceQuerySet:
        """The workspaces with clicks. One query for each, because their clicks may be on different machines."""
        numbers = list(self.order_by().values_list("pk", flat=True))
        return self.filter(pk__in=[number for number in numbers if self._has_clicks(number)])

    def _has_clicks(self, number: int) -> bool:
        models_of_clicks = (apps.get_model("stats_app", name) for name in ("Rollup", "Click"))
        return any(model.objects.using(self.db).filter(workspace=number).exists() for model in models_of_clicks)

    def named(self, words: Iterable[str]) -> WorkspaceQuerySet:
        """The workspaces whose name contains all the words, or whose public id is one of them."""
        workspaces = self
        for word in words:
            workspaces = workspaces.filter(Q(holds("name", word)) | Q(public_id=word.lower()))
        return workspaces


class Workspace(ClickedModel):
    """The tenant. Each row belongs to one workspace, and refers only to rows of the same workspace."""

    public_id = public_ids.PublicIdField(_("public id"), default=public_ids.new_workspace_id)
    name = NameField(_("name"))
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
        ordering = [Alphabetical("name"), "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="stats_workspace_has_a_name"),
            models.CheckConstraint(condition=~Q(timezone=""), name="stats_workspace_has_a_timezone"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone. Raises UnknownZone if this machine lacks it; so does everything that uses local days."""
        return zone_of(self.timezone)

    def today(self, now: datetime) -> date:
        """The local date at the time `now`. Raises UnknownZone."""
        return now.astimezone(self.zone).date()
