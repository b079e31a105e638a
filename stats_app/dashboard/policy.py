"""The Content-Security-Policy of the staff pages: they load only static files, and send forms only to this site."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.templatetags.static import static

HEADER = "Content-Security-Policy"

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def with_policy(view: View) -> View:
    """Adds the header to the view's response.

    If the host uses Django's `ContentSecurityPolicyMiddleware` or django-csp, no header is added, and the host's policy
    applies. With a header from here, both would leave out their own.
    """

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not _host_has_policy(request):
            response.headers.setdefault(HEADER, _policy())
        return response

    return cast(View, page)


def _host_has_policy(request: HttpRequest) -> bool:
    # Django's middleware sets the first, django-csp the second.
    return hasattr(request, "_csp_nonce") or hasattr(request, "csp_nonce")


def _policy() -> str:
    files = _with_origin_of(static("stats_app/stats.css"))
    # Chromium also applies this to the redirect after a form, and logging out may redirect to another site.
    forms = _with_origin_of(str(settings.LOGOUT_REDIRECT_URL or ""))
    return (
        f"default-src 'none'; script-src {files}; style-src {files}; img-src {files}; form-action {forms}; "
        "base-uri 'none'"
    )


def _with_origin_of(url: str) -> str:
    """The sources for a policy: this site, and the site of the URL if it is another one."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".removeprefix("://")
    return f"'self' {origin}" if parts.netloc else "'self'"
