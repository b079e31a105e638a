"""Texts in cells that a spreadsheet opens without harm, and the same texts read back."""

from __future__ import annotations

import re

# A cell that begins with one of these is computed: the signs of a formula, their wide, small, raised and lowered forms,
# which some programs read as the plain ones, and line ends and tabs, after which a program may look again.
_FORMULA = "=+\\-@|\t\r\n＝＋－＠｜﹦﹢﹣﹫−⁼⁺⁻₌₊₋"
# What programs pass over before they look: white space, letters without width, and apostrophes that were there before.
_PASSED_OVER = r"(?:[^\S\t\r\n]|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff'])*"
# A program may split a line at another sign than it was written with, so that cells begin after any of these.
_START = r"(?:\A|(?<=[,;\t\r\n]))"
_COMPUTED = re.compile(rf"{_START}(?={_PASSED_OVER}[{_FORMULA}])")
_DEFUSED = re.compile(rf"{_START}'(?={_PASSED_OVER}[{_FORMULA}])")


def defused(text: str) -> str:
    """The text so that no spreadsheet computes it: with an apostrophe before what would be a formula."""
    return _COMPUTED.sub("'", text)


def restored(text: str) -> str:
    """The text that `defused` made this of."""
    return _DEFUSED.sub("", text)
