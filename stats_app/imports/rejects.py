"""A file of the rejected rows, unchanged, for the user to correct and import."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from stats_app.imports.sources import on_error


class Line(Protocol):
    """A row of any kind, with its number and its text."""

    @property
    def raw(self) -> str | bytes: ...


class Lines(Protocol):
    """Rows of any kind, with the encoding and the first line of their file."""

    @property
    def encoding(self) -> str | None: ...
    @property
    def header(self) -> str: ...


class Rejects:
    """Writes rows to a new file, in the encoding of their original file and after its row of column names, if it has
    one. If no row is rejected, the file is empty. Raises OSError with the name of the file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: BinaryIO = open(path, "wb")  # noqa: SIM115  # closed by `__exit__`
        self._encode: Callable[[Any], bytes] | None = None

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._named_in_errors():
            self._file.close()

    def add(self, rows: Lines, row: Line) -> None:
        with self._named_in_errors():
            if self._encode is None:
                self._encode = _encoder(rows.encoding)
                self._file.write(self._encode(rows.header) if rows.encoding else b"")
            self._file.write(self._encode(row.raw))
            if row.raw[-1:] not in ("\n", "\r", b"\n"):  # the last line of a file without a line break at its end
                self._file.write(self._encode("\n" if isinstance(row.raw, str) else b"\n"))

    @contextmanager
    def _named_in_errors(self) -> Iterator[None]:
        """Python names a file only in errors of opening it."""
        try:
            yield
        except OSError as error:
            error.filename = self._path
            raise


def _encoder(encoding: str | None) -> Callable[[Any], bytes]:
    if encoding is None:
        return bytes
    # An incremental encoder writes the byte-order mark only once, at the beginning.
    return codecs.getincrementalencoder(encoding)(on_error(encoding)).encode
