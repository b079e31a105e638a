"""The setting PERSON_FIGURES: whose clicks are shown by person."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from stats_app import person_figures
from stats_app.errors import PersonFiguresOff


@pytest.mark.parametrize(
    ("setting", "are_shown", "are_all_shown", "shown"),
    [
        ("full", True, True, [0, 1, 2, 3]),
        (1, True, False, [1, 2, 3]),
        (2, True, False, [2, 3]),
        ("totals", False, False, []),
    ],
)
def test_what_is_shown(setting: Any, are_shown: bool, are_all_shown: bool, shown: list[int], settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    assert person_figures.are_shown() is are_shown
    assert person_figures.are_all_shown() is are_all_shown
    assert [clicks for clicks in range(4) if person_figures.is_shown(clicks)] == shown


def test_all_is_shown_by_default(settings: Any) -> None:
    del settings.STATS_APP
    assert person_figures.are_all_shown()


@pytest.mark.parametrize(
    ("setting", "figures", "least"),
    [
        ("full", [0, 7], 0),
        ("totals", [0, 7], math.inf),
        (5, [], 5),
        (5, [5, 6], 5),
        (5, [4, 4, 6], 5),
        (5, [0, 0, 6], 5),
        (5, [4, 6, 9], 7),
        (5, [4, 6, 6, 9], 7),
        (5, [0, 6, 9], 7),
        (5, [4], math.inf),
    ],
)
def test_nobody_is_withheld_alone(setting: Any, figures: list[int], least: float, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    assert person_figures.least_shown(figures) == least


@given(st.lists(st.integers(0, 9)), st.integers(1, 9))
def test_never_all_but_one_are_shown(figures: list[int], setting: int) -> None:
    with override_settings(STATS_APP={"PERSON_FIGURES": setting}):
        least = person_figures.least_shown(figures)
        withheld = [clicks for clicks in figures if clicks < least]
        assert len(withheld) != 1 or len(figures) == 1
        assert all(clicks in withheld for clicks in figures if not person_figures.is_shown(clicks))


def test_the_error_says_which() -> None:
    assert str(PersonFiguresOff(math.inf)) == "This server shows nobody's clicks by person."
    assert str(PersonFiguresOff(5)) == (
        "This server withholds the figures of persons with fewer than 5 clicks in the period, and never those of one "
        "person alone. This person's are withheld."
    )
