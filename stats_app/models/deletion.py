"""What forbids deleting rows that clicks refer to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.apps import apps
from django.db import models, router
from django.db.models import Exists, OuterRef

from stats_app import dimensions, locks


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
        workspaces = set(self.order_by().values_list(self.workspace_column, flat=True))
        return locks.in_workspaces_alone(workspaces, self._delete_unclicked, using=self.db)

    def _delete_unclicked(self) -> tuple[int, dict[str, int]]:
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
