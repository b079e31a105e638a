"""Files that are read once from beginning to end: from disk or a pipe, with or without gzip, in UTF-8 or UTF-16."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, AnyStr, BinaryIO, cast

MAX_LINE = 16 * 1024 * 1024
"""A file with a longer line is refused: it is probably not a file of rows, and could fill the memory."""

_BUFFER = 256 * 1024
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


_UNREADABLE = (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error)


class WrongFile(Exception):
    """The file as a whole, or an option for reading it, is wrong. `str()` is the message."""


class Source:
    """An open file, decompressed if it is a gzip file. `size` is its size in bytes, or None for a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = io.BufferedReader(cast(io.RawIOBase, file), _BUFFER)
        self.size = _size(file)
        self._content: io.BufferedReader[Any] = self._file
        if self._file.peek(2)[:2] == _GZIP:
            unpacked = gzip.GzipFile(fileobj=self._file)
            self._content = io.BufferedReader(cast(io.RawIOBase, unpacked), _BUFFER)

    @property
    def share(self) -> float | None:
        """How much of the file has been read, from 0 to 1; None if its size is unknown."""
        return self._file.tell() / self.size if self.size else None

    def encoding(self) -> str:
        """The encoding by the byte-order mark, by default UTF-8. Must be called before anything is read."""
        try:
            start = self._content.peek(4)[:4]
        except _UNREADABLE as error:
            raise _unreadable(error, 0) from error
        if start == _ZIP:
            raise WrongFile("The file is a workbook of Excel or another ZIP file: save it as CSV UTF-8, or unpack it.")
        if start.startswith(_UTF_16_MARKS):
            return "utf-16"
        return "utf-8-sig" if start.startswith(_UTF_8_MARK) else "utf-8"

    def text_lines(self) -> Iterator[str]:
        """The lines with their line breaks. Bytes that are not UTF-8 become lone surrogates, which no field allows."""
        encoding = self.encoding()
        # Kept in an attribute, because a TextIOWrapper closes its file when it is garbage-collected.
        self._text = io.TextIOWrapper(self._content, encoding, on_error(encoding), newline="")
        return _lines(iter(partial(self._text.readline, MAX_LINE), ""), ("\n", "\r"))

    def byte_lines(self) -> Iterator[bytes]:
        """The lines with their line breaks, not decoded."""
        return _lines(iter(partial(self._content.readline, MAX_LINE), b""), (b"\n",))


def on_error(encoding: str) -> str:
    """The error handler for invalid bytes. When they are written with the same handler, they become the same bytes
    again."""
    return "surrogatepass" if encoding == "utf-16" else "surrogateescape"


def _size(file: BinaryIO) -> int | None:
    """The size of a file on disk; None for a pipe or a file in memory."""
    try:
        return os.fstat(file.fileno()).st_size or None
    except (OSError, AttributeError):
        return None


def _lines(lines: Iterator[AnyStr], ends: tuple[AnyStr, ...]) -> Iterator[AnyStr]:
    number = 0
    try:
        for line in lines:
            number += 1
            if len(line) >= MAX_LINE and not line.endswith(ends):
                raise WrongFile(f"Line {number} has more than {MAX_LINE:,} characters: this is not a file of rows.")
            yield line
    except _UNREADABLE as error:
        raise _unreadable(error, number) from error


def _unreadable(error: Exception, line: int) -> WrongFile:
    if isinstance(error, UnicodeDecodeError):
        return WrongFile(f"The text after line {line} is not {error.encoding.upper()}: {error.reason}.")
    return WrongFile(f"The file cannot be unpacked after line {line}: {error}.")
