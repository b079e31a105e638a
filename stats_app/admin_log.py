"""The log of Django's admin, if the host uses it: it stores the names of rows that staff have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps
from django.db import router
from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast

_NAME_LENGTH = 200


def _entries(using: str) -> QuerySet[Any] | None:
    """The log's entries, or None if there is no log, or if it is in another database."""
    if not apps.is_installed("django.contrib.admin"):
        return None
    model = apps.get_model("admin", "LogEntry")
    return model._default_manager.using(using) if router.db_for_write(model) == using else None


def _about(entries: QuerySet[Any], rows: QuerySet[Any]) -> QuerySet[Any]:
    """The entries about these rows of one model."""
    content_type = apps.get_model("contenttypes", "ContentType")._default_manager.db_manager(entries.db)
    texts = rows.order_by().annotate(as_text=Cast("pk", CharField(max_length=32))).values("as_text")
    return entries.filter(content_type=content_type.get_for_model(rows.model), object_id__in=texts)


def delete_entries(models: Iterable[type[Model]], workspace_id: int, *, using: str) -> None:
    """Deletes the entries about a workspace and its rows."""
    entries = _entries(using)
    if entries is None:
        return
    for model in models:
        names = {field.name for field in model._meta.concrete_fields}
        path = "pk" if model._meta.model_name == "workspace" else "workspace"
        if path in names | {"pk"} and model._meta.pk.name == "id":
            _about(entries, model._default_manager.using(using).filter(**{path: workspace_id})).delete()


def entries_about(rows: Iterable[QuerySet[Any]], *, using: str) -> list[QuerySet[Any]]:
    """The entries about these rows, for each of their models."""
    entries = _entries(using)
    return [] if entries is None else [_about(entries, some) for some in rows]


def entries_about_deleted(
    models: Iterable[type[Model]], is_meant: Callable[[str], bool], *, using: str
) -> list[QuerySet[Any]]:
    """The entries about deleted rows of each of these models, if `is_meant` accepts the row's name.

    They may be about a row of any workspace, because the log does not store which one it was.
    """
    entries = _entries(using)
    return [] if entries is None else [_about_deleted(entries, model, is_meant) for model in models]


def _about_deleted(entries: QuerySet[Any], model: type[Model], is_meant: Callable[[str], bool]) -> QuerySet[Any]:
    content_type = apps.get_model("contenttypes", "ContentType")._default_manager.db_manager(entries.db)
    named = entries.filter(content_type=content_type.get_for_model(model)).values_list("pk", "object_id", "object_repr")
    keys = {pk: key or "" for pk, key, name in named if is_meant(name)}
    rows = model._default_manager.using(entries.db).filter(pk__in=filter(str.isdecimal, keys.values()))
    existing = set(map(str, rows.values_list("pk", flat=True)))
    return entries.filter(pk__in=[pk for pk, key in keys.items() if key not in existing])


def rename(entries: Iterable[QuerySet[Any]], name: str) -> None:
    """Gives the rows that the entries are about another name in the log."""
    for some in entries:
        some.update(object_repr=name[:_NAME_LENGTH])


def changes(entries: Iterable[QuerySet[Any]]) -> list[tuple[Any, ...]]:
    """For each entry: its time, the row's name at that time, and the change."""
    columns = ("action_time", "object_repr", "change_message")
    return [entry for some in entries for entry in some.order_by("pk").values_list(*columns)]
