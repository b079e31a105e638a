"""The visitor's address behind proxies: which headers are trusted. A visitor cannot change the address."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stats_app import proxies
from stats_app.proxies import client_address, parse_address

PROXY = "10.0.0.1"
ADA = "203.0.113.77"
EVE = "198.51.100.66"
NETWORKS = ["10.0.0.0/8", "192.0.2.1", "2001:db8:feed::/48"]


@pytest.fixture(autouse=True)
def a_new_process() -> Iterator[None]:
    proxies._warn_of.cache_clear()
    yield
    proxies._warn_of.cache_clear()


def trust(settings: Any, trusted: Any, header: str = "X-Forwarded-For") -> None:
    settings.STATS_APP = {"TRUSTED_PROXIES": trusted, "CLIENT_IP_HEADER": header}


def address(remote_addr: str, header: str | None) -> str | None:
    found = client_address(remote_addr, header)
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("trusted", "remote_addr", "header", "expected"),
    [
        # None is trusted.
        (0, ADA, None, ADA),
        (0, ADA, EVE, ADA),
        ([], ADA, EVE, ADA),
        (0, "2001:db8::7", "", "2001:db8::7"),
        (0, "::ffff:203.0.113.77", None, ADA),
        (0, "", None, None),
        (0, "unix:", None, None),
        (0, "", ADA, None),
        # A number of proxies.
        (1, PROXY, None, PROXY),
        (1, PROXY, ADA, ADA),
        (1, PROXY, f"{EVE}, {ADA}", ADA),
        (1, PROXY, f"{EVE},{ADA}", ADA),
        (1, PROXY, f"garbage, {ADA}", ADA),
        (1, "", ADA, ADA),
        (2, PROXY, f"{ADA}, 10.0.0.2", ADA),
        (2, PROXY, f"{EVE}, {ADA}, 10.0.0.2", ADA),
        (3, PROXY, f"{ADA}, 10.0.0.3, 10.0.0.2", ADA),
        # Fewer entries than hops, and garbage.
        (2, PROXY, EVE, PROXY),
        (2, PROXY, "", PROXY),
        (1, PROXY, "garbage", PROXY),
        (1, PROXY, f"{EVE}, ", PROXY),
        (1, PROXY, f"{EVE}, unknown", PROXY),
        (1, PROXY, ",", PROXY),
        (2, PROXY, f"{EVE}, unknown", PROXY),
        (2, PROXY, f"unknown, {PROXY}", PROXY),
        (1, "", "garbage", None),
        # Networks.
        (NETWORKS, PROXY, None, PROXY),
        (NETWORKS, PROXY, ADA, ADA),
        (NETWORKS, PROXY, f"{EVE}, {ADA}", ADA),
        (NETWORKS, PROXY, f"{EVE}, {ADA}, 10.9.9.9, 192.0.2.1", ADA),
        (NETWORKS, "::ffff:10.0.0.1", f"{EVE}, {ADA}, ::ffff:10.9.9.9", ADA),
        (NETWORKS, "2001:db8:feed::1", f"{ADA}, [2001:db8:feed::2]:443", ADA),
        (NETWORKS, PROXY, "2001:db8::7", "2001:db8::7"),
        (NETWORKS, PROXY, "10.1.1.1, 10.0.0.2", "10.1.1.1"),
        (NETWORKS, PROXY, f"garbage, {ADA}", ADA),
        # Of them, only a listed connection is believed.
        (NETWORKS, ADA, EVE, ADA),
        (NETWORKS, "192.0.2.2", EVE, "192.0.2.2"),
        (NETWORKS, "", EVE, None),
        (NETWORKS, PROXY, "garbage", PROXY),
        (NETWORKS, PROXY, f"{EVE}, garbage", PROXY),
        (NETWORKS, PROXY, f"{EVE}, garbage, 10.0.0.2", PROXY),
        (NETWORKS, PROXY, f"{EVE}, , 10.0.0.2", PROXY),
    ],
)
def test_the_address_comes_from_whoever_is_trusted(
    trusted: Any, remote_addr: str, header: str | None, expected: str | None, settings: Any
) -> None:
    for name in ("X-Forwarded-For", "x-forwarded-for"):
        trust(settings, trusted, name)
        assert address(remote_addr, header) == expected


@pytest.mark.parametrize(
    ("trusted", "remote_addr", "header", "expected"),
    [
        (NETWORKS, PROXY, ADA, ADA),
        (NETWORKS, PROXY, "2001:db8::7", "2001:db8::7"),
        (NETWORKS, PROXY, None, PROXY),
        (NETWORKS, PROXY, "garbage", PROXY),
        (NETWORKS, PROXY, f"{ADA}, {EVE}", PROXY),
        (NETWORKS, EVE, ADA, EVE),
        # A number says nothing about who set the header.
        (1, PROXY, ADA, PROXY),
        (2, PROXY, f"{ADA}, {ADA}", PROXY),
        (0, PROXY, ADA, PROXY),
    ],
)
def test_a_header_of_one_address_is_believed_from_a_listed_proxy_only(
    trusted: Any, remote_addr: str, header: str | None, expected: str, settings: Any
) -> None:
    trust(settings, trusted, "CF-Connecting-IP")
    assert address(remote_addr, header) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ADA, ADA),
        (f" {ADA}\t", ADA),
        (f"{ADA}:51123", ADA),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:0DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%eth0]:443", "fe80::1"),
        ("::ffff:203.0.113.77", ADA),
        ("[::ffff:cb00:714d]:443", ADA),
        ("::1", "::1"),
        *(
            (text, None)
            for text in (
                *(
                    "",
                    " ",
                    "-",
                    "unknown",
                    "localhost",
                    "_hidden",
                    "unix:",
                    "203.0.113",
                    "203.0.113.256",
                    "0xcb.0.113.7",
                ),
                *("203.0.113.077", "203.0.113.77:", "203.0.113.77:port", "203.0.113.77/32", "203.0.113.77, 1.2.3.4"),
                *(
                    "[203.0.113.77",
                    "203.0.113.77]",
                    "[]",
                    "[]:443",
                    "[[::1]]",
                    "[::1]443",
                    "::1]:443",
                    ":::1",
                    "1::2::3",
                ),
                *('"203.0.113.77"', "for=203.0.113.77", "203.0.113.77\0", "203.0.113.77\n1.2.3.4", "٢٠٣.0.113.77"),
                *("<script>alert(1)</script>", "\ud800", "9" * 100_000, ":" * 100_000, "[" * 100_000, "1:" * 50_000),
            )
        ),
    ],
    ids=lambda text: str(text)[:30],
)
def test_addresses_are_read_without_port_brackets_and_zone(text: str, expected: str | None) -> None:
    assert parse_address(text) == (None if expected is None else ip_address(expected))


_junk = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [EVE, "10.0.0.9", ",", ", ,", "::1"]
)
_hostile_headers = st.lists(_junk, min_size=1, max_size=6).map(",".join)


@given(sent=_hostile_headers)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@pytest.mark.parametrize(
    ("trusted", "written_by_proxies"),
    [
        (1, ADA),
        (2, f"{ADA}, 10.0.0.2"),
        (3, f"{ADA}, 10.0.0.3, 10.0.0.2"),
        (NETWORKS, ADA),
        (NETWORKS, f"{ADA}, 10.0.0.3, 10.0.0.2"),
    ],
)
def test_what_a_visitor_sends_before_the_proxies_changes_nothing(
    trusted: Any, written_by_proxies: str, sent: str, settings: Any
) -> None:
    trust(settings, trusted)
    assert address(PROXY, f"{sent}, {written_by_proxies}") == ADA


@given(sent=_hostile_headers)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@pytest.mark.parametrize("trusted", [0, NETWORKS])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "CF-Connecting-IP"])
def test_whoever_is_no_proxy_is_at_the_address_of_the_connection(
    trusted: Any, header: str, sent: str, settings: Any
) -> None:
    trust(settings, trusted, header)
    assert address(EVE, sent) == EVE


def test_a_header_that_nobody_is_trusted_with_is_logged_once_without_an_address(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    trust(settings, 0)
    address(PROXY, None)
    assert caplog.records == []
    address(PROXY, ADA)
    address(PROXY, EVE)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("stats_app.proxies", logging.WARNING)
    assert record.getMessage() == (
        "A request for a link came with the header X-Forwarded-For, and no proxy is trusted. If the site is behind a"
        " proxy, all its visitors seem to have one address: set STATS_APP['TRUSTED_PROXIES']. If not, the visitor's"
        " program sent it."
    )


def test_nothing_is_logged_where_proxies_are_trusted(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    for trusted in (1, NETWORKS):
        trust(settings, trusted)
        for remote_addr in (PROXY, EVE, ""):
            for header in (None, ADA, "garbage"):
                address(remote_addr, header)
    assert caplog.records == []
