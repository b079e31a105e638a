"""Cells of CSV files, read by simulated programs that look for formulas."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from datetime import date

import pytest
from django.utils.translation import override
from hypothesis import example, given
from hypothesis import strategies as st

from stats_app.spreadsheets import BYTE_ORDER_MARK, csv_parts, defused, language_separator, restored

SIGNS = "=+-@|\t\r\n"
FORMS = "＝＋－＠｜﹦﹢﹣﹫⁼⁺₌₊−⁻₋"
UNSEEN = (
    " \u00a0\u1680\u2003\u202f\u3000\u00ad\u180e\u200b\u200d\u200e\u202e\u2060\u2066\ufeff\u2028\u2029"
    "\v\f\x1c\x85\x00\u034f\ufe0f\u3164\u2800\ue000\u0378"
)
SEPARATORS = ",;\t"


@pytest.mark.parametrize("sign", [*SIGNS, *FORMS])
def test_what_begins_like_a_formula_gets_an_apostrophe(sign: str) -> None:
    assert defused(f"{sign}1").startswith(f"'{sign}")


@pytest.mark.parametrize("unseen", [*UNSEEN, '"', "'", "\ufeff \u200b", "''"])
def test_what_is_passed_over_hides_nothing(unseen: str) -> None:
    assert defused(f"{unseen}=1").startswith(f"'{unseen}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a,-1\t+2", "a,'-1\t'+2"),
        ('x;"=1', "x;'\"=1"),
        ("two\nlines", "two\nlines"),
        ("two\n=lines", "two\n'=lines"),
        ("two\u2028=lines", "two\u2028'=lines"),
        ("'=1", "''=1"),
    ],
)
def test_a_part_that_may_become_a_cell_gets_one_too(text: str, expected: str) -> None:
    assert defused(text) == expected


@pytest.mark.parametrize(
    "text", ["Ada", "a=1", "", "2026-03-01", "Élodie – Zoë", 'O\'Neil, "Al"; co', "👩‍💻 dev", "שלום", "–5", "a\u3000=b"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert (defused(text), restored(text)) == (text, text)


alphabet = st.sampled_from([*SIGNS, *FORMS, *UNSEEN, *SEPARATORS, *"\"'aé1 \n"]) | st.characters(
    exclude_categories=["Cs"]
)
texts = st.text(alphabet, max_size=12)


@given(texts)
@example("'=")
@example("\v\v=")
def test_the_text_comes_back(text: str) -> None:
    assert restored(defused(text)) == text
    assert restored(defused(defused(text))) == defused(text)


def is_computed(cell: str) -> bool:
    """Whether the strictest reader would find a formula: it skips everything that any program may skip."""
    while cell and (cell[0] in '"\u115f\u1160\u2800\u3164\uffa0' or unicodedata.category(cell[0])[0] in "ZCM"):
        # A reader who mistakes quotes begins cells with line ends.
        if cell[0] in SIGNS and cell[0] not in "\r\n":
            return True
        cell = cell[1:]
    return bool(cell) and unicodedata.normalize("NFKC", cell)[0] in f"{SIGNS}−"


def cells_of(content: str) -> Iterator[str]:
    """All that some reader may take for a cell: one that knows quotes or not, and splits at any of the separators."""
    for separator in SEPARATORS:
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            yield from row
        for line in content.splitlines():
            yield from line.split(separator)


values = texts | st.integers(-1000, 1000) | st.floats(-1000, 1000, allow_nan=False) | st.just("") | st.dates()


@given(st.lists(st.lists(values, min_size=1, max_size=4), max_size=4), st.sampled_from(",;"))
@example([['a,;"=1+1']], ",")
@example([["a;", "=1"], ['"=1', -4.5]], ";")
def test_no_reader_finds_a_formula(rows: list[list[object]], separator: str) -> None:
    content = "".join(csv_parts([("table", *row) for row in rows], separator)).removeprefix(BYTE_ORDER_MARK)
    numbers = {text for row in rows for value in row if isinstance(value, int | float) for text in written(value)}
    assert [cell for cell in cells_of(content) if is_computed(cell) and cell not in numbers] == []


def written(number: float) -> tuple[str, ...]:
    """How a number may stand in a cell, also when a decimal comma is taken for a separator."""
    text = str(number).replace(".", ",")
    return (str(number), text, text.partition(",")[0], text.partition(",")[2])


@given(st.lists(st.lists(texts, min_size=1, max_size=4), max_size=4), st.sampled_from(",;"))
def test_the_right_reader_gets_every_text_back(rows: list[list[str]], separator: str) -> None:
    content = "".join(csv_parts(rows, separator)).removeprefix(BYTE_ORDER_MARK)
    read = list(csv.reader(io.StringIO(content, newline=""), delimiter=separator))
    # The `csv` module of Python 3.11 and 3.12 cannot tell a row of one empty cell from one without any.
    assert [[restored(cell) for cell in row] for row in read] == rows


def test_numbers_and_days_stay_as_they_are_beside_a_formula() -> None:
    rows = [(-4, 0, 1.5, None, date(2026, 3, 1), "Ada"), ("=1", "-4", -4)]
    assert "".join(csv_parts(rows)) == "\ufeff-4,0,1.5,,2026-03-01,Ada\r\n'=1,'-4,-4\r\n"
    assert "".join(csv_parts(rows, ";")) == "\ufeff-4;0;1,5;;2026-03-01;Ada\r\n'=1;'-4;-4\r\n"


def test_a_long_file_comes_in_parts() -> None:
    parts = list(csv_parts((number,) for number in range(2500)))
    assert [part.count("\n") for part in parts] == [0, 1000, 1000, 500]


@pytest.mark.parametrize(
    ("language", "separator"), [("en", ","), ("fr", ";"), ("fr-ca", ";"), ("de", ";"), ("ja", ",")]
)
def test_a_language_that_has_a_decimal_comma_separates_by_semicolons(language: str, separator: str) -> None:
    with override(language):
        assert language_separator() == separator
