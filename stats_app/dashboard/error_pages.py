"""Error pages of the staff pages and of the pages without login, and a `handler500` for the host's other pages."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.translation import gettext as _
from django.views import defaults

from stats_app.database_errors import RETRY_AFTER_SECONDS, unavailability

TEMPLATE = "stats_app/dashboard/error.html"


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    titles = {403: _("No permission"), 404: _("Page not found"), 503: _("Not available right now")}
    # The root of the site, which is not `/` if the site is served under a prefix.
    context = {
        "title": titles[status],
        "message": message,
        "status": status,
        "home": get_script_prefix(),
        "request": request,
    }
    return render(request, TEMPLATE, context, status=status)


def outage_page() -> HttpResponse:
    """The staff page with status 503, while the database cannot be reached."""
    return _unavailable(_("The database cannot be reached. Please load the page again in a moment."))


def open_not_found_page() -> HttpResponse:
    """The 404 of pages without login: it links nowhere."""
    message = _("There is nothing at this address, or it is no longer available.")
    return _without_request(404, _("Page not found"), message, is_shared=True)


def open_unavailable_page() -> HttpResponse:
    """The 503 of pages without login: it links nowhere, and does not say what failed."""
    return _unavailable(_("The page cannot be shown at the moment. Please load it again later."), is_shared=True)


def server_error(request: HttpRequest, template_name: str = "500.html") -> HttpResponse:
    """A `handler500`: answers 503 with `Retry-After` while the database cannot be reached, as the app's own pages do.

    Other errors are answered as Django does, with the host's `500.html`.
    """
    error = sys.exc_info()[1]
    if error is None or unavailability(error) is None:
        return defaults.server_error(request, template_name)
    return open_unavailable_page()


def _unavailable(message: str, *, is_shared: bool = False) -> HttpResponse:
    response = _without_request(503, _("Not available right now"), message, is_shared=is_shared)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _without_request(status: int, title: str, message: str, *, is_shared: bool) -> HttpResponse:
    """An error page. Rendered without the request, because reading the login needs the database."""
    context = {"title": title, "message": message, "status": status, "is_shared": is_shared}
    return HttpResponse(render_to_string(TEMPLATE, context), status=status)
