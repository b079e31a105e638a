"""Rows of CSV files. The first row decides whether commas, semicolons or tabs separate the cells."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial

from stats_app.errors import FieldError
from stats_app.imports.columns import ColumnMap, HeaderColumns, Values, check_clicks
from stats_app.imports.rows import ClickReader, Row, Rows, row_of
from stats_app.imports.sources import Source, WrongFile
from stats_app.spreadsheets import restored

DELIMITERS = (",", ";", "\t")
# The most lines of one row. Without a limit, a quote that is not closed would make the rest of the file one row.
MAX_LINES = 100

# What Windows PowerShell and Excel may write before the first row.
_PREAMBLE = re.compile(r'#TYPE .*|"?sep=.?"?', re.IGNORECASE)


class CsvTable:
    """A CSV file whose first row names the columns. `skipped` counts the rows left out so far: `--only`
    excludes them, or the caller has counted them."""

    def __init__(self, source: Source, mapping: ColumnMap) -> None:
        """Reads the first row. Raises WrongFile for missing, unknown or repeated columns."""
        self.skipped = 0
        self.encoding = source.encoding()
        lines = source.text_lines()
        self.header, first = next(lines, ""), 2
        if _PREAMBLE.fullmatch(self.header.strip("\r\n")):
            self.header, first = next(lines, ""), 3
        if "\0" in self.header:
            raise WrongFile(
                "The first row has NUL characters: is it UTF-16 without a byte-order mark, or not text at all?"
            )
        delimiter, names = _split(self.header)
        while names and not names[-1].strip():  # spreadsheets add empty cells after the last column
            names.pop()
        if not names:
            raise WrongFile("The file has no first row with the names of the columns.")
        self.columns = HeaderColumns(names, mapping)
        self._table = _Table(lines, delimiter, len(names), first)

    def __iter__(self) -> Iterator[tuple[int, str, Values | FieldError, list[str]]]:
        """For each row: the number of its first line, its text, its values or an error, and its cells."""
        for number, raw, cells in self._table:
            if isinstance(cells, FieldError):
                yield number, raw, cells, []
                continue
            if "'" in raw:
                cells = [restored(cell) for cell in cells]
            values = self.columns(cells)
            if values is None:
                self.skipped += 1
            else:
                yield number, raw, values, cells


class CsvRows(Rows):
    """The clicks of a CSV file."""

    def __init__(self, source: Source, mapping: ColumnMap, read_click: ClickReader) -> None:
        """Reads the first row. Raises WrongFile for missing, unknown or repeated columns."""
        self._table = CsvTable(source, mapping)
        columns = self._table.columns
        check_clicks(columns.origins)
        self.encoding, self.header = self._table.encoding, self._table.header
        self.names, self.unread = columns.names, columns.unread
        self._click = read_click

    def __iter__(self) -> Iterator[Row]:
        columns, read_click = self._table.columns, self._click
        for number, raw, values, cells in self._table:
            self.skipped = self._table.skipped
            if isinstance(values, FieldError):
                yield Row(number, raw, values)
                continue
            click = read_click(values)
            if click is None:
                self._table.skipped += 1
                continue
            yield row_of(number, raw, values, click, partial(columns.content, cells))
        self.skipped = self._table.skipped


class _Table:
    """For each row: the number of its first line, its text, and its cells or an error.

    If a row that spans several lines is wrong, mostly a quote was not closed, and the row has swallowed correct lines.
    So only its first line is rejected, and the next row begins with the second line.
    """

    def __init__(self, lines: Iterator[str], delimiter: str, width: int, first: int) -> None:
        self._lines, self._delimiter, self._width = lines, delimiter, width
        self._number = first
        self._lines_again: deque[str] = deque()
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[tuple[int, str, list[str] | FieldError]]:
        taken = self._taken
        while True:
            problem = ""
            try:
                for cells in csv.reader(self._feed(), delimiter=self._delimiter, strict=True):
                    raw = "".join(taken)
                    problem = self._problem(cells, raw)
                    if problem and len(taken) > 1:
                        break
                    if any(cells):
                        yield self._number, raw, _wrong(problem) if problem else cells[: self._width]
                    self._number += len(taken)
                    taken.clear()
                else:
                    return
            except csv.Error as error:
                problem = f"is not CSV: {error}"
            hint = " Is a quote opened here and not closed?" if len(taken) > 1 else ""
            first, *rest = taken
            self._lines_again.extendleft(reversed(rest))
            taken.clear()
            yield self._number, first, _wrong(problem, hint)
            self._number += 1

    def _feed(self) -> Iterator[str]:
        while True:
            line = self._lines_again.popleft() if self._lines_again else next(self._lines, None)
            if line is None:
                return
            if len(self._taken) == MAX_LINES:
                self._lines_again.appendleft(line)
                raise csv.Error(f"more than {MAX_LINES} lines")
            self._taken.append(line)
            yield line

    def _problem(self, cells: Sequence[str], raw: str) -> str:
        """What is wrong with a row, or an empty text. Extra empty cells are allowed, because spreadsheets add them."""
        if "\0" in raw:
            return "has a NUL character"
        if len(cells) != self._width and (len(cells) < self._width or any(cells[self._width :])) and any(cells):
            return f"has {len(cells)} cells where the first row has {self._width}"
        return ""


def _wrong(problem: str, hint: str = "") -> FieldError:
    return FieldError("line", "invalid", f"line {problem}.{hint}")


def _split(header: str) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns. The delimiter that splits the row into the most names is chosen."""
    splits = []
    for delimiter in DELIMITERS:
        try:
            splits.append((delimiter, next(csv.reader([header], delimiter=delimiter, strict=True), [])))
        except csv.Error as error:
            problem = error
    if not splits:
        raise WrongFile(f"The first row is not CSV: {problem}.")
    return max(splits, key=lambda split: len(split[1]))
