"""The query string of a request, read strictly: a repeated name is no value, and a GET has no body beside it."""

from __future__ import annotations

from urllib.parse import parse_qsl

from rest_framework.request import Request

from stats_app.bodies import Repeated
from stats_app.errors import FieldError


def single_values(request: Request) -> dict[str, object]:
    """The query string as a plain dictionary; what stands in it more than once is marked as `Repeated`.

    `request.GET` would raise on more parameters than the host's DATA_UPLOAD_MAX_NUMBER_FIELDS.
    """
    raw = request.META.get("QUERY_STRING", "").encode("latin-1", "replace").decode("utf-8", "replace")
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else Repeated(values) for name, values in given.items()}


def body_errors(request: Request) -> list[FieldError]:
    """The error of a GET that has a body, which would not be read: its filters or dates would be lost."""
    if request.META.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in request.META:
        return []
    return [FieldError("body", "unknown", "body is not read by this method; put the parameters into the query string.")]
