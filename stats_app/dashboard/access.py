"""Who may see a staff page. For workspaces that a person may not see, the pages answer as if they did not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import global_settings, settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from stats_app import public_ids
from stats_app.dashboard.error_pages import error_page, outage_page
from stats_app.dashboard.policy import with_policy
from stats_app.errors import UnknownZone
from stats_app.models import Workspace
from stats_app.outages import with_outage_page
from stats_app.staff import may_view, unknown_zone_message, workspaces_for

Path = ParamSpec("Path")
View = Callable[Concatenate[HttpRequest, Path], HttpResponseBase]


def staff_page(view: View[Path]) -> View[Path]:
    """A page for staff with the permission `view_workspace`. Others must log in or are refused. Only GET and HEAD.

    Errors 403, 404 and 503 are shown as staff pages, and not as the error pages of the host.
    """
    return _for_staff(require_safe(view))


def staff_form(view: View[Path]) -> View[Path]:
    """A staff page with a form that is posted to the page itself."""
    return _for_staff(csrf_protect(require_http_methods(["GET", "HEAD", "POST"])(view)))


def _for_staff(view: View[Path]) -> View[Path]:
    @wraps(view)
    def page(request: HttpRequest, /, *args: Path.args, **kwargs: Path.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), login_url())
        if not may_view(request.user):
            return error_page(request, 403, _("This page is for staff who may view workspaces."))
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return error_page(request, 404, _("There is nothing at this address, or nothing that you may see."))
        except UnknownZone as error:
            return error_page(request, 503, unknown_zone_message(error))

    answered = never_cache(with_policy(with_outage_page(page, outage_page)))
    # Without it, the host's LoginRequiredMiddleware would redirect to its own login page.
    return login_not_required(answered)


def login_url() -> str:
    """`LOGIN_URL` if the host has set it, else the admin's login."""
    if settings.LOGIN_URL == global_settings.LOGIN_URL:
        try:
            return reverse("admin:login")
        except NoReverseMatch:
            pass
    return str(settings.LOGIN_URL)


def get_workspace(request: HttpRequest, public_id: str) -> Workspace:
    """The workspace, if this person may see it. Raises Http404."""
    workspace: Workspace | None = None
    if public_ids.is_public_id(public_id):
        workspace = workspaces_for(request.user).filter(public_id=public_id).first()
    if workspace is None:
        raise Http404
    return workspace
