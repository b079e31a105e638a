"""A file of the rows that were wrong, as they came, to be corrected and imported."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from stats_app.imports.sources import on_error


class Line(Protocol):
    """A row of any kind."""

    @property
    def raw(self) -> str | bytes: ...


class Lines(Protocol):
    """Rows of any kind."""

    @property
    def encoding(self) -> str | None: ...
    @property
    def header(self) -> str: ...


class Rejects:
    """Writes rows to a file that is made anew: in the encoding of the file that they come from, and behind its first
    row where that names the columns. Without rows it is empty. Raises OSError."""

    def __init__(self, path: str) -> None:
        self._file: BinaryIO = open(path, "wb")  # noqa: SIM115  # closed by `__exit__`
        self._encode: Callable[[Any], bytes] | None = None

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, rows: Lines, row: Line) -> None:
        if self._encode is None:
            self._encode = _encoder(rows.encoding)
            self._file.write(self._encode(rows.header) if rows.encoding else b"")
        self._file.write(self._encode(row.raw))
        if row.raw[-1:] not in ("\n", "\r", b"\n"):  # the last line of a file that does not end with it
            self._file.write(self._encode("\n" if isinstance(row.raw, str) else b"\n"))


def _encoder(encoding: str | None) -> Callable[[Any], bytes]:
    if encoding is None:
        return bytes
    # It writes the mark of its encoding once, at the beginning.
    return codecs.getincrementalencoder(encoding)(on_error(encoding)).encode
