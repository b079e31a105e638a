"""Which workspaces a staff member may see, and what both surfaces of staff say. Dashboard and admin ask here."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from stats_app.conf import conf
from stats_app.errors import UnknownZone
from stats_app.models import Workspace
from stats_app.models.workspaces import WorkspaceQuerySet


def workspaces_for(user: Any) -> WorkspaceQuerySet:
    """The workspaces that this login may see; everything that belongs to another one does not exist for it.

    Superusers see all. For all others the function that `STATS_APP["WORKSPACES_FOR"]` names by its dotted path is
    called with the user and answers with a queryset of `Workspace`; without that setting they see all, too. What they
    may do there is a matter of Django's permissions, which are not looked at here.
    """
    path = conf.workspaces_for
    if path is None or user.is_superuser:
        everything: WorkspaceQuerySet = Workspace.objects.all()
        return everything
    limited: WorkspaceQuerySet = import_string(path)(user)
    return limited


def unknown_zone_message(error: UnknownZone) -> str:
    """What staff read where a page needs the local days of a workspace whose time zone this machine lacks."""
    return _(
        "This server does not know the time zone %(zone)s of the workspace. Choose another one, or update the package "
        "tzdata."
    ) % {"zone": error.name}


def sees_all(user: Any) -> bool:
    """Whether no limit holds for this login, so that a list needs no condition on the workspace."""
    return conf.workspaces_for is None or bool(user.is_superuser)
