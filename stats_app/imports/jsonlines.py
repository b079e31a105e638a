"""Rows of files with one JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NoReturn

from stats_app.errors import FieldError, printable, shown
from stats_app.imports.columns import NAMES, ColumnMap, KeyColumns
from stats_app.imports.rows import ClickReader, Row, Rows, row_of
from stats_app.imports.sources import Source


class JsonRows(Rows):
    """The rows of a file of JSON lines. Empty lines are skipped."""

    def __init__(self, source: Source, mapping: ColumnMap, read_click: ClickReader) -> None:
        self.encoding = source.encoding()
        self._lines = source.text_lines()
        self._columns = KeyColumns(mapping)
        self.names = self._columns.names
        self._click = read_click

    def __iter__(self) -> Iterator[Row]:
        columns = self._columns
        for number, line, row in objects(self._lines, "click"):
            if isinstance(row, dict):
                unknown = columns.unknown(row)
                if unknown is not None:
                    name = printable(unknown)
                    message = f"{name} is not a field of a click; the fields are {', '.join(NAMES)}."
                    yield Row(number, line, FieldError(name, "unknown", message))
                    continue
                values = columns(row)
                click = None if values is None else self._click(values)
                if values is None or click is None:
                    self.skipped += 1
                    continue
                yield row_of(number, line, values, click, partial(columns.content, row))
            else:
                yield Row(number, line, row)


def objects(lines: Iterable[str], noun: str) -> Iterator[tuple[int, str, dict[str, Any] | FieldError]]:
    """The number, the text, and the object or error of each line that is not empty."""
    for number, line in enumerate(lines, 1):
        if not line.isspace():
            yield number, line, _object_of(line, noun)


def _object_of(line: str, noun: str) -> dict[str, Any] | FieldError:
    try:
        value = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        return _wrong(f"is not JSON: {error.msg}, character {error.pos + 1}")
    except _Repeated as error:
        return FieldError(str(error), "repeated", f"{error} is given more than once.")
    except RecursionError:
        return _wrong("is nested too deeply")
    except _NoNumber as error:
        return _wrong(f"is not JSON: {error} is not a JSON number")
    except ValueError:  # a number with thousands of digits
        return _wrong("has a number that is too long")
    return value if isinstance(value, dict) else _wrong(f"must be one {noun} as an object, not {shown(value)}")


class _Repeated(ValueError):
    pass


class _NoNumber(ValueError):
    """NaN or Infinity."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    once = dict(pairs)
    if len(once) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(printable(next(name for name in names if names.count(name) > 1)))
    return once


def _refuse_constant(name: str) -> NoReturn:
    raise _NoNumber(name)


def _wrong(problem: str) -> FieldError:
    return FieldError("line", "invalid", f"line {problem}.")


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
