"""Every error as problem+json (RFC 9457). An unexpected error is logged; the answer does not reveal what it was."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from rest_framework import exceptions
from rest_framework.response import Response

from stats_app import database_errors, errors
from stats_app.errors import Allowance
from stats_app.keys import CHALLENGE

CONTENT_TYPE = "application/problem+json"
URN = "urn:stats-tools:problem:"
ZONE_RETRY_AFTER_SECONDS = 300  # an administrator has to install the time zone first

# code: status and title
PROBLEMS = {
    "invalid_parameters": (400, "Invalid parameters"),
    "not_authenticated": (401, "Not authenticated"),
    "permission_denied": (403, "Permission denied"),
    "workspace_mismatch": (403, "Another workspace"),
    "person_figures_off": (403, "Figures of persons are off"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "payload_too_large": (413, "Payload too large"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "rate_limited": (429, "Too many calls"),
    "internal_error": (500, "Internal error"),
    "unavailable": (503, "Unavailable"),
}

logger = logging.getLogger(__name__)


def problem_response(exc: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of the API's views. The handler in the host's settings is not used."""
    if isinstance(exc, errors.StatsError):
        return _known(exc)
    if isinstance(exc, exceptions.MethodNotAllowed):
        method = errors.printable(context["request"].method)
        supported = ", ".join(context["view"].allowed_methods)
        return _problem("method_not_allowed", f"This path does not support {method}; it supports {supported}.")
    kind = database_errors.unavailability(exc)
    if kind is not None:
        headers = {"Retry-After": str(database_errors.RETRY_AFTER_SECONDS)}
        return _problem("unavailable", database_errors.TEXTS[kind], headers)
    if isinstance(exc, SuspiciousOperation):
        return _problem("invalid_parameters", "The request is malformed.", extra={"errors": []})
    logger.error("Unexpected error", exc_info=exc)
    # Error trackers listen to this signal of Django, which Django itself sends only for exceptions that nobody handles.
    got_request_exception.send(sender=None, request=context["request"]._request)
    return _problem("internal_error", "Something went wrong on our side; it has been logged.")


def _known(error: errors.StatsError) -> Response:
    headers = {}
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, errors.RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.UnsupportedMediaType):
        headers["Accept-Encoding"] = "identity"  # RFC 7694
    if isinstance(error, errors.UnknownZone):
        logger.error("%s", error)
        headers["Retry-After"] = str(ZONE_RETRY_AFTER_SECONDS)
    extra = {}
    if isinstance(error, errors.InvalidParameters):
        extra["errors"] = [field_error.as_dict() for field_error in error.errors]
    return _problem(error.code, str(error), headers | limit_headers(error.allowance), extra)


def _problem(
    code: str, detail: str, headers: dict[str, str] | None = None, extra: dict[str, Any] | None = None
) -> Response:
    status, title = PROBLEMS[code]
    body = {"type": URN + code, "title": title, "status": status, "detail": detail, "code": code}
    return Response(body | (extra or {}), status, headers=headers, content_type=CONTENT_TYPE)


def limit_headers(allowance: Allowance | None) -> dict[str, str]:
    """The headers that say what is left of a rate limit, by draft-ietf-httpapi-ratelimit-headers."""
    if allowance is None:
        return {}
    return {
        "RateLimit-Policy": f'"{allowance.name}";q={allowance.limit};w={allowance.window}',
        "RateLimit": f'"{allowance.name}";r={allowance.remaining};t={allowance.reset}',
    }
