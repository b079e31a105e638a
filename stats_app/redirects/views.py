"""The redirect. It reads the request; `known_links` finds the link, and `visits` records the click."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.encoding import iri_to_uri
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from stats_app.conf import conf
from stats_app.database_errors import DATABASE_ERRORS, RETRY_AFTER_SECONDS
from stats_app.known_links import find_link
from stats_app.outages import without_transaction
from stats_app.verdicts import PURPOSE_HEADERS, Visit
from stats_app.visits import record_visit

HEADERS = {
    # A browser would follow a cached redirect without a request, so the click would not be counted.
    "Cache-Control": "no-store",
    # The target must not learn the token.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}

logger = logging.getLogger(__name__)


@without_transaction
@csrf_exempt  # so that a POST gets the 405 below and not the page about cookies
@login_not_required
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """302 to the link's target. A query string is ignored. HEAD is redirected, too, but not counted."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"], headers=HEADERS)
    try:
        link = find_link(token)
    except DATABASE_ERRORS:
        logger.exception("The database cannot be reached, and this link is not known to this process")
        return _plain(503, _("This link cannot be followed at the moment. Try again."), RETRY_AFTER_SECONDS)
    if link is None:
        return _plain(404, _("There is no such link."))
    forwarded = request.headers.get(conf.client_ip_header)
    record_visit(
        link, visit_of(request), remote_addr=request.META.get("REMOTE_ADDR", ""), forwarded=forwarded, now=now()
    )
    return HttpResponse(status=302, headers={"Location": iri_to_uri(link.target), **HEADERS})


def visit_of(request: HttpRequest) -> Visit:
    """What the request says about the visitor."""
    headers = request.headers
    return Visit(
        method=request.method or "",
        user_agent=headers.get("User-Agent"),
        accept_language=headers.get("Accept-Language"),
        purposes=tuple(headers[name] for name in PURPOSE_HEADERS if name in headers),
        sec_fetch_mode=headers.get("Sec-Fetch-Mode"),
        is_secure=request.is_secure(),
    )


def _plain(status: int, text: str, retry_after: int | None = None) -> HttpResponse:
    more = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return HttpResponse(
        f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers={**HEADERS, **more}
    )
