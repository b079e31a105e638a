"""Pages that are open to whoever has their address, which holds a secret: without login, and without a trace of it.

The web server's own log of addresses is not ours to keep clean: docs/sharing.md says how.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from stats_app.dashboard.access import ERROR_TEMPLATE
from stats_app.dashboard.policy import with_policy
from stats_app.database_errors import RETRY_AFTER_SECONDS
from stats_app.errors import UnknownZone
from stats_app.outages import with_outage_page

HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
MASK = "-"
_SHORTEST = 20
"""What is shorter than this is no secret, and may be a part of other texts by chance."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret on its way: reports of errors show the variables of all functions that it passes."""

    value: str = field(repr=False)


View = Callable[[HttpRequest, Hidden], HttpResponse]
Page = Callable[[HttpRequest, str], HttpResponse]


def open_page(*methods: str) -> Callable[[View], Page]:
    """Makes a page of a view that takes a secret. Http404, for whatever reason, is one and the same page.

    All is answered here: Django's logs and reports of errors hold the address and the variables of what they pass.
    """

    def opened(view: View) -> Page:
        def answered(request: HttpRequest, hidden: Hidden) -> HttpResponse:
            if request.method not in methods:
                return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            try:
                return view(request, hidden)
            except Http404:
                return _not_found_page()
            except UnknownZone:
                return _unavailable_page()

        reading = with_outage_page(answered, _unavailable_page)

        @wraps(view)
        @sensitive_variables("secret")
        def page(request: HttpRequest, secret: str) -> HttpResponse:
            hide(secret, request)
            try:
                response = reading(request, Hidden(secret))
            except Exception:
                logger.exception("A page that is open without login failed")
                response = HttpResponse("Internal server error\n", status=500, content_type="text/plain; charset=utf-8")
            for name, value in HEADERS.items():
                response.headers[name] = value
            return response

        page.__dict__.update(reading.__dict__)  # that no transaction of the host's is around it
        # Django would refuse a POST by its address, and the host's LoginRequiredMiddleware send readers to log in.
        answer: Page = login_not_required(csrf_exempt(with_policy(page)))
        return answer

    return opened


@sensitive_variables("secret", "parts", "part")
def hide(secret: str, request: HttpRequest) -> None:
    """Takes the secret out of the request, and what stands between slashes of it: from here on nothing that logs or
    shows the request has them."""
    parts = [part for part in (secret, *secret.split("/")) if len(part) >= _SHORTEST]
    for part in parts:
        request.path = request.path.replace(part, MASK)
        request.path_info = request.path_info.replace(part, MASK)
        for values in _values_of(request):
            for name, value in [*values.items()]:
                if isinstance(value, str):
                    values[name] = value.replace(part, MASK)
                elif isinstance(value, bytes):
                    values[name] = value.replace(part.encode(), MASK.encode())


def _values_of(request: HttpRequest) -> Iterator[dict[str, Any]]:
    """Where the parts of an address stand besides: for WSGI, for ASGI, and where Django found the view."""
    yield request.META
    yield getattr(request, "scope", {})
    found = request.resolver_match
    if found is not None:
        yield found.kwargs
        yield found.captured_kwargs  # type: ignore[attr-defined]  # the stubs lack it


def _not_found_page() -> HttpResponse:
    return _error_page(404, _("Page not found"), _("There is nothing at this address, or nothing any more."))


def _unavailable_page() -> HttpResponse:
    message = _("The page cannot be shown at the moment. Please load it again later.")
    response = _error_page(503, _("Not available right now"), message)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _error_page(status: int, title: str, message: str) -> HttpResponse:
    """Rendered without the request, so that nobody is asked who is logged in."""
    context = {"title": title, "message": message, "status": status, "is_shared": True}
    return HttpResponse(render_to_string(ERROR_TEMPLATE, context), status=status)
