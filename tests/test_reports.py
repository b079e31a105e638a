"""The words of reports, as tables."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from django.utils.translation import override

from stats_app.periods import Period, default_breakdown
from stats_app.reports.wording import full_labels, numbers, period_text, short_labels, time_text


def period(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("start", "end", "english", "french"),
    [
        ("2026-03-01", "2026-03-31", "1–31 March 2026", "1er–31 mars 2026"),
        ("2026-03-01", "2026-03-01", "1 March 2026", "1er mars 2026"),
        ("2026-03-01", "2026-04-02", "1 March – 2 April 2026", "1er mars – 2 avril 2026"),
        ("2025-12-31", "2026-01-01", "31 December 2025 – 1 January 2026", "31 décembre 2025 – 1er janvier 2026"),
    ],
)
def test_a_period_says_once_what_its_days_share(start: str, end: str, english: str, french: str) -> None:
    for language, expected in (("en", english), ("fr", french)):
        with override(language):
            assert period_text(period(start, end)) == expected


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["1,234,567", "−1,234", "+5", "0", "12.5%", "−0.4%", "+100.0%", "+1,234%"]),
        # ~ for the space U+00A0, _ for the narrow U+202F, as browsers write French.
        ("fr", ["1_234_567", "−1_234", "+5", "0", "12,5~%", "−0,4~%", "+100,0~%", "+1_234~%"]),
    ],
)
def test_numbers_are_grouped_as_the_language_does(language: str, texts: list[str]) -> None:
    with override(language):
        style = numbers()
    written = [style.grouped(1234567), style.grouped(-1234), style.signed(5), style.signed(0), style.percent(0.125)]
    written += [style.percent(ratio, with_sign=True) for ratio in (-0.004, 1, 12.34)]
    assert [text.replace("\u00a0", "~").replace("\u202f", "_") for text in written] == texts


def test_what_is_not_nothing_is_never_called_0_per_cent() -> None:
    with override("en"):
        english = numbers()
    with override("fr"):
        french = numbers()
    assert [english.share(ratio) for ratio in (0, 0.00002, 0.0004, 0.0005, 0.99949, 0.9996, 1)] == [
        *("0.0%", "<0.1%", "<0.1%", "0.1%", "99.9%", ">99.9%", "100.0%")
    ]
    assert (english.change(9999, 10000), english.change(10001, 10000)) == ("<0.1% (−1)", "<0.1% (+1)")
    assert (english.change(9995, 10000), french.change(9999, 10000)) == ("−0.1% (−5)", "<0,1\u00a0% (−1)")


def test_buckets_have_a_short_and_a_full_name() -> None:
    cut = period("2026-02-27", "2026-03-31")
    names = {}
    with override("en"):
        for breakdown in ("day", "week", "month"):
            buckets = cut.buckets(breakdown)
            names[breakdown] = (short_labels(buckets, breakdown)[:2], full_labels(buckets, breakdown)[:2])
    assert names == {
        "day": (["27 Feb", "28 Feb"], ["Fri 27 Feb 2026", "Sat 28 Feb 2026"]),
        "week": (["27 Feb", "2 March"], ["W9, 27 February – 1 March 2026", "W10, 2–8 March 2026"]),
        "month": (["Feb 2026", "March 2026"], ["27–28 February 2026", "March 2026"]),
    }


def test_no_two_months_have_the_same_short_name() -> None:
    for language in ("en", "fr"):
        with override(language):
            labels = short_labels(period("2026-01-01", "2026-12-31").buckets("month"), "month")
        assert len(set(labels)) == 12


def test_a_time_is_to_the_minute() -> None:
    with override("en"):
        assert time_text(datetime.fromisoformat("2026-03-08T09:05:59")) == "8 March 2026, 09:05"


@pytest.mark.parametrize(
    ("start", "end", "breakdown"),
    [
        ("2026-01-01", "2026-04-02", "day"),
        ("2026-01-01", "2026-04-03", "week"),
        ("2026-01-01", "2026-07-03", "week"),
        ("2026-01-01", "2026-07-04", "month"),
    ],
)
def test_the_usual_breakdown_suits_the_length(start: str, end: str, breakdown: str) -> None:
    assert default_breakdown(period(start, end)) == breakdown
