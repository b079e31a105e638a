"""Rows as CSV that a spreadsheet opens without computing what somebody typed; and such texts read back."""

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

BYTE_ORDER_MARK = "\ufeff"
"""What a file begins with, by which spreadsheets know UTF-8."""

Row = Sequence[Any]

_ROWS_OF_A_PART = 1000

# A cell that begins with one of these is computed, or runs a program. The true minus is no form of the other one.
_SIGNS = frozenset("=+-@|\t\r\n\N{MINUS SIGN}")
# A program may split a file at another sign than it was written with, and at every line break that Unicode knows: a
# cell may begin after any of these.
_ENDS = ",;\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_START = re.compile(f"^|(?<=[{_ENDS}])")
# What programs may pass over before they look, by the first letter of its category: controls and what has no width or
# no meaning, marks on nothing, spaces.
_UNSEEN = "CMZ"
# Letters that nobody sees, quotes that a reader takes away, and apostrophes that were there before.
_UNSEEN_TOO = frozenset("\u115f\u1160\u2800\u3164\uffa0\"'")
# What is looked at closely: a sign where a cell may begin, and everything outside of ASCII.
_SUSPICIOUS = re.compile(r"(?:^|[,;\t\r\n\v\f\x1c-\x1e])[\x00-\x20\x7f\"']*[=+\-@|\t\r\n]|[^\x00-\x7f]")


def csv_parts(rows: Iterable[Row], separator: str = ",") -> Iterator[str]:
    """A CSV file, a thousand rows at a time, to be encoded as UTF-8.

    Texts are `defused`. Numbers stay, with a decimal comma where that does not separate cells.
    """
    yield BYTE_ORDER_MARK
    rest = iter(rows)
    while part := list(islice(rest, _ROWS_OF_A_PART)):
        file = io.StringIO()
        csv.writer(file, delimiter=separator).writerows(_written(part, separator))
        yield file.getvalue()


def language_separator() -> str:
    """What separates cells for spreadsheets in the active language: a semicolon where the comma is for decimals."""
    return ";" if get_format("DECIMAL_SEPARATOR") == "," else ","


def _written(rows: Sequence[Row], separator: str) -> Sequence[Row]:
    """The rows as they stand in the file."""
    # The same few texts stand in thousands of rows, and hardly a file has one that is computed.
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
    """The text so that no spreadsheet computes it: with an apostrophe before what would be a formula, wherever the text
    is split. `restored` takes them away."""
    if not _SUSPICIOUS.search(text):
        return text
    return _START.sub(lambda start: "'" if _is_computed(text, start.start()) else "", text)


def restored(text: str) -> str:
    """The text that `defused` made this of."""
    if "'" not in text:
        return text
    added = {match.start() for match in _START.finditer(text) if _is_added(text, match.start())}
    return "".join(character for place, character in enumerate(text) if place not in added)


def _is_added(text: str, start: int) -> bool:
    return text.startswith("'", start) and _is_computed(text, start + 1)


def _is_computed(text: str, start: int) -> bool:
    """Whether a cell that begins there begins with a sign of a formula, after all that a program may pass over."""
    for place in range(start, len(text)):
        if _is_sign(text[place]):
            return True
        if not _is_passed_over(text[place]):
            return False
    return False


@lru_cache(maxsize=1024)
def _is_sign(character: str) -> bool:
    """Also in a wide, small, raised or lowered form, which some programs read as the plain one."""
    return unicodedata.normalize("NFKC", character)[:1] in _SIGNS


@lru_cache(maxsize=1024)
def _is_passed_over(character: str) -> bool:
    return character in _UNSEEN_TOO or unicodedata.category(character)[0] in _UNSEEN
