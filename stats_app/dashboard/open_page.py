"""Pages without login, whose addresses contain a secret. The secret is kept out of logs and reports of errors.

The log of the web server is outside of our control: docs/sharing.md says how to keep the secret out of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from stats_app.dashboard.error_pages import open_not_found_page, open_unavailable_page
from stats_app.dashboard.policy import with_policy
from stats_app.errors import UnknownZone
from stats_app.outages import with_outage_page

HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
MASK = "-"
_SHORTEST = 20
"""Shorter texts are not secrets, and could be part of other texts by chance."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret that does not show itself when printed, because reports of errors print variables."""

    value: str = field(repr=False)


View = Callable[[HttpRequest, Hidden], HttpResponse]
Page = Callable[[HttpRequest, str], HttpResponse]


def open_page(*methods: str) -> Callable[[View], Page]:
    """Makes a page from a view that takes a secret. Every Http404 gives the same page.

    All errors are answered here, because Django's logs and reports of errors contain the address and the variables.
    """

    def opened(view: View) -> Page:
        def answered(request: HttpRequest, hidden: Hidden) -> HttpResponse:
            if request.method not in methods:
                return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            try:
                return view(request, hidden)
            except Http404:
                return open_not_found_page()
            except UnknownZone:
                return open_unavailable_page()

        reading = with_outage_page(answered, open_unavailable_page)

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

        page.__dict__.update(reading.__dict__)  # keeps it out of ATOMIC_REQUESTS
        # Without these decorators, Django's CSRF check would log the address of a refused POST, and the host's
        # LoginRequiredMiddleware would redirect readers to the login page.
        answer: Page = login_not_required(csrf_exempt(with_policy(page)))
        return answer

    return opened


@sensitive_variables("secret", "parts", "part")
def hide(secret: str, request: HttpRequest) -> None:
    """Removes the secret, and its parts between slashes, from the request, so that they are not logged or shown."""
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
    """The other dictionaries that contain parts of the address: of WSGI, of ASGI, and of Django's URL resolver."""
    yield request.META
    yield getattr(request, "scope", {})
    match = request.resolver_match
    if match is not None:
        yield match.kwargs
        yield match.captured_kwargs  # type: ignore[attr-defined]  # Django has it, the stubs do not
