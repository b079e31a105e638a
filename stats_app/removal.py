"""Deleting a tenant completely, in transactions of limited size. A run can be interrupted and repeated at any time.

Which rows belong to the tenant follows from the models' foreign keys, so a new model needs no change here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, partial
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connections, router
from django.db.models import ForeignKey, Model

from stats_app import admin_log
from stats_app.errors import WorkspaceGone
from stats_app.locks import LockedWorkspace, in_workspace, tried_again
from stats_app.models import Workspace
from stats_app.rollups import GIVEN_UP
from stats_app.sql import removal as sql
from stats_app.sql.removal import TenantRows

BATCH = 5_000
"""How many rows are deleted in one transaction."""

_ROUNDS = 5  # attempts, because rows may be added during a run


def delete_workspace(
    workspace: Workspace, *, progress: Callable[[int], None] = lambda deleted: None
) -> Mapping[str, int]:
    """Deletes a workspace with everything in it, and returns the number of rows by model.

    First the workspace becomes inactive and accepts no more clicks. Its own row is deleted last, so that an interrupted
    run can be repeated. No row of another tenant is read or locked. `progress` is called with the number of rows
    deleted so far. Raises IntegrityError if rows were added in each round.
    """
    using = router.db_for_write(Workspace, instance=workspace)
    deleted: Counter[str] = Counter()

    def delete_all(models: Mapping[type[Model], TenantRows], run: Callable[[Callable[[], int]], int]) -> None:
        for model, rows in models.items():
            delete = partial(sql.delete_some, connections[using], rows, workspace.pk, BATCH)
            while number := run(delete):
                deleted[str(model._meta.verbose_name_raw)] += number
                progress(deleted.total())

    def locked(work: Callable[[], int]) -> int:
        return in_workspace(workspace.pk, lambda _: work(), using=using, alone=True)

    try:
        in_workspace(workspace.pk, partial(_close, using=using), using=using, alone=True)
        admin_log.delete_entries([Workspace, *rows_of_tenants()], workspace.pk, using=using)
        for rounds_left in reversed(range(_ROUNDS)):
            try:
                delete_all(rows_of_tenants(), locked)
                locked(partial(_delete_own_row, workspace.pk, using))
                break
            except IntegrityError:  # a row was added during the run
                if not rounds_left:
                    raise
    except WorkspaceGone:  # another run has deleted it
        pass
    # These tables have no foreign key in the database, and a call during the run may have added a row.
    delete_all(_unconstrained(), partial(tried_again, using=using))
    return deleted


def count_rows(workspace: Workspace) -> Mapping[str, int]:
    """How many rows of each model `delete_workspace` would delete."""
    connection = connections[router.db_for_write(Workspace, instance=workspace)]
    return {
        str(model._meta.verbose_name_raw): number
        for model, rows in rows_of_tenants().items()
        if (number := sql.count(connection, rows, workspace.pk))
    }


def _close(locked: LockedWorkspace, *, using: str) -> None:
    Workspace.objects.using(using).filter(pk=locked.id).update(is_active=False, clicks_kept_from=GIVEN_UP)


def _delete_own_row(workspace_id: int, using: str) -> int:
    """Deletes the row without Django's collector, which would search for the related rows again."""
    row: Any = Workspace.objects.using(using).filter(pk=workspace_id)
    deleted: int = row._raw_delete(using)
    return deleted


@cache
def rows_of_tenants() -> Mapping[type[Model], TenantRows]:
    """The rows of a workspace by model, each model before the models that it refers to."""
    models = apps.get_app_config("stats_app").get_models(include_auto_created=True)
    order: TopologicalSorter[type[Model]] = TopologicalSorter()
    for model in models:
        if model._meta.managed:
            order.add(model)
            for field in _foreign_keys(model):
                order.add(field.related_model, model)
    tables: dict[type[Model], TenantRows] = {}
    # Parents come before the models that refer to them, because the conditions of these are built from their parents'.
    for model in reversed([*order.static_order()]):
        rows = _rows_of_tenant(model, tables)
        if rows is not None:
            tables[model] = rows
    return dict(reversed(tables.items()))


def _rows_of_tenant(model: type[Model], parents: Mapping[type[Model], TenantRows]) -> TenantRows | None:
    """The rows of a model; None for workspaces, and for models that do not belong to a workspace."""
    table = model._meta.db_table
    for field in _foreign_keys(model):
        if field.related_model is Workspace:
            return TenantRows(table, f"{field.column} = %(workspace)s")
    for field in _foreign_keys(model):
        if field.related_model in parents and not field.null:
            parent = parents[field.related_model]
            return TenantRows(table, parent.among(str(field.column), str(field.related_model._meta.pk.column)))
    return None


def _foreign_keys(model: type[Model]) -> list[Any]:
    """The foreign keys that refer to another model of this app."""
    return [
        field
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey)
        and field.related_model not in (model, "self")
        and field.related_model._meta.app_label == "stats_app"
    ]


def _unconstrained() -> Mapping[type[Model], TenantRows]:
    """The rows of models whose foreign key to the workspace has no constraint in the database."""

    def is_loose(model: type[Model]) -> bool:
        to_workspaces = [field for field in _foreign_keys(model) if field.related_model is Workspace]
        return bool(to_workspaces) and not any(field.db_constraint for field in to_workspaces)

    return {model: rows for model, rows in rows_of_tenants().items() if is_loose(model)}
