"""What comes in the body of a request: read up to a bound, and parsed as JSON that gives no key twice.

Django's `request.body` is not used: the host's DATA_UPLOAD_MAX_MEMORY_SIZE cuts it with a page of HTML. `json` alone
would keep the last of two values of a key without a word, so that the first were lost.
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
"""How many of `{ [ , :` may stand in a body outside of its texts: 10,000 clicks with all fields have 170,000.

Each mark may become a Python object of some hundred bytes, so that 5 MiB of `{},{},{},` would take 130 MiB.
"""

# A text, which may hold any mark, or a mark. A text without an end goes to the end of the body, so that it is looked at
# once only; the possessive quantifiers keep nothing to come back to.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([{\[,:])', re.DOTALL)


class Repeated(list[object]):
    """The values of a name that was given more than once: a key of a JSON object, or a parameter of a query string."""

    def error(self, name: str) -> FieldError:
        name = printable(name)
        return FieldError(name, "repeated", f"{name} is given {len(self)} times; give it once.")


def read(request: HttpRequest, limit: int) -> bytes:
    """The body of a request, uncompressed JSON of at most `limit` bytes; empty when there is none.

    Raises UnsupportedMediaType for anything else, PayloadTooLarge for more, and InvalidParameters for a body that the
    server does not pass on.
    """
    encoding = request.headers.get("Content-Encoding", "")
    if encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(f"Content-Encoding is identity, not {shown(encoding)}: send the body uncompressed.")
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
    """Where the body is read from. Django reads nothing without a Content-Length, as WSGI has it.

    A server that takes bodies in chunks says so by `wsgi.input_terminated`, and ends its stream itself; from any other
    the chunks could not be told from the next request. ASGI servers hand bodies over whole.
    """
    environ = request.META
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower() or "wsgi.input" not in environ:
        return request
    if not environ.get("wsgi.input_terminated"):
        raise wrong_body("body was sent in chunks, which this server does not take; send it with a Content-Length.")
    stream: IO[bytes] = environ["wsgi.input"]
    return stream


def _check_content_type(content_type: str) -> None:
    media_type, _, rest = content_type.partition(";")
    parameters = dict(part.strip().lower().partition("=")[::2] for part in rest.split(";"))
    charset = parameters.get("charset", "").strip("\"' ")
    if media_type.strip().lower() != "application/json" or not _is_utf_8(charset):
        what = shown(content_type) if content_type else "missing"
        raise UnsupportedMediaType(f"Content-Type is application/json in UTF-8, not {what}.")


def _is_utf_8(charset: str) -> bool:
    """Whether text in this charset is UTF-8, by whichever of its names; without any, JSON is."""
    try:
        return not charset or codecs.lookup(charset).name in ("utf-8", "utf-8-sig", "ascii")
    except LookupError:
        return False


def parse(body: bytes) -> Any:
    """The JSON of a body. A value that is not one but several, because its key is repeated, is a `Repeated`.

    Raises InvalidParameters for what is not JSON in UTF-8, and PayloadTooLarge before the memory is spent.
    """
    if _has_too_many_marks(body):
        raise PayloadTooLarge(f"The body has more than {MAX_MARKS} objects, lists and fields; send it in parts.")
    try:
        # Many programs on Windows put a byte-order mark before any text.
        text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong_body(f"body is not UTF-8: byte {error.start}.") from error
    return _decoded(text)


def repeated_keys(value: object) -> list[FieldError]:
    """An error for each key that is repeated somewhere in the JSON value, itself included if it is an object."""
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
    """The error of a body as a whole; the message begins with "body"."""
    return InvalidParameters([FieldError("body", code, message)])


def _has_too_many_marks(body: bytes) -> bool:
    # Counting those in texts, too, is fast, and nearly always says enough.
    if len(body) <= MAX_MARKS or sum(map(body.count, (b"{", b"[", b",", b":"))) <= MAX_MARKS:
        return False
    marks = (True for token in _TOKENS.finditer(body) if token.lastindex)
    return next(islice(marks, MAX_MARKS, None), False)


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values, in the order of the keys."""
    found = dict(pairs)
    if len(found) < len(pairs):
        values: dict[str, list[object]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        found |= {name: Repeated(given) for name, given in values.items() if len(given) > 1}
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise wrong_body(f"body is not JSON: {name} is no JSON number.")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_marked)


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise wrong_body(f"body is not JSON: {error.msg}, line {error.lineno} column {error.colno}.") from error
    except RecursionError as error:
        raise wrong_body("body is nested too deeply.") from error
    except ValueError as error:  # a number of thousands of digits
        raise wrong_body("body has a number that is too long.") from error
