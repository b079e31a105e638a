"""The table of a chart, which the script draws: the labels and names of its buckets, and their numbers of days."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from stats_app.periods import BREAKDOWNS, Breakdown, Period
from stats_app.reports.charts import Axis, ComparedChart, Head, Series, StackedChart
from stats_app.reports.period_form import MAX_BUCKETS
from stats_app.reports.wording import short_labels
from tests.dashboard_cast import text

TODAY = date(2026, 11, 28)


def axis(start: str, end: str, breakdown: Breakdown) -> Axis:
    return Axis(Period(date.fromisoformat(start), date.fromisoformat(end)).buckets(breakdown), breakdown, TODAY)


def rows(axis: Axis) -> list[tuple[str, str]]:
    """The attributes of each row, and the name in its head."""
    matches = [re.fullmatch(r'<tr (.*?)><th scope="row">(.*)</th>', start) for start in axis.starts]
    return [(row[1], text(row[2])) for row in matches if row]


@pytest.mark.parametrize(
    ("start", "end", "breakdown", "expected"),
    [
        (
            "2026-10-31",
            "2026-11-01",
            "month",
            [
                (
                    'data-label="Oct 2026" class="cut" data-days="1/31" data-note="1 of 31 days"',
                    "31 October 2026 (1 of 31 days)",
                ),
                (
                    'data-label="Nov 2026" class="cut" data-days="1/30" data-note="1 of 30 days"',
                    "1 November 2026 (1 of 30 days)",
                ),
            ],
        ),
        (
            "2026-11-15",
            "2026-12-01",
            "week",
            [
                (
                    'data-label="15 Nov" class="cut" data-days="1/7" data-note="1 of 7 days"',
                    "W46, 15 November 2026 (1 of 7 days)",
                ),
                ('data-label="16 Nov"', "W47, 16–22 November 2026"),
                ('data-label="23 Nov" class="filling"', "W48, 23–29 November 2026 (so far)"),
                (
                    'data-label="30 Nov" class="future cut" data-days="2/7" data-note="2 of 7 days"',
                    "W49, 30 November – 1 December 2026 (2 of 7 days, to come)",
                ),
            ],
        ),
        (
            "2026-11-23",
            "2026-11-28",
            "week",
            [
                (
                    'data-label="23 Nov" class="filling cut" data-days="6/7" data-note="6 of 7 days"',
                    "W48, 23–28 November 2026 (6 of 7 days, so far)",
                )
            ],
        ),
        ("2024-02-01", "2024-02-29", "month", [('data-label="Feb 2024"', "February 2024")]),
        ("2026-11-27", "2026-11-27", "day", [('data-label="27 Nov"', "Fri 27 Nov 2026")]),
    ],
)
def test_a_bucket_says_how_much_of_it_the_period_has(
    start: str, end: str, breakdown: Breakdown, expected: list[tuple[str, str]]
) -> None:
    with override("en"):
        assert rows(axis(start, end, breakdown)) == expected


def test_the_previous_period_says_it_too() -> None:
    with override("en"):
        chart = ComparedChart(
            axis("2026-11-02", "2026-11-15", "week"),
            [7, 7],
            axis("2026-10-17", "2026-11-01", "week"),
            [1, 7, 7],
            [None] * 3,
            "Clicks",
            "Previous period",
        )
        cells = re.findall(r'<td( class="cut")?>([^<]*W\d[^<]*)</td>', chart.body)
    assert cells == [
        (' class="cut"', "W42, 17–18 October 2026 (2 of 7 days)"),
        ("", "W43, 19–25 October 2026"),
        ("", "W44, 26 October – 1 November 2026"),
    ]


def test_in_french_a_part_of_a_week_is_told_in_french() -> None:
    with override("fr"):
        assert [name for _, name in rows(axis("2026-03-01", "2026-03-08", "week"))] == [
            "S9, 1er mars 2026 (1 jour sur 7)",
            "S10, 2–8 mars 2026",
        ]
        assert [name for _, name in rows(axis("2026-02-28", "2026-03-01", "day"))] == [
            "Sam. 28 févr. 2026",
            "Dim. 1er mars 2026",
        ]
        assert [name for _, name in rows(axis("2026-11-24", "2026-11-30", "month"))] == [
            "24–30 novembre 2026 (7 jours sur 30, en cours)"
        ]


@given(
    first=st.dates(date(2000, 1, 1), date(2099, 1, 1)),
    days=st.integers(1, 3660),
    breakdown=st.sampled_from(BREAKDOWNS),
    language=st.sampled_from(["en", "fr"]),
)
def test_no_two_labels_of_an_axis_are_alike(first: date, days: int, breakdown: Breakdown, language: str) -> None:
    buckets = Period(first, first + timedelta(days=days - 1)).buckets(breakdown)[:MAX_BUCKETS]
    with override(language):
        labels = short_labels(buckets, breakdown)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("start", "end", "breakdown", "first", "last"),
    [
        ("2026-01-01", "2026-12-31", "day", "1 Jan", "31 Dec"),
        ("2025-12-31", "2026-12-31", "day", "31 Dec 2025", "31 Dec 2026"),
        ("2024-02-29", "2025-02-28", "day", "29 Feb", "28 Feb"),
        ("2024-11-04", "2026-11-08", "week", "4 Nov 2024", "2 Nov 2026"),
        ("2026-01-01", "2026-12-31", "week", "1 Jan", "28 Dec"),
        ("2016-12-01", "2026-11-30", "month", "Dec 2016", "Nov 2026"),
    ],
)
def test_an_axis_longer_than_a_year_names_the_year(
    start: str, end: str, breakdown: Breakdown, first: str, last: str
) -> None:
    buckets = Period(date.fromisoformat(start), date.fromisoformat(end)).buckets(breakdown)
    with override("en"):
        labels = short_labels(buckets, breakdown)
    assert (labels[0], labels[-1]) == (first, last)


def test_months_are_written_as_the_french_write_them() -> None:
    months = Period(date(2026, 1, 1), date(2026, 12, 31)).buckets("month")
    with override("fr"):
        labels = [label.removesuffix(" 2026") for label in short_labels(months, "month")]
    expected = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."
    assert labels == expected.split()


def test_a_rest_is_grey_and_names_stand_in_their_own_direction() -> None:
    with override("en"):
        days = axis("2026-03-01", "2026-03-01", "day")
        chart = StackedChart(
            days, [Series("מבצע!", [1], "cp_a", "c4"), Series("\u200b", [1], "cp_b", "c1"), Series("Others", [1])]
        )
    assert chart.heads[1:4] == [
        Head('<bdi dir="auto">מבצע!</bdi>', "c4"),
        Head('<bdi dir="auto">cp_b</bdi>', "c1"),
        Head('<bdi dir="auto">Others</bdi>', "rest"),
    ]
