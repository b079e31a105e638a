"""Where links may lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_app.targets import MAX_LENGTH, is_target, sent_length


@pytest.mark.parametrize(
    "address",
    [
        "https://www.example.com",
        "http://www.example.com/a?b=c#d",
        "HTTPS://EXAMPLE.COM/",
        "https://example.com:8443/x",
        "https://user@example.com/",
        "https://[2001:db8::1]/",
        "https://exämple.com/ü?q=é",
        "https://example.com/%0d%0aSet-Cookie:x",
        "https://example.com/?next=javascript:alert(1)",
        "https://example.com/a//b",
        "https://example.com./",
        "https://example.com.:8443/",
        "http://localhost/",
        "http://127.0.0.1:8000/",
        "http://[::1]:8000/x",
        "http://[::ffff:192.0.2.1]/",
        "https://user:word@[2001:db8::1]/",
        "https://xn--exmple-cua.com/",
        "https://пример.рф/",
        "https://例え。テスト/",
        "https://उदाहरण.परीक्षा/",
        "https://مثال.إختبار/",
        "https://💩.la/",
        "https://i❤.ws",
        "https://_dmarc.example.com/",
        "https://foo-.example.com/",
        "https://ex%61mple.com/",
    ],
)
def test_it_takes_addresses_of_the_web(address: str) -> None:
    assert is_target(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "javascript:alert(1)",  # GHSA-89fc-m499-3hcp
        "data:text/html,x",
        "ftp://example.com/",
        "https://example.com/\ud800",
        "http:\\\\\\evil.com",  # CVE-2014-3730
        "https://example.com\\@evil.com",
        "https://example.com/\nx",  # CVE-2021-32052
        "https://example.com/\tx",
        "java\tscript:alert(1)",
        "/\\evil.com",  # CVE-2026-82402
        "//evil.com",
        "/path",
        "\x01https://example.com/",  # EEF-CVE-2026-58228
        " https://example.com/",
        "https://example.com/ ",
        "https://exa mple.com/",
        "https:/example.com",
        "https:///example.com",
        "https:example.com",
        "https://",
        "https://?x",
        "https://:80/",
        "https://example.com:x/",
        "https://[::1/",
        "https://example.com/\u2028",
        "https://example.com/\ufeff",
        "https://example.com/\r\nSet-Cookie: x",  # CVE-2020-11709
        "https://example.com/" + "x" * MAX_LENGTH,
        # No host, or nothing that a browser takes for one.
        "http://.",
        "http://..",
        "https://./path",
        "https://user@./",
        "https://.:80/",
        "https://-",
        "https://--.com/",
        "http://a..b",
        "https://.example.com/",
        "https://example.com../",
        "https://example.-/",
        "https://。/",
        "https://例え。。テスト/",
        "https://%2e/",
        "https://%2E%2e/x",
        "https://%20/",
        "https://a%00b/",
        "https://a%2fb/",
        "https://\u00ad/",
        "https://\u200d.com/",
        "https://a<b>.com/",
        "https://a^b/",
        "https://a|b/",
        "https://!/",
        "https://[]/",
        "https://[x]/",
        "https://[1.2.3.4]/",
    ],
)
def test_it_takes_nothing_else(address: str) -> None:
    assert not is_target(address)


@pytest.mark.parametrize(
    ("address", "length"),
    [
        ("https://example.com/?a=b#c", 26),
        ("https://example.com/é", 26),
        ("https://example.com/%C3%A9", 26),
        ("https://example.com/日💩", 41),
        ("https://example.com/\ud800", 21),
        ("https://example.com/" + "é" * MAX_LENGTH, MAX_LENGTH + 20),
    ],
)
def test_the_length_is_that_of_the_address_as_it_is_sent(address: str, length: int) -> None:
    assert sent_length(address) == length


@given(st.text())
def test_what_it_takes_can_stand_in_a_header(address: str) -> None:
    for text in (address, f"https://{address}", f"https://example.com/{address}"):
        if is_target(text):
            assert text.split("://")[0].lower() in ("http", "https")
            assert not any(letter in text for letter in "\r\n\t\0\\ ")
