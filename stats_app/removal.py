"""Deleting a tenant whole, in steps of bounded size that may be broken off and run again at any moment.

What a tenant's rows are is read off the models, so that a new model needs no line here.
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
"""So many rows are deleted in one transaction."""

_ROUNDS = 5  # against rows that are added meanwhile


def delete_workspace(
    workspace: Workspace, *, progress: Callable[[int], None] = lambda deleted: None
) -> Mapping[str, int]:
    """Deletes a workspace with all that it has, and returns how many rows of each model.

    First it is made inactive and takes no clicks any more. Its own row goes last, so that a run that was broken off can
    be run again. No row of another tenant is read or locked. `progress` is called with how many are deleted so far.
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
            delete_all(rows_of_tenants(), locked)
            try:
                locked(partial(_delete_own_row, workspace.pk, using))
                break
            except IntegrityError:  # somebody added a row meanwhile
                if not rounds_left:
                    raise
    except WorkspaceGone:  # another run was faster
        pass
    # Nothing holds these to the workspace's row, and a call that was being answered may have written one.
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
    """Past Django's collector, which would look for the rows that are gone."""
    row: Any = Workspace.objects.using(using).filter(pk=workspace_id)
    deleted: int = row._raw_delete(using)
    return deleted


@cache
def rows_of_tenants() -> Mapping[type[Model], TenantRows]:
    """The rows of a workspace by model, each model before those that it leads to."""
    models = apps.get_app_config("stats_app").get_models(include_auto_created=True)
    order: TopologicalSorter[type[Model]] = TopologicalSorter()
    for model in models:
        if model._meta.managed:
            order.add(model)
            for field in _foreign_keys(model):
                order.add(field.related_model, model)
    found: dict[type[Model], TenantRows] = {}
    # From the workspace's own outwards, since what leads to a workspace by others needs theirs first.
    for model in reversed([*order.static_order()]):
        rows = _rows_of_tenant(model, found)
        if rows is not None:
            found[model] = rows
    return dict(reversed(found.items()))


def _rows_of_tenant(model: type[Model], parents: Mapping[type[Model], TenantRows]) -> TenantRows | None:
    """None for the workspaces themselves, and for what is of no workspace."""
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
    """Those that lead to another model of ours."""
    return [
        field
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey)
        and field.related_model not in (model, "self")
        and field.related_model._meta.app_label == "stats_app"
    ]


def _unconstrained() -> Mapping[type[Model], TenantRows]:
    """Those that the database would let stay behind without a workspace."""

    def is_loose(model: type[Model]) -> bool:
        to_workspaces = [field for field in _foreign_keys(model) if field.related_model is Workspace]
        return bool(to_workspaces) and not any(field.db_constraint for field in to_workspaces)

    return {model: rows for model, rows in rows_of_tenants().items() if is_loose(model)}
