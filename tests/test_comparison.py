"""What a period is compared with, and for which days a change is given."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stats_app.periods import (
    BREAKDOWNS,
    COMPARES,
    MAX_DATE,
    MIN_DATE,
    Breakdown,
    Bucket,
    Compare,
    Period,
    compared_with,
    month_end,
    month_start,
)
from stats_app.presets import OLD_PRESETS, PRESETS
from stats_app.reports import Change, Comparison, Question
from stats_app.reports.comparison import NoDataBefore, NotOver, UnlikeDays

DAY = timedelta(days=1)
LONG_AGO = date(2000, 1, 1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def period(start: str, end: str) -> Period:
    return Period(day(start), day(end))


@pytest.mark.parametrize(
    ("asked", "before"),
    [
        # Whole months: the same months.
        (("2026-03-01", "2026-03-31"), ("2025-03-01", "2025-03-31")),
        (("2024-02-01", "2024-02-29"), ("2023-02-01", "2023-02-28")),
        (("2025-02-01", "2025-02-28"), ("2024-02-01", "2024-02-29")),
        (("2026-04-01", "2026-06-30"), ("2025-04-01", "2025-06-30")),  # 91 days, and a quarter all the same
        (("2025-03-01", "2026-02-28"), ("2024-03-01", "2025-02-28")),
        # Whole weeks: the same weekdays.
        (("2026-03-02", "2026-03-08"), ("2025-03-03", "2025-03-09")),
        (("2026-02-28", "2026-03-27"), ("2025-03-01", "2025-03-28")),
        (("2024-02-26", "2024-03-03"), ("2023-02-27", "2023-03-05")),
        # Anything else: the same dates.
        (("2026-03-02", "2026-03-09"), ("2025-03-02", "2025-03-09")),
        (("2024-02-29", "2024-02-29"), ("2023-02-28", "2023-02-28")),
        (("2024-02-20", "2024-02-29"), ("2023-02-20", "2023-02-28")),
        (("2024-02-29", "2024-03-10"), ("2023-02-28", "2023-03-10")),
        (("2025-02-28", "2025-03-01"), ("2024-02-28", "2024-03-01")),
        (("2025-12-30", "2026-01-02"), ("2024-12-30", "2025-01-02")),
    ],
)
def test_a_year_before(asked: tuple[str, str], before: tuple[str, str]) -> None:
    assert period(*asked).year_before() == period(*before)
    assert compared_with(period(*asked), "year") == period(*before)


@given(st.dates(MIN_DATE, MAX_DATE), st.integers(1, 60))
def test_whole_weeks_stand_under_their_weekdays(start: date, weeks: int) -> None:
    asked = Period(start, start + (7 * weeks - 1) * DAY)
    before = asked.year_before()
    if asked.is_whole_months:
        assert before.is_whole_months
    else:
        assert (asked.start - before.start, asked.days) == (364 * DAY, before.days)
        assert asked.start.weekday() == before.start.weekday()


@pytest.mark.parametrize(
    ("preset", "today", "shown", "previous", "year"),
    [
        ("last-7-days", "2026-03-28", ("03-21", "03-27"), ("2026-03-14", "2026-03-20"), ("2025-03-22", "2025-03-28")),
        ("last-28-days", "2026-03-28", ("02-28", "03-27"), ("2026-01-31", "2026-02-27"), ("2025-03-01", "2025-03-28")),
        # All of February, compared with 28 days.
        ("last-28-days", "2026-03-01", ("02-01", "02-28"), ("2026-01-04", "2026-01-31"), ("2025-02-02", "2025-03-01")),
        ("last-91-days", "2026-07-01", ("04-01", "06-30"), ("2025-12-31", "2026-03-31"), ("2025-04-02", "2025-07-01")),
        ("this-month", "2026-03-28", ("03-01", "03-28"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-28")),
        ("this-month", "2026-03-30", ("03-01", "03-30"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-30")),
        ("this-month", "2026-03-31", ("03-01", "03-31"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-31")),
        ("this-month", "2026-03-01", ("03-01", "03-01"), ("2026-02-01", "2026-02-01"), ("2025-03-01", "2025-03-01")),
        ("last-month", "2026-03-28", ("02-01", "02-28"), ("2026-01-01", "2026-01-31"), ("2025-02-01", "2025-02-28")),
        ("this-year", "2026-03-28", ("01-01", "03-28"), ("2025-01-01", "2025-03-28"), ("2025-01-01", "2025-03-28")),
        ("this-year", "2024-03-01", ("01-01", "03-01"), ("2023-01-01", "2023-03-02"), ("2023-01-01", "2023-03-02")),
    ],
)
def test_a_preset_and_what_it_is_held_against(
    preset: str, today: str, shown: tuple[str, str], previous: tuple[str, str], year: tuple[str, str]
) -> None:
    chosen = PRESETS[preset]
    assert chosen.period(day(today)) == period(*(f"{today[:4]}-{text}" for text in shown))
    assert chosen.other(day(today), "previous") == period(*previous)
    assert chosen.other(day(today), "year") == period(*year)
    assert chosen.other(day(today), "none") is None


@given(st.dates(date(2001, 1, 1), MAX_DATE))
@example(day("2024-02-29"))
@example(day("2026-12-31"))
def test_presets_of_days_are_whole_weeks_to_yesterday_and_all_others_hold_today(today: date) -> None:
    for name, preset in PRESETS.items():
        shown = preset.period(today)
        if preset.counts_days:
            assert (shown.end, shown.days % 7) == (today - DAY, 0)
            for compare in COMPARES[:2]:
                other = preset.other(today, compare)
                assert other is not None
                assert (other.days, other.start.weekday()) == (shown.days, shown.start.weekday())
        elif name != "last-month":
            assert (shown.end, shown.start.day) == (today, 1)
    assert PRESETS["last-month"].period(today).is_whole_months
    assert len(PRESETS["last-12-months"].period(today).buckets("month")) == 12


def test_names_of_before_lead_to_presets() -> None:
    assert OLD_PRESETS.keys() & PRESETS.keys() == set()
    assert {*OLD_PRESETS.values()} <= PRESETS.keys()


@pytest.mark.parametrize(
    ("today", "start", "end", "counted", "compared", "reason"),
    [
        # Over: all of both.
        (
            "2026-04-01",
            "2026-03-01",
            "2026-03-31",
            ("2026-03-01", "2026-03-31"),
            ("2026-02-01", "2026-02-28"),
            (31, 28),
        ),
        ("2026-09-01", "2026-08-01", "2026-08-31", ("2026-08-01", "2026-08-31"), ("2026-07-01", "2026-07-31"), None),
        # Running: the days that are over, compared with the same number of first days.
        (
            "2026-03-31",
            "2026-03-01",
            "2026-03-31",
            ("2026-03-01", "2026-03-30"),
            ("2026-02-01", "2026-02-28"),
            (30, 28),
        ),
        ("2026-03-10", "2026-03-01", "2026-03-31", ("2026-03-01", "2026-03-09"), ("2026-02-01", "2026-02-09"), None),
        ("2026-03-10", "2026-03-04", "2026-03-10", ("2026-03-04", "2026-03-09"), ("2026-02-25", "2026-03-02"), None),
        ("2024-03-01", "2024-01-01", "2024-12-31", ("2024-01-01", "2024-02-29"), ("2023-01-01", "2023-03-01"), None),
        # Nothing is over yet.
        ("2026-03-01", "2026-03-01", "2026-03-31", None, None, None),
        ("2026-02-28", "2026-03-01", "2026-03-31", None, None, None),
    ],
)
def test_only_days_that_are_over_are_compared(
    today: str,
    start: str,
    end: str,
    counted: tuple[str, str] | None,
    compared: tuple[str, str] | None,
    reason: tuple[int, int] | None,
) -> None:
    asked = Question.of(period(start, end), "day")
    comparison = Comparison(asked.period, asked.other, day(today), LONG_AGO)
    assert comparison.counted == (counted and period(*counted))
    assert comparison.compared == (compared and period(*compared))
    assert comparison.reason == (reason and UnlikeDays(*reason))
    assert comparison.change(3, 2) == (Change(3, 2, comparison.reason) if compared else None)


def test_what_lies_before_the_first_click_is_not_compared() -> None:
    week, before = period("2026-03-09", "2026-03-15"), period("2026-03-02", "2026-03-08")
    for first_day, reason in (
        (day("2026-03-02"), None),
        (day("2026-03-03"), NoDataBefore(day("2026-03-03"))),
        (None, NoDataBefore(None)),
    ):
        comparison = Comparison(week, before, day("2026-04-01"), first_day)
        assert comparison.reason == reason
        changes = comparison.changes(week.buckets("day"), [1] * 7, before.buckets("day"), [2] * 7)
        assert changes[0] == Change(1, 2, reason)
        assert changes[-1] == Change(1, 2, None if first_day else reason)


def test_a_bucket_is_compared_with_one_of_as_many_days() -> None:
    # A first week of one day, and a last one of two, against four and five.
    asked, before = period("2026-11-01", "2026-11-17"), period("2026-10-15", "2026-10-31")
    comparison = Comparison(asked, before, day("2026-11-16"), LONG_AGO)
    weeks, others = asked.buckets("week"), before.buckets("week")
    assert comparison.changes(weeks, [1, 7, 7, 2], others, [4, 7, 6]) == [
        Change(1, 4, UnlikeDays(1, 4)),
        Change(7, 7),
        Change(7, 6, UnlikeDays(7, 6)),
        None,  # beside nothing
    ]
    [*_, running] = comparison.changes(weeks, [1, 7, 7, 2], [*others, others[-1]], [4, 7, 6, 6])
    assert running == Change(2, 6, NotOver())


@pytest.mark.parametrize(
    ("current", "before", "difference", "ratio", "direction"),
    [
        (3, 2, 1, 0.5, "up"),
        (2, 4, -2, -0.5, "down"),
        (5, 0, 5, None, "up"),
        (0, 0, 0, None, "same"),
        (4, 4, 0, 0.0, "same"),
    ],
)
def test_a_change_has_no_per_cent_of_nothing(
    current: int, before: int, difference: int, ratio: float | None, direction: str
) -> None:
    change = Change(current, before)
    assert (change.difference, change.ratio, change.direction) == (difference, ratio, direction)
    unlike = Change(current, before, NotOver())
    assert (unlike.difference, unlike.ratio, unlike.direction) == (None, None, "")


dates = st.dates(date(2023, 11, 1), date(2026, 3, 31))
days = st.integers(1, 400) | st.sampled_from([7, 28, 30, 31, 91, 365, 366])
periods = st.builds(lambda start, number: Period(start, start + (number - 1) * DAY), dates, days)
months = st.builds(lambda one, other: Period(month_start(min(one, other)), month_end(max(one, other))), dates, dates)
questions = st.builds(
    Question.of, periods | months, st.sampled_from(BREAKDOWNS), st.sampled_from(COMPARES)
) | st.builds(
    lambda name, on, breakdown, compare: Question(
        PRESETS[name].period(on), breakdown, compare, PRESETS[name].other(on, compare)
    ),
    st.sampled_from([*PRESETS]),
    dates,
    st.sampled_from(BREAKDOWNS),
    st.sampled_from(COMPARES),
)


@given(questions, dates, st.none() | dates)
def test_every_change_is_of_as_many_days_that_are_over_and_after_the_first_click(
    question: Question, today: date, first_day: date | None
) -> None:
    comparison = Comparison(question.period, question.other, today, first_day)

    def is_alike(one: Period | Bucket, other: Period | Bucket) -> bool:
        return (
            one.days == other.days
            and max(one.end, other.end) < today
            and first_day is not None
            and min(one.start, other.start) >= first_day
        )

    change = comparison.change(2, 1)
    if change and change.difference is not None:
        assert comparison.counted
        assert comparison.compared
        assert is_alike(comparison.counted, comparison.compared)
        assert comparison.counted.start == question.period.start
    if comparison.drawn is None:
        return
    buckets, others = (part.buckets(question.breakdown) for part in (question.period, comparison.drawn))
    changes = comparison.changes(buckets, [2] * len(buckets), others, [1] * len(others))
    assert len(changes) == max(len(buckets), len(others))
    for bucket, other, change in zip(buckets, others, changes, strict=False):
        if change is None:
            assert bucket.start > today
        else:
            assert (change.difference is None) == (not is_alike(bucket, other))


@given(periods, st.sampled_from(COMPARES), dates, st.sampled_from(BREAKDOWNS))
def test_a_page_reads_all_days_that_it_shows(
    asked: Period, compare: Compare, today: date, breakdown: Breakdown
) -> None:
    question = Question.of(asked, breakdown, compare)
    comparison = Comparison(asked, question.other, today, LONG_AGO)
    shown = [asked, comparison.counted, comparison.compared, comparison.drawn]
    assert all(comparison.days.start <= part.start and part.end <= comparison.days.end for part in shown if part)
    assert not comparison.names_today or comparison.days.end == today
