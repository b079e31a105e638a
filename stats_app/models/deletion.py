"""Protects rows that clicks refer to from being deleted."""

from __future__ import annotations

from typing import Any, ClassVar

from django.apps import apps
from django.db import models, router

from stats_app import dimensions, locks


class ClickedQuerySet(models.QuerySet[Any]):
    """Rows that clicks refer to. Deleting locks their workspaces exclusively, because clicks have no foreign keys in
    the database: under its lock, `record_clicks` relies on the existence of the rows that it has found.

    Rows with stored or counted clicks cannot be deleted at all. Foreign keys would protect only rows with stored
    clicks, and Django would read all these clicks into memory for its error.
    """

    workspace_column: ClassVar[str] = "workspace_id"
    refusal: ClassVar[str] = "Clicks are counted for it, so it cannot be deleted."

    def delete(self) -> tuple[int, dict[str, int]]:
        self._for_write = True  # so that `db` is the database for writing
        workspaces = set(self.order_by().values_list(self.workspace_column, flat=True))
        return locks.in_workspaces_alone(workspaces, self._delete_unclicked, using=self.db)

    def _delete_unclicked(self) -> tuple[int, dict[str, int]]:
        clicked = set(self.order_by().clicked())
        if clicked:
            raise models.ProtectedError(self.refusal, clicked)
        self._take_out_of_clicks()
        return super().delete()

    def clicked(self) -> ClickedQuerySet:
        """The rows with stored or counted clicks. No rows if clicks are not counted by this model.

        The queries name the workspaces of the rows, so that no other tenant's clicks are read.
        """
        dimension = next((one for one in dimensions.DIMENSIONS if one.code == self.model.rollup_dimension), None)
        if dimension is None:
            return self.none()
        keys = dict(self.order_by().values_list("pk", "workspace_id"))
        workspaces = set(keys.values())
        rollups = _rows_of("Rollup", self.db).filter(workspace__in=workspaces)
        counted = rollups.filter(dimension=dimension.code, key__in=keys).values_list("key", flat=True)
        clicks = _rows_of("Click", self.db).filter(workspace__in=workspaces)
        stored = clicks.filter(**{f"{dimension.key}__in": keys}).values_list(str(dimension.key), flat=True)
        return self.filter(pk__in={*counted.distinct(), *stored.distinct()})

    def _take_out_of_clicks(self) -> None:
        """Sets the references of clicks to NULL for the rows that are deleted together with these rows.

        The statements name the workspaces, so that no other tenant's clicks are read.
        """
        workspaces = set(self.order_by().values_list(self.workspace_column, flat=True))
        for column, model, field in self.model.named_by_clicks:
            gone = _rows_of(model, self.db).filter(**{f"{field}__in": self.order_by().values("pk")})
            # Locked in the order of their keys, because deletions of the same rows in other orders would deadlock.
            keys = list(gone.order_by("pk").select_for_update().values_list("pk", flat=True))
            if keys:
                clicks = _rows_of("Click", self.db).filter(workspace__in=workspaces, **{f"{column}__in": keys})
                clicks.update(**{column: None})

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates
    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark: not offered on managers


class ClickedModel(models.Model):
    """A workspace, or a row of one, that clicks refer to. `rollup_dimension` is the dimension that counts its clicks.

    `named_by_clicks` are related rows that are deleted together with this one, although clicks refer to them: the
    click's column, the model of the related rows, and their field that refers to this model.
    """

    rollup_dimension: ClassVar[int | None] = None
    named_by_clicks: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    objects: ClassVar[Any] = ClickedQuerySet.as_manager()

    class Meta:
        abstract = True

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        database = using or router.db_for_write(type(self), instance=self)
        return type(self)._default_manager.using(database).filter(pk=self.pk).delete()

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates


def _rows_of(model: str, using: str) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = apps.get_model("stats_app", model)._default_manager.using(using)
    return rows
