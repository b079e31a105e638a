"""The log of Django's admin, if the host uses it: it stores the names of rows that staff have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import router
from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast

from stats_app.models.fields import is_row_number
from stats_app.models.people import KEYS_AT_ONCE

_NAME_LENGTH = 200


def database() -> str | None:
    """The database of the log, which may be another one than ours; None if there is no log."""
    if not apps.is_installed("django.contrib.admin"):
        return None
    return router.db_for_write(apps.get_model("admin", "LogEntry"))


def _entries_about(model: type[Model]) -> QuerySet[Any] | None:
    """The entries about rows of a model; None if there is no log."""
    using = database()
    if using is None:
        return None
    content_type = apps.get_model("contenttypes", "ContentType")._default_manager.db_manager(using)
    entries: QuerySet[Any] = apps.get_model("admin", "LogEntry")._default_manager.using(using)
    return entries.filter(content_type=content_type.get_for_model(model))


def _about(rows: QuerySet[Any]) -> Iterator[QuerySet[Any]]:
    """The entries about these rows of one model, in parts."""
    entries = _entries_about(rows.model)
    if entries is None:
        return
    if rows.db == entries.db:
        texts = rows.order_by().annotate(as_text=Cast("pk", CharField(max_length=32))).values("as_text")
        yield entries.filter(object_id__in=texts)
        return
    keys = [str(key) for key in rows.order_by("pk").values_list("pk", flat=True)]
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield entries.filter(object_id__in=keys[start : start + KEYS_AT_ONCE])


def delete_entries(models: Iterable[type[Model]], workspace_id: int, *, using: str) -> None:
    """Deletes the entries about a workspace and its rows."""
    for model in models:
        names = {field.name for field in model._meta.concrete_fields}
        path = "pk" if model._meta.model_name == "workspace" else "workspace"
        if path in names | {"pk"} and model._meta.pk.name == "id":
            for some in _about(model._default_manager.using(using).filter(**{path: workspace_id})):
                some.delete()


def entries_about(rows: Iterable[QuerySet[Any]]) -> list[QuerySet[Any]]:
    """The entries about these rows. Together they are all, each once."""
    return [part for some in rows for part in _about(some)]


def entries_about_deleted(
    models: Iterable[type[Model]], is_meant: Callable[[str], bool], *, using: str
) -> list[QuerySet[Any]]:
    """The entries about deleted rows of each of these models, if `is_meant` accepts the row's name.

    They may be about a row of any workspace, because the log does not store which one it was.
    """
    return [part for model in models for part in _about_deleted(model, is_meant, using)]


def _about_deleted(model: type[Model], is_meant: Callable[[str], bool], using: str) -> Iterator[QuerySet[Any]]:
    entries = _entries_about(model)
    if entries is None:
        return
    named = entries.values_list("pk", "object_id", "object_repr")
    keys = {pk: key or "" for pk, key, name in named if is_meant(name)}
    rows = model._default_manager.using(using).filter(pk__in=filter(is_row_number, keys.values()))
    existing = set(map(str, rows.values_list("pk", flat=True)))
    yield entries.filter(pk__in=[pk for pk, key in keys.items() if key not in existing])


def rename(entries: Iterable[QuerySet[Any]], name: str) -> None:
    """Gives the rows that the entries are about another name in the log."""
    for some in entries:
        some.update(object_repr=name[:_NAME_LENGTH])


def changes(entries: Iterable[QuerySet[Any]]) -> list[tuple[Any, ...]]:
    """For each entry: its time, the row's name at that time, and the change."""
    columns = ("action_time", "object_repr", "change_message")
    return [entry for some in entries for entry in some.order_by("pk").values_list(*columns)]
