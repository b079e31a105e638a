"""What deleting a row would take along, and what forbids it, without reading the rows: there may be millions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.auth import get_permission_codename
from django.db.models import CASCADE, Model, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from stats_app.admin.paging import CAP
from stats_app.models.deletion import ClickedQuerySet
from stats_app.models.workspaces import WorkspaceQuerySet

SHOWN = 50


class Preview(NamedTuple):
    """As Django's `get_deleted_objects`: what goes, how many of each kind, permissions that lack, what forbids it."""

    objects: list[str]
    counts: dict[str, int | str]
    lacking: set[str]
    protected: list[str]


def preview(model: type[Model], pks: Sequence[Any], user: Any) -> Preview:
    """For the rows of `model` with these keys, as seen by `user`. A constant number of queries."""
    rows = model._default_manager.filter(pk__in=pks)
    name = capfirst(str(model._meta.verbose_name))
    objects = [f"{name}: {row}" for row in rows[:SHOWN]]
    if len(pks) > SHOWN:
        objects.append(_("… and %(number)s more") % {"number": len(pks) - SHOWN})
    taken = {model: rows} | cascade(model, rows)
    numbers = {related: _capped_count(found) for related, found in taken.items()}
    return Preview(
        objects=objects,
        counts={
            str(related._meta.verbose_name_plural): shown for related, (number, shown) in numbers.items() if number
        },
        lacking={
            str(related._meta.verbose_name)
            for related, (number, _shown) in numbers.items()
            if number and not _may_delete(related, user)
        },
        protected=[_("clicks of “%(name)s”") % {"name": row} for row in clicked(rows)[:SHOWN]],
    )


def cascade(model: type[Model], rows: QuerySet[Any]) -> dict[type[Model], QuerySet[Any]]:
    """The rows of other models that go with these, by model. Rows that nobody sees in the admin are left out."""
    found: dict[type[Model], QuerySet[Any]] = {}
    for relation in model._meta.related_objects:
        if relation.on_delete is not CASCADE or relation.hidden:
            continue
        related = relation.related_model
        below = related._default_manager.filter(**{f"{relation.field.name}__in": rows.order_by().values("pk")})
        found.setdefault(related, below)
        for deeper, queryset in cascade(related, below).items():
            found.setdefault(deeper, queryset)
    return found


def clicked(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of the rows that clicks are stored or counted for, which is what forbids deleting them."""
    return rows.clicked() if isinstance(rows, WorkspaceQuerySet | ClickedQuerySet) else rows.none()


def _capped_count(rows: QuerySet[Any]) -> tuple[int, int | str]:
    number = rows.order_by().values("pk")[:CAP].count()
    return number, number if number < CAP else _("%(number)s or more") % {"number": CAP}


def _may_delete(model: type[Model], user: Any) -> bool:
    opts = model._meta
    return bool(user.has_perm(f"{opts.app_label}.{get_permission_codename('delete', opts)}"))
