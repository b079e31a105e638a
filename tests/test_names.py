"""Visible and invisible names."""

from __future__ import annotations

import pytest

from stats_app.reports.names import name_html, plain_name, short_name, visible_name


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


@pytest.mark.parametrize("name", ["שלום", "مرحبا", "Acme אבא!", "٣", "ܫܠܡܐ", "𞤀𞤣"])
def test_a_name_from_right_to_left_is_isolated_in_plain_text(name: str) -> None:
    assert plain_name(name, "cp_1") == f"\u2068{name}\u2069"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Acme\u2069\u202ex", "Acmex"),
        ("\u05d0\u05d1\u2067", "\u2068\u05d0\u05d1\u2069"),
        ("\u05d0\u2069\u05d1", "\u2068\u05d0\u05d1\u2069"),
        ("a\u202ab\u202c", "ab"),
        ("Ac\u2028me\u2029x", "Ac me x"),
    ],
)
def test_no_name_leaves_its_isolation_or_its_line_in_plain_text(name: str, shown: str) -> None:
    assert plain_name(name, "cp_1") == shown
    assert short_name(name, "cp_1", 28) == f"\u2068{shown.strip(chr(0x2068) + chr(0x2069))}\u2069"


@pytest.mark.parametrize("name", ["Acme", "Société 2026", "用户", "Ελλάδα", "🎉 3", "संपर्क"])
def test_any_other_name_stays_as_it_is_in_plain_text(name: str) -> None:
    assert plain_name(name, "cp_1") == name
    assert plain_name("\u202e", "cp_1") == "cp_1"
