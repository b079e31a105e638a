"""Public ids: which are valid, and that they never change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_app import public_ids
from stats_app.public_ids import CAMPAIGN, USER, WORKSPACE, is_public_id, new_id, pattern

ULID = "01arz3ndektsv4rrffq69g5fav"
PREFIXES = (WORKSPACE, CAMPAIGN, USER)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_new_id_is_a_valid_one(prefix: str) -> None:
    made = {new_id(prefix) for _ in range(50)}
    assert len(made) == 50
    assert all(is_public_id(public_id, prefix) and re.search(pattern(prefix), public_id) for public_id in made)
    assert {len(public_id) for public_id in made} == {26 + len(prefix)}


def test_each_kind_has_its_prefix() -> None:
    assert public_ids.new_campaign_id().startswith("cp_")
    assert public_ids.new_user_id().startswith("usr_")
    assert is_public_id(public_ids.new_workspace_id())


@pytest.mark.parametrize(
    "text",
    [
        "",
        ULID[:-1],
        ULID + "0",
        ULID.upper(),
        ULID[:-1] + "V",
        "8" + ULID[1:],
        "z" + ULID[1:],
        *(ULID[:-1] + letter for letter in "ilou"),
        *(ULID[:-1] + letter for letter in "-_ \n\0/"),
        ULID + "\n",
        " " + ULID,
        "٠" + ULID[1:],
        "ａ" + ULID[1:],
        ULID[:-1] + "ſ",
    ],
)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_anything_else_is_none(prefix: str, text: str) -> None:
    assert not is_public_id(prefix + text, prefix)


@pytest.mark.parametrize("value", [None, 5, b"01arz3ndektsv4rrffq69g5fav", ["cp_"], {}, True])
def test_only_text_is_an_id(value: object) -> None:
    assert not is_public_id(value)


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        (WORKSPACE, CAMPAIGN + ULID),
        (CAMPAIGN, ULID),
        (CAMPAIGN, USER + ULID),
        (CAMPAIGN, "CP_" + ULID),
        (CAMPAIGN, CAMPAIGN + CAMPAIGN + ULID),
        (USER, CAMPAIGN + ULID),
        (USER, "usr" + ULID),
    ],
)
def test_the_prefix_of_another_kind_is_wrong(prefix: str, text: str) -> None:
    assert not is_public_id(text, prefix)


@given(st.text(alphabet="0123456789abcdefghijklmnopqrstuvwxyzABC_\n", min_size=24, max_size=28))
def test_the_pattern_and_the_function_say_the_same(text: str) -> None:
    # In a JSON Schema `$` is the end; in Python's `re` it is before a last line break, too.
    assert is_public_id(text) == bool(re.search(pattern().replace("$", r"\Z"), text))
