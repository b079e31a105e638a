"""The log of Django's admin, if the host uses it: it stores the names of rows that staff have changed."""

from __future__ import annotations

from collections.abc import Iterable
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


def rename_entries(rows: Iterable[QuerySet[Any]], name: str, *, using: str) -> int:
    """Renames these rows in the log, and returns the number of entries changed."""
    entries = _entries(using)
    if entries is None:
        return 0
    return sum(_about(entries, some).update(object_repr=name[:_NAME_LENGTH]) for some in rows)


def entries_about(rows: Iterable[QuerySet[Any]], *, using: str) -> list[tuple[Any, ...]]:
    """For each entry about one of these rows: its time, the row's name at that time, and the change."""
    entries = _entries(using)
    if entries is None:
        return []
    columns = ("action_time", "object_repr", "change_message")
    return [entry for some in rows for entry in _about(entries, some).order_by("pk").values_list(*columns)]
