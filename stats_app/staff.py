"""Which workspaces a staff member may see, and messages for staff. Used by the dashboard and the admin."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from stats_app.conf import conf
from stats_app.errors import UnknownZone
from stats_app.models import Workspace
from stats_app.models.workspaces import WorkspaceQuerySet

PERMISSION = "stats_app.view_workspace"


def may_view(user: Any) -> bool:
    """Whether this login may open the pages for staff. The project's users may have no such attributes."""
    return getattr(user, "is_staff", False) and hasattr(user, "has_perm") and user.has_perm(PERMISSION)


def workspaces_for(user: Any) -> WorkspaceQuerySet:
    """The workspaces that this login may see. Rows of all others must look as if they did not exist.

    Superusers see all. For other users the function in `STATS_APP["WORKSPACES_FOR"]` (a dotted path) is called with the
    user, and returns a queryset of `Workspace`. Without that setting they see all, too. Django's permissions decide
    what they may do there; they are not checked here.
    """
    workspaces: WorkspaceQuerySet = Workspace.objects.all()
    if sees_all(user):
        return workspaces
    limited = import_string(str(conf.workspaces_for))(user)
    # By a subquery, because the function's queryset may have joins that repeat rows.
    return workspaces.using(limited.db).filter(pk__in=limited.values("pk"))


def unknown_zone_message(error: UnknownZone) -> str:
    """The message for staff on a page that needs the time zone of a workspace, if this machine lacks it."""
    return _(
        "This server does not know the time zone %(zone)s of the workspace. Choose another one, or update the package "
        "tzdata."
    ) % {"zone": error.name}


def sees_all(user: Any) -> bool:
    """Whether this login may see all workspaces, so that lists need no condition on the workspace."""
    return conf.workspaces_for is None or bool(getattr(user, "is_superuser", False))
