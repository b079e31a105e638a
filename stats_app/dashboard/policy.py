"""The Content-Security-Policy of the staff pages: they load nothing but static files, and send forms nowhere else."""

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
    """Adds the header to what the view answers.

    Where the host has Django's `ContentSecurityPolicyMiddleware` or django-csp, its policy holds for our pages, too:
    both leave a header alone that is there already, so that ours would replace it.
    """

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if not _host_has_policy(request):
            response.headers.setdefault(HEADER, _policy())
        return response

    return cast(View, page)


def _host_has_policy(request: HttpRequest) -> bool:
    # Django's middleware sets the one, django-csp the other.
    return hasattr(request, "_csp_nonce") or hasattr(request, "csp_nonce")


def _policy() -> str:
    files = _with_origin_of(static("stats_app/stats.css"))
    # Chromium also holds the redirect after a form to this, and logging out may lead to another site.
    forms = _with_origin_of(str(settings.LOGOUT_REDIRECT_URL or ""))
    return (
        f"default-src 'none'; script-src {files}; style-src {files}; img-src {files}; form-action {forms}; "
        "base-uri 'none'"
    )


def _with_origin_of(url: str) -> str:
    """The own site as a source of a policy, and the site of the URL where that is another one."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".removeprefix("://")
    return f"'self' {origin}" if parts.netloc else "'self'"
