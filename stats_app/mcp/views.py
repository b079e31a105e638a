"""The only address of MCP. It authenticates the caller; the SDK handles the message."""

from __future__ import annotations

import logging
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt

from stats_app import bodies, database_errors
from stats_app.errors import InvalidParameters, NotAuthenticated, PayloadTooLarge, UnsupportedMediaType, printable
from stats_app.keys import CHALLENGE, HEADER, authenticate
from stats_app.mcp import messages
from stats_app.outages import without_transaction

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

MAX_BODY_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


@without_transaction
@csrf_exempt
@login_not_required  # an API key is required instead
def endpoint(request: HttpRequest, server: Server[Any] | None = None) -> HttpResponseBase:
    """Answers one message to the stats tools, or to another `server` that a URL pattern names."""
    response = _answer(request, server)
    response.headers.setdefault("Cache-Control", "private, no-store")
    patch_vary_headers(response, [HEADER])
    return response


def _answer(request: HttpRequest, server: Server[Any] | None) -> HttpResponse:
    if request.method != "POST":
        text = f"This path does not support {printable(request.method or '')}; send a POST."
        return _refusal(405, text, {"Allow": "POST"})
    try:
        caller = authenticate(request.headers.get(HEADER), now())
        body = bodies.read(request, MAX_BODY_BYTES)
        arguments = messages.check(bodies.parse(body))
        # Imported here, because importing the SDK costs a process most of a second and tens of megabytes.
        from stats_app.mcp import bridge
        from stats_app.mcp.server import HTTP_SERVER

        return bridge.answer(request, body.removeprefix(BOM_UTF8), server or HTTP_SERVER, caller, arguments)
    except Exception as error:
        return _error_response(request, error)


def _error_response(request: HttpRequest, error: Exception) -> JsonResponse:
    match error:
        case messages.Refused():
            return _refusal(400, str(error), code=error.code, request_id=error.request_id)
        case InvalidParameters():
            return _refusal(400, str(error), code=messages.PARSE_ERROR)
        case SuspiciousOperation():  # a host that ALLOWED_HOSTS does not allow and no middleware has checked
            return _refusal(400, "The request is malformed.")
        case NotAuthenticated():
            return _refusal(401, str(error), {"WWW-Authenticate": CHALLENGE})
        case PayloadTooLarge():
            return _refusal(413, str(error))
        case UnsupportedMediaType():
            return _refusal(415, str(error))
    kind = database_errors.unavailability(error)
    if kind is not None:
        headers = {"Retry-After": str(database_errors.RETRY_AFTER_SECONDS)}
        return _refusal(503, database_errors.TEXTS[kind], headers, messages.INTERNAL_ERROR)
    logger.error("Unexpected error", exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return _refusal(500, "Something went wrong on our side; it has been logged.", code=messages.INTERNAL_ERROR)


def _refusal(
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    code: int = messages.INVALID_REQUEST,
    request_id: str | int | None = None,
) -> JsonResponse:
    """An HTTP error with a JSON-RPC error in its body, where clients expect it."""
    return JsonResponse(messages.error(code, message, request_id), status=status, headers=headers)
