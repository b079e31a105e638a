"""Several clicks together: what a person may do, what scanners do, and that the order of arrival changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_app.bursts import BURST, REPEAT, Followed, judge_bursts
from stats_app.dimensions import SUSPECTED

START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)

AT_ONCE = "several links at once"
FROM_ONE_NETWORK = "several links at once from one network"
AGAIN = "same link again"


def click(
    number: int,
    seconds: float,
    link: int,
    *,
    signature: int | None = 1,
    visitor: bytes | None = b"ada",
    network: bytes | None = b"home",
    reason: str = "",
) -> Followed:
    clicked_at = START + timedelta(seconds=seconds)
    return Followed(number.to_bytes(16, "big"), clicked_at, link, signature, visitor, network, reason)


def reasons(clicks: Iterable[Followed]) -> list[str]:
    """The reason of each click, in the given order, after all clicks are judged together."""
    clicks = list(clicks)
    changes = judge_bursts(clicks)
    assert all(change.verdict == SUSPECTED and not change.shadow for change in changes.values())
    return [changes[each.id].reason if each.id in changes else each.reason for each in clicks]


def several(*clicks: tuple[float, int], **values: Any) -> list[Followed]:
    """Clicks of one visitor: the second and the link of each."""
    return [click(number, seconds, link, **values) for number, (seconds, link) in enumerate(clicks)]


@pytest.mark.parametrize(
    ("clicks", "expected"),
    [
        ([], []),
        ([(0, 1)], [""]),
        # Two links in two seconds, to the instant.
        ([(0, 1), (2, 2)], [AT_ONCE, AT_ONCE]),
        ([(0, 1), (2.001, 2)], ["", ""]),
        ([(0, 1), (0, 2)], [AT_ONCE, AT_ONCE]),
        # A click far from all others keeps its verdict.
        ([(0, 1), (10, 2), (11, 3)], ["", AT_ONCE, AT_ONCE]),
        # Each is near to the next.
        ([(0, 1), (2, 2), (4, 3)], [AT_ONCE, AT_ONCE, AT_ONCE]),
        # A double click, then one on another link.
        ([(0, 1), (1, 1), (3, 2)], ["", AT_ONCE, AT_ONCE]),
        # The same link again, in all combinations.
        ([(0, 1), (1, 1)], ["", AGAIN]),
        ([(0, 1), (60, 1)], ["", AGAIN]),
        ([(0, 1), (60.001, 1)], ["", ""]),
        ([(0, 1), (50, 1), (100, 1), (200, 1)], ["", AGAIN, AGAIN, ""]),
        ([(0, 1), (30, 2), (31, 1)], ["", AT_ONCE, AT_ONCE]),
    ],
)
def test_clicks_of_one_visitor(clicks: list[tuple[float, int]], expected: list[str]) -> None:
    assert reasons(several(*clicks)) == expected


def test_of_two_at_the_same_instant_the_first_id_stays() -> None:
    assert reasons(several((0, 1), (0, 1), (0, 1))) == ["", AGAIN, AGAIN]
    assert reasons(reversed(several((0, 1), (0, 1), (0, 1)))) == [AGAIN, AGAIN, ""]


def test_links_of_two_signatures_are_no_burst() -> None:
    assert reasons([click(1, 0, 1, signature=1), click(2, 1, 2, signature=2)]) == ["", ""]


def test_links_of_nobody_stand_together() -> None:
    assert reasons([click(1, 0, 1, signature=None), click(2, 1, 2, signature=None)]) == [AT_ONCE, AT_ONCE]
    assert reasons([click(1, 0, 1, signature=None), click(2, 1, 2, signature=2)]) == ["", ""]


@pytest.mark.parametrize(
    ("clicks", "expected"),
    [
        # Two colleagues, then a third.
        ([(0, 1, b"a"), (1, 2, b"b")], ["", ""]),
        ([(0, 1, b"a"), (1, 2, b"b"), (2, 3, b"c")], [FROM_ONE_NETWORK] * 3),
        ([(0, 1, b"a"), (1, 2, b"b"), (2.001, 3, b"c")], ["", "", ""]),
        # Three on the same link, such as a banner that all have got, are no burst.
        ([(0, 1, b"a"), (1, 1, b"b"), (2, 1, b"c")], ["", "", ""]),
        ([(0, 1, b"a"), (1, 2, b"b"), (1, 2, b"c"), (2, 3, b"d"), (4, 1, b"e")], [*[FROM_ONE_NETWORK] * 4, ""]),
        # A scanner that changes its browser for some requests: its own burst is the first reason.
        ([(0, 1, b"a"), (0, 2, b"a"), (0, 3, b"b")], [AT_ONCE, AT_ONCE, FROM_ONE_NETWORK]),
    ],
)
def test_clicks_from_one_network(clicks: list[tuple[float, int, bytes]], expected: list[str]) -> None:
    assert reasons(click(i, at, link, visitor=who) for i, (at, link, who) in enumerate(clicks)) == expected


def test_networks_are_apart() -> None:
    clicks = [click(i, 0, i, visitor=bytes([i]), network=bytes([i % 2])) for i in range(4)]
    assert reasons(clicks) == [""] * 4


def test_clicks_without_a_visitor_or_network_have_no_company() -> None:
    unknown = [click(i, 0, i % 3, visitor=None, network=None) for i in range(6)]
    assert reasons(unknown) == [""] * 6
    of_a_network = [click(i, 0, i % 3, visitor=None) for i in range(6)]
    assert reasons(of_a_network) == [FROM_ONE_NETWORK] * 6
    of_a_visitor = [click(i, 0, i % 3, network=None) for i in range(6)]
    assert reasons(of_a_visitor) == [AT_ONCE] * 6


@pytest.mark.parametrize("reason", ["unknown program", "browser years out of date", "our own filter", AT_ONCE])
def test_an_earlier_reason_and_one_of_others_stay_and_count_as_company(reason: str) -> None:
    clicks = [click(1, 0, 1, reason=reason), click(2, 1, 2)]
    assert reasons(clicks) == [reason, AT_ONCE]


@pytest.mark.parametrize(("reason", "network"), [(AGAIN, b"home"), (FROM_ONE_NETWORK, b"home"), (AGAIN, None)])
def test_a_later_reason_gives_way(reason: str, network: bytes | None) -> None:
    clicks = [click(1, 0, 1, reason=reason, network=network), click(2, 1, 2, network=network)]
    assert reasons(clicks) == [AT_ONCE, AT_ONCE]


def test_a_scanner_that_follows_all_links_in_parallel_leaves_none_counted() -> None:
    arrived: list[Followed] = []
    for number in range(16):
        arrived = with_new(arrived, click(number, number / 100, number % 10))
    assert [each.reason for each in arrived] == [AT_ONCE] * 16


def with_new(arrived: list[Followed], new: Followed) -> list[Followed]:
    """The stored clicks after `new` was recorded, which is only judged together with the clicks near it."""
    company = [
        each
        for each in arrived
        if (each.visitor == new.visitor and abs(each.clicked_at - new.clicked_at) <= REPEAT)
        or (each.network == new.network and abs(each.clicked_at - new.clicked_at) <= BURST)
    ]
    changes = judge_bursts([new, *company])
    return [each._replace(reason=changes[each.id].reason) if each.id in changes else each for each in [*arrived, new]]


def by_the_words_of_the_rules(clicks: list[Followed]) -> list[str]:
    """The same, slowly and plainly, of clicks that have no reason yet."""

    def reason(one: Followed) -> str:
        same_visitor = [other for other in clicks if one.visitor and other.visitor == one.visitor]
        same_network = [other for other in clicks if one.network and other.network == one.network]
        if any(
            other.signature == one.signature
            and other.link != one.link
            and abs(other.clicked_at - one.clicked_at) <= BURST
            for other in same_visitor
        ):
            return AT_ONCE
        for start in (first.clicked_at for first in clicks):
            in_two_seconds = {
                other.link
                for other in same_network
                if other.signature == one.signature and start <= other.clicked_at <= start + BURST
            }
            if start <= one.clicked_at <= start + BURST and len(in_two_seconds) >= 3:
                return FROM_ONE_NETWORK
        if any(
            other.link == one.link
            and (other.clicked_at, other.id) < (one.clicked_at, one.id)
            and one.clicked_at - other.clicked_at <= REPEAT
            for other in same_visitor
        ):
            return AGAIN
        return ""

    return [reason(one) for one in clicks]


@st.composite
def some_clicks(draw: st.DrawFn, with_reasons: bool = True) -> list[Followed]:
    """Clicks of few visitors on few links, mostly close together."""
    given_reasons = st.sampled_from(["", "", "", "unknown program", "our own filter"]) if with_reasons else st.just("")
    return [
        click(
            number,
            draw(st.sampled_from([0, 0, 0.5, 1, 2, 2.5, 3, 4, 5, 60, 61, 62, 64, 122, 200])),
            link := draw(st.integers(1, 5)),
            signature=None if link == 5 else link % 2,
            visitor=draw(st.sampled_from([b"a", b"b", b"c", None])),
            network=draw(st.sampled_from([b"x", b"y", None])),
            reason=draw(given_reasons),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


@given(some_clicks(with_reasons=False))
def test_the_rules_hold_word_for_word(clicks: list[Followed]) -> None:
    assert reasons(clicks) == by_the_words_of_the_rules(clicks)


@given(some_clicks(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(clicks: list[Followed], random: Random) -> None:
    expected = {each.id: reason for each, reason in zip(clicks, reasons(clicks), strict=True)}
    shuffled = list(clicks)
    random.shuffle(shuffled)
    arrived: list[Followed] = []
    for new in shuffled:
        arrived = with_new(arrived, new)
    assert {each.id: each.reason for each in arrived} == expected


@given(some_clicks())
def test_to_judge_again_changes_nothing(clicks: list[Followed]) -> None:
    judged = [each._replace(reason=reason) for each, reason in zip(clicks, reasons(clicks), strict=True)]
    assert judge_bursts(judged) == {}
