"""Reading the body of a request up to a limit, and parsing it as JSON without repeated keys.

Django's `request.body` is not used, because it answers bodies over the host's DATA_UPLOAD_MAX_MEMORY_SIZE with a page
of HTML. Python's `json` would silently keep the last of two values of a key.
"""

from __future__ import annotations

import codecs
import json
import re
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, NoReturn

from stats_app.errors import FieldError, InvalidParameters, PayloadTooLarge, UnsupportedMediaType, printable, shown

if TYPE_CHECKING:
    from django.http import HttpRequest

MAX_MARKS = 250_000
"""The most characters `{ [ , :` outside the strings of a body. 10,000 clicks with all fields have 170,000 of them.

Each of them may become a Python object of some hundred bytes, so 5 MiB of `{},{},{},` would take 130 MiB of memory.
"""

# A string, which may contain any of the marks, or a mark. A string without an end matches up to the end of the body.
# The possessive quantifiers prevent backtracking, so the body is read only once.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([{\[,:])', re.DOTALL)


class Repeated(list[object]):
    """The values of a name that was given more than once: a key of a JSON object, or a parameter of a query string."""

    def error(self, name: str) -> FieldError:
        name = printable(name)
        return FieldError(name, "repeated", f"{name} is given {len(self)} times; give it once.")


def read(request: HttpRequest, limit: int) -> bytes:
    """The body of a request, uncompressed JSON of at most `limit` bytes; empty if there is none.

    Raises UnsupportedMediaType for anything else, PayloadTooLarge for more bytes, and InvalidParameters if the server
    does not give us the whole body.
    """
    encoding = request.headers.get("Content-Encoding", "")
    if encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(
            f"Content-Encoding must be identity, not {shown(encoding)}: send the body uncompressed."
        )
    stream = _stream(request)
    body = bytearray()
    try:
        while len(body) <= limit and (part := stream.read(limit + 1 - len(body))):
            body += part
    except OSError as error:
        raise wrong_body("body could not be read to its end.") from error
    if len(body) > limit:
        raise PayloadTooLarge(f"The body has more than {limit} bytes; send it in parts.")
    if body:
        _check_content_type(request.headers.get("Content-Type", ""))
    return bytes(body)


def _stream(request: HttpRequest) -> IO[bytes] | HttpRequest:
    """The stream of the body. Without a Content-Length Django reads nothing, as WSGI demands.

    A WSGI server that supports chunked bodies sets `wsgi.input_terminated`, and its stream ends with the body. With any
    other server, reading could run into the next request. ASGI servers always pass the whole body.
    """
    environ = request.META
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower() or "wsgi.input" not in environ:
        return request
    if not environ.get("wsgi.input_terminated"):
        raise wrong_body("body was sent in chunks, which this server does not accept; send it with a Content-Length.")
    stream: IO[bytes] = environ["wsgi.input"]
    return stream


def _check_content_type(content_type: str) -> None:
    media_type, _, rest = content_type.partition(";")
    parameters = dict(part.strip().lower().partition("=")[::2] for part in rest.split(";"))
    charset = parameters.get("charset", "").strip("\"' ")
    if media_type.strip().lower() != "application/json" or not _is_utf_8(charset):
        what = shown(content_type) if content_type else "missing"
        raise UnsupportedMediaType(f"Content-Type must be application/json in UTF-8, not {what}.")


def _is_utf_8(charset: str) -> bool:
    """Whether the charset is UTF-8, by any of its names. JSON without a charset is UTF-8, too."""
    try:
        return not charset or codecs.lookup(charset).name in ("utf-8", "utf-8-sig", "ascii")
    except LookupError:
        return False


def parse(body: bytes) -> Any:
    """The JSON of a body. The value of a repeated key is a `Repeated`.

    Raises InvalidParameters for anything but JSON in UTF-8, and PayloadTooLarge before parsing needs too much memory.
    """
    if _has_too_many_marks(body):
        raise PayloadTooLarge(f"The body has more than {MAX_MARKS} objects, lists and fields; send it in parts.")
    try:
        # Many programs on Windows write a byte-order mark.
        text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong_body(f"body is not UTF-8: byte {error.start}.") from error
    return _decoded(text)


def repeated_keys(value: object) -> list[FieldError]:
    """An error for each repeated key, at any depth of the JSON value."""
    errors = []
    # No recursion: what could just be parsed may be nested too deeply for that.
    unseen = [value]
    while unseen:
        inner = unseen.pop()
        if isinstance(inner, dict):
            errors += [values.error(name) for name, values in inner.items() if isinstance(values, Repeated)]
            unseen.extend(reversed(inner.values()))
        elif isinstance(inner, list):
            unseen.extend(reversed(inner))
    return errors


def wrong_body(message: str, code: str = "invalid") -> InvalidParameters:
    """An error about the whole body. The message begins with "body"."""
    return InvalidParameters([FieldError("body", code, message)])


def _has_too_many_marks(body: bytes) -> bool:
    # First count all marks, also those in strings. This is fast, and mostly shows already that they are few.
    if len(body) <= MAX_MARKS or sum(map(body.count, (b"{", b"[", b",", b":"))) <= MAX_MARKS:
        return False
    marks = (True for token in _TOKENS.finditer(body) if token.lastindex)
    return next(islice(marks, MAX_MARKS, None), False)


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object made of these pairs, with a `Repeated` as the value of a repeated key."""
    last_values = dict(pairs)
    if len(last_values) < len(pairs):
        values: dict[str, list[object]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        last_values |= {name: Repeated(given) for name, given in values.items() if len(given) > 1}
    return last_values


def _refuse_constant(name: str) -> NoReturn:
    raise wrong_body(f"body is not JSON: {name} is not a JSON number.")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_marked)


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise wrong_body(f"body is not JSON: {error.msg}, line {error.lineno} column {error.colno}.") from error
    except RecursionError as error:
        raise wrong_body("body is nested too deeply.") from error
    except ValueError as error:  # a number with thousands of digits
        raise wrong_body("body has a number that is too long.") from error
