"""Cells that a spreadsheet does not compute, and that are read back as they were."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats_app.spreadsheets import defused, restored

FORMULAS = ("=", "+", "-", "@", "|", "\t", "\r", "\n")
# Of what matters here, and of everything else.
texts = st.text(st.sampled_from([*FORMULAS, "'", ",", ";", " ", "a", "\u3000", "\u200b", "\ufeff", "＝"])) | st.text()


@pytest.mark.parametrize(
    "cell",
    [
        "=1",
        "+1",
        "-1",
        "@a",
        "|a",
        "\r",
        "\n",
        " =1",
        "\u00a0=1",
        "\u3000=1",
        "\u200b=1",
        "\ufeff=1",
        "\u2028=1",
        "\x0b=1",
        "\x0c=1",
        "\x85=1",
        "\u00ad=1",
        "＝1",
        "＋1",
        "－1",
        "＠a",
        "﹦1",
        "−1",
        "'=1",
        " '-1",
        "''@",
    ],
)
def test_what_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("a;=1", "a;'=1"),
        ("a, -1", "a,' -1"),
        ("a\t@b", "a\t'@b"),
        ("a\n=1", "a\n'=1"),
        ("\t=1", "'\t'=1"),
        ("=1,+2;-3", "'=1,'+2;'-3"),
    ],
)
def test_a_formula_after_a_sign_that_may_split_gets_one_too(cell: str, safe: str) -> None:
    assert defused(cell) == safe


@pytest.mark.parametrize("cell", ["Ada", "a=1", "", "2026-03-01", "'Ada'", "a, b", "ada+vcard@example.com", "a - b"])
def test_other_texts_stay_as_they_are(cell: str) -> None:
    assert defused(cell) == cell
    assert restored(cell) == cell


@settings(max_examples=2_000, deadline=None, derandomize=True)
@given(texts)
def test_the_text_comes_back_and_no_part_of_it_is_computed(text: str) -> None:
    safe = defused(text)
    assert restored(safe) == text
    for cell in re.split("[,;\t\r\n]", safe):
        assert not re.sub("^[\\s\u200b\ufeff]+", "", cell).startswith(("=", "+", "-", "@", "|", "＝"))
