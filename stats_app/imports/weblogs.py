"""Clicks from the logs of web servers: requests for tracked links that were answered by a redirect.

The address of the visitor is not read. The browser's name is only used for the verdict, and not stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes
from zlib import crc32

from stats_app.errors import FieldError, printable, shown
from stats_app.imports.columns import value_at
from stats_app.imports.rows import Row, Rows
from stats_app.imports.sources import Source, WrongFile
from stats_app.imports.times import TimeReader, time_of
from stats_app.ingest import ClickInput
from stats_app.verdicts import Judgement, judge_agent

REDIRECTS = frozenset({301, 302, 303, 307, 308})
DEFAULT_PREFIX = "/c/"

_QUOTED = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
# What comes before the time is not parsed: it may be a host, fields of syslog, or a user's name with spaces.
_COMBINED = re.compile(
    rb"\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}):([0-5][0-9]):([0-5][0-9]|60) ([+-][0-9]{4})\] "
    + _QUOTED
    + rb" ([0-9]{3}) \S+(?: "
    + _QUOTED
    + b" "
    + _QUOTED
    + b")?"
)
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))")


class Request(NamedTuple):
    """The request in a line. `agent` is None if the browser sent no name."""

    requested_at: datetime
    method: str
    target: bytes
    status: int
    agent: bytes | None


ReadLine = Callable[[bytes], Request | FieldError | None]
"""Parses a line. Returns None for a line that is not a request."""


class LogRows(Rows):
    """The clicks in a log. Lines that are not requests for tracked links, or were not redirected, are skipped."""

    skips_unknown_links = True
    names: Mapping[str, str] = {"clicked_at": "time"}

    def __init__(self, source: Source, read_line: ReadLine, prefix: str, statuses: Collection[int]) -> None:
        if source.encoding() == "utf-16":
            raise WrongFile("The log is UTF-16, as Windows PowerShell writes it with `>`: convert it to UTF-8.")
        self._lines = source.byte_lines()
        self._read_line = read_line
        self._prefix = prefix.encode()
        self._statuses = frozenset(statuses)

    def __iter__(self) -> Iterator[Row]:
        prefix, read_line = self._prefix, self._read_line
        for number, line in enumerate(self._lines, 1):
            if prefix not in line:
                self.skipped += 1
                continue
            request = read_line(line)
            if isinstance(request, FieldError):
                yield Row(number, line, request)
                continue
            token = None if request is None or request.status not in self._statuses else self._token(request.target)
            if request is None or not token:
                self.skipped += 1
                continue
            judged = _judged(request.agent, request.method)
            click = ClickInput(None, None, None, None, None, token, request.requested_at, judged.verdict, judged.reason)
            yield Row(number, line, click, _content(line, request, token))

    def _token(self, target: bytes) -> str:
        """The token of the requested link; empty if no link was requested."""
        if not target.startswith(b"/"):  # a full URL, as in requests to proxies
            _, _, rest = target.partition(b"://")
            target = rest[rest.find(b"/") :]
        if not target.startswith(self._prefix):
            return ""
        token = target[len(self._prefix) :].partition(b"?")[0].partition(b"#")[0]
        token = unquote_to_bytes(token) if b"%" in token else token
        # Links are also followed with a slash at the end: see `redirects.urls`.
        return token.removesuffix(b"/").decode("utf-8", "replace")


def _content(line: bytes, request: Request, token: str) -> bytes:
    """What distinguishes a line from others with the same time: the request, and 8 bits of a hash of the whole line.

    The 8 bits mostly distinguish two people who follow the same link in the same second, even in the logs of two
    servers. There are only 8, because the id made from them is stored: with more bits, somebody could test whether a
    click came from a certain address or browser.
    """
    rest = crc32(line.rstrip(b"\r\n")) & 0xFF
    return f"{request.method}\x1f{token}\x1f{request.status}\x1f{rest}".encode("utf-8", "surrogatepass")


@lru_cache(maxsize=20_000)
def _judged(agent: bytes | None, method: str) -> Judgement:
    return judge_agent(None if agent is None else agent.decode("utf-8", "replace"), method)


def combined(line: bytes) -> Request | FieldError | None:
    """Parses a line in the combined format of nginx and Apache. Other text may come before and after it."""
    match = _COMBINED.search(line)
    if match is None:
        return _wrong(line, "is not in the combined format")
    hour, minute, second, offset, asked, status, _, agent = match.groups()
    if agent is None:
        return _wrong(line, "has no User-Agent: it is in the common format, not in the combined one")
    try:
        requested_at = _hour(hour, offset) + timedelta(minutes=int(minute), seconds=int(second))
    except (ValueError, KeyError, OverflowError):
        return _wrong(line, "has a time that does not exist")
    method, _, rest = asked.partition(b" ")
    target, _, protocol = rest.rpartition(b" ")
    return Request(
        requested_at,
        method.decode("latin-1"),
        target if protocol.startswith(b"HTTP/") else rest,
        int(status),
        None if agent in (b"", b"-") else _unescaped(agent),
    )


@lru_cache(maxsize=1_000)
def _hour(text: bytes, offset: bytes) -> datetime:
    """Parses a date and an hour, such as `28/Nov/2026:09` and `+0100`. Raises ValueError and KeyError."""
    day, month, year, hour = int(text[:2]), _MONTHS[text[3:6]], int(text[7:11]), int(text[12:])
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return datetime(year, month, day, hour, tzinfo=timezone(-ahead if offset.startswith(b"-") else ahead)).astimezone(
        UTC
    )


def _unescaped(text: bytes) -> bytes:
    """The text without the escapes of nginx (`\\x22`) and Apache (`\\"`)."""
    if b"\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]) if match[1] else match[2], text)


class JsonFields(NamedTuple):
    """The keys in a JSON log. A line without `headers` is an error, because then the browser may have sent an `agent`
    that was not logged."""

    time: str
    method: str
    target: str
    status: str
    agent: str
    headers: str
    remedy: str


CADDY = JsonFields(
    "ts",
    "request.method",
    "request.uri",
    "status",
    "request.headers.User-Agent",
    "request.headers",
    "keep request>headers in the log",
)
TRAEFIK = JsonFields(
    "StartUTC",
    "RequestMethod",
    "RequestPath",
    "DownstreamStatus",
    "request_User-Agent",
    "request_User-Agent",
    "keep it with accesslog.fields.headers.names.User-Agent=keep",
)


class JsonLines:
    """Parses the lines of a JSON log."""

    def __init__(self, fields: JsonFields, times: TimeReader) -> None:
        self._fields, self._times = fields, times

    def __call__(self, line: bytes) -> Request | FieldError | None:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return _wrong(line, "is not JSON")
        if not isinstance(entry, dict):
            return _wrong(line, "is not a JSON object")
        fields = self._fields
        target, status = value_at(entry, fields.target), value_at(entry, fields.status)
        if not isinstance(target, str) or type(status) is not int:
            return None
        if value_at(entry, fields.headers) is None:
            return FieldError(
                "line", "required", f"line has no {fields.headers}, so the browser is unknown: {fields.remedy}."
            )
        try:
            requested_at = self._time(value_at(entry, fields.time))
        except ValueError as error:
            return FieldError("line", "invalid", f"line: {fields.time} {error}")
        method, agent = value_at(entry, fields.method), value_at(entry, fields.agent)
        if isinstance(agent, list):  # a header may be repeated
            agent = agent[0] if agent else None
        return Request(
            requested_at,
            str(method),
            target.encode("utf-8", "surrogatepass"),
            status,
            agent.encode("utf-8", "surrogatepass") if isinstance(agent, str) else None,
        )

    def _time(self, value: Any) -> datetime:
        if isinstance(value, int | float) and not self._times.has_format:
            try:
                return time_of(value)
            except (OverflowError, ValueError):
                raise ValueError(f"{shown(value)} is not a number of seconds since 1970.") from None
        return self._times(value)


def _wrong(line: bytes, problem: str) -> FieldError:
    text = line.decode("utf-8", "backslashreplace").strip()
    return FieldError("line", "invalid", f"line {problem}: {printable(text, 200)}")
