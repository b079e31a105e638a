"""Writing CSV in which spreadsheets do not run texts as formulas, and reading such texts again."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from django.utils.formats import get_format

from stats_app.words import FILLERS

BYTE_ORDER_MARK = "\ufeff"
"""The first character of a file, by which spreadsheets recognize UTF-8."""

Row = Sequence[Any]

_ROWS_OF_A_PART = 1000

# A cell that begins with one of these is a formula, or runs a program. NFKC does not turn the minus sign into "-".
_SIGNS = frozenset("=+-@|\t\r\n\N{MINUS SIGN}")
# A cell may begin after any of these, because a program may split a file at another separator than was used, and at any
# line break in Unicode.
_ENDS = ",;\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_START = re.compile(f"^|(?<=[{_ENDS}])")
# Characters that programs may skip at the beginning of a cell, by the first letter of their Unicode category: control,
# format and unassigned characters (C), combining marks (M) and spaces (Z).
_UNSEEN = "CMZ"
# Other characters to skip: invisible letters, quotes that CSV readers remove, and apostrophes in the original text.
_UNSEEN_TOO = FILLERS | {'"', "'"}
# A fast first test: only texts with a sign where a cell may begin, or with any character outside ASCII, can be unsafe.
_SUSPICIOUS = re.compile(r"(?:^|[,;\t\r\n\v\f\x1c-\x1e])[\x00-\x20\x7f\"']*[=+\-@|\t\r\n]|[^\x00-\x7f]")


def csv_parts(rows: Iterable[Row], separator: str = ",") -> Iterator[str]:
    """A CSV file in parts of a thousand rows, to be encoded as UTF-8.

    Texts are `defused`. Numbers have a decimal comma if the comma does not separate cells.
    """
    yield BYTE_ORDER_MARK
    rest = iter(rows)
    while part := list(islice(rest, _ROWS_OF_A_PART)):
        file = io.StringIO()
        csv.writer(file, delimiter=separator).writerows(_written(part, separator))
        yield file.getvalue()


def language_separator() -> str:
    """The separator of cells in the active language: a semicolon if the language has a decimal comma."""
    return ";" if get_format("DECIMAL_SEPARATOR") == "," else ","


def _written(rows: Sequence[Row], separator: str) -> Sequence[Row]:
    """The rows as they are written to the file."""
    # Each different text is checked once, because few texts fill thousands of rows, and hardly any is a formula.
    texts = [value for value in set[Any]().union(*rows) if isinstance(value, str)]
    formulas = {text: safe for text in texts if (safe := defused(text)) != text}
    if not formulas and separator == ",":
        return rows
    return [[_cell(value, formulas, separator) for value in row] for row in rows]


def _cell(value: Any, formulas: Mapping[str, str], separator: str) -> Any:
    if isinstance(value, str):
        return formulas.get(value, value)
    return str(value).replace(".", ",") if isinstance(value, float) and separator != "," else value


def defused(text: str) -> str:
    """The text with an apostrophe before everything that a spreadsheet could run as a formula, wherever it splits the
    text. `restored` removes the apostrophes."""
    if not _SUSPICIOUS.search(text):
        return text
    return _START.sub(lambda start: "'" if _is_computed(text, start.start()) else "", text)


def restored(text: str) -> str:
    """The original of a text that `defused` returned."""
    if "'" not in text:
        return text
    added = {match.start() for match in _START.finditer(text) if _is_added(text, match.start())}
    return "".join(character for place, character in enumerate(text) if place not in added)


def _is_added(text: str, start: int) -> bool:
    return text.startswith("'", start) and _is_computed(text, start + 1)


def _is_computed(text: str, start: int) -> bool:
    """Whether a cell that begins at `start` would be a formula, after the characters that a program may skip."""
    for place in range(start, len(text)):
        if _is_sign(text[place]):
            return True
        if not _is_passed_over(text[place]):
            return False
    return False


@lru_cache(maxsize=1024)
def _is_sign(character: str) -> bool:
    """Whether it is a sign of a formula, also in a wide, small, raised or lowered form, which some programs accept."""
    return unicodedata.normalize("NFKC", character)[:1] in _SIGNS


@lru_cache(maxsize=1024)
def _is_passed_over(character: str) -> bool:
    return character in _UNSEEN_TOO or unicodedata.category(character)[0] in _UNSEEN
