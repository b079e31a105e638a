"""Reading a query string strictly: a repeated name is an error, and so is the body of a GET."""

from __future__ import annotations

from urllib.parse import parse_qsl

from rest_framework.request import Request

from stats_app.bodies import Repeated
from stats_app.errors import FieldError


def single_values(request: Request) -> dict[str, object]:
    """The query string as a plain dictionary. The value of a repeated name is a `Repeated`.

    Not `request.GET`, which raises if there are more parameters than the host's DATA_UPLOAD_MAX_NUMBER_FIELDS.
    """
    raw = request.META.get("QUERY_STRING", "").encode("latin-1", "replace").decode("utf-8", "replace")
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else Repeated(values) for name, values in given.items()}


def body_errors(request: Request) -> list[FieldError]:
    """An error for a GET with a body. Without it, filters or dates sent in the body would be ignored silently."""
    if request.META.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in request.META:
        return []
    return [FieldError("body", "unknown", "body is not read by this method; put the parameters into the query string.")]
