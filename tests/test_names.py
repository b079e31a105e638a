"""Visible and invisible names."""

from __future__ import annotations

import pytest

from stats_app.reports.names import name_html, visible_name


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u200b", "\u2060\u200d", "\ufeff", "\u00ad", "\u3000", "\u3164", "\u2800", "\u034f", "\ufe0f", "\u202e"],
)
def test_a_name_that_cannot_be_seen_gives_way_to_the_public_id(name: str) -> None:
    assert visible_name(name, "cp_1") == "cp_1"


@pytest.mark.parametrize("name", ["a", ".", "\u200bx", "🎉", "👩\u200d👩", "ب", "ー", "–"])
def test_a_name_that_can_be_seen_stays(name: str) -> None:
    assert visible_name(name, "cp_1") == name


def test_a_name_is_text_in_its_own_direction() -> None:
    assert name_html("<b>", "cp_1") == '<bdi dir="auto">&lt;b&gt;</bdi>'
