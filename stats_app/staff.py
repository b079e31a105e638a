"""Which workspaces a staff member may see. Dashboard and admin ask here and nowhere else."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from stats_app.conf import conf
from stats_app.models import Workspace


def workspaces_for(user: Any) -> QuerySet[Workspace]:
    """The workspaces that this login may see; everything that belongs to another one does not exist for it.

    Superusers see all. For all others the function that `STATS_APP["WORKSPACES_FOR"]` names by its dotted path is
    called with the user and answers with a queryset of `Workspace`; without that setting they see all, too. What they
    may do there is a matter of Django's permissions, which are not looked at here.
    """
    path = conf.workspaces_for
    if path is None or user.is_superuser:
        return Workspace.objects.all()
    limited: QuerySet[Workspace] = import_string(path)(user)
    return limited


def sees_all(user: Any) -> bool:
    """Whether no limit holds for this login, so that a list needs no condition on the workspace."""
    return conf.workspaces_for is None or bool(user.is_superuser)
