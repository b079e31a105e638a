"""Periods, buckets, labels, and strict dates and times."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats_app.errors import UnknownZone, WrongValue
from stats_app.periods import (
    BREAKDOWNS,
    MAX_DATE,
    MIN_DATE,
    Breakdown,
    Bucket,
    Period,
    fold,
    format_time,
    month_end,
    next_month,
    parse_day,
    parse_time,
    zone_of,
)

DAY = timedelta(days=1)

dates = st.dates(MIN_DATE, MAX_DATE)
periods = st.builds(lambda start, days: Period(start, start + days * DAY), dates, st.integers(0, 800))


def day(text: str) -> date:
    return date.fromisoformat(text)


def period(start: str, end: str) -> Period:
    return Period(day(start), day(end))


def wrong_day(value: object) -> tuple[str, str, str]:
    """The code, the rule and the message of what is no day."""
    with pytest.raises(WrongValue) as error:
        parse_day(value)
    return error.value.code, error.value.rule, error.value.message


def is_refused(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2000-01-01", date(2000, 1, 1)),
        ("2099-12-31", date(2099, 12, 31)),
    ],
)
def test_it_reads_a_day(text: str, expected: date) -> None:
    assert parse_day(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        20260301,
        date(2026, 3, 1),
        "",
        " 2026-03-01",
        "2026-03-01 ",
        "2026-03-01\n",
        "20260301",
        "2026-W09-1",
        "2026W091",
        "2026-060",
        "2026-3-1",
        "26-03-01",
        "02026-03-01",
        "2026-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-04-31",
        "0000-01-01",
        "-2026-03-01",
        "2026/03/01",
        "2026-03-01T00:00:00Z",
        "２０２６-03-01",
        "٢٠٢٦-03-01",
        "2026–03–01",
        "today",
    ],
)
def test_it_refuses_what_is_no_day(value: object) -> None:
    assert wrong_day(value) == (
        "invalid",
        "must be a date as Y-m-d",
        "Enter a date as year-month-day, such as 2026-03-31.",
    )


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
def test_it_refuses_days_on_which_nothing_is_counted(text: str) -> None:
    assert wrong_day(text) == (
        "out_of_range",
        "must be between 2000-01-01 and 2099-12-31",
        "Enter a date from 2000-01-01 to 2099-12-31.",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00+00:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00-00:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00+05:45", datetime(2026, 3, 1, 3, 45, tzinfo=UTC)),
        ("2026-03-01T09:30:00-23:59", datetime(2026, 3, 2, 9, 29, tzinfo=UTC)),
        ("2026-03-01T09:30:00.5Z", datetime(2026, 3, 1, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-03-01T09:30:00.000001Z", datetime(2026, 3, 1, 9, 30, 0, 1, tzinfo=UTC)),
        ("2026-03-01T23:59:59.999999Z", datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        # What .NET, and Go and Java, send: the microseconds are kept, and nothing is rounded up.
        ("2026-03-01T09:30:00.1234567Z", datetime(2026, 3, 1, 9, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-03-01T23:59:59.999999999Z", datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2026-03-01T09:30:00.000000001+01:00", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_it_reads_a_time(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T09:30Z",
        "2026-03-01T09Z",
        "2026-03-01T09:30:00",
        "2026-03-01 09:30:00Z",
        "2026-03-01t09:30:00Z",
        "2026-03-01T09:30:00z",
        "2026-03-01T09:30:00 Z",
        "2026-03-01T09:30:00Z\n",
        "2026-03-01T09:30:00.Z",
        "2026-03-01T09:30:00,5Z",
        "2026-03-01T09:30:00.1234567890Z",
        "2026-03-01T09:30:00+0100",
        "2026-03-01T09:30:00+01",
        "2026-03-01T09:30:00+01:00:00",
        "2026-03-01T09:30:00+24:00",
        "2026-03-01T09:30:00+05:60",
        "2026-03-01T09:30:00+05:99",
        "2026-03-01T09:30:00−05:00",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:60:00Z",
        "2026-03-01T23:59:60Z",
        "2026-02-29T09:30:00Z",
        "2026-W09-1T09:30:00Z",
        "20260301T093000Z",
        "2026-03-01T09:30:0٠Z",
        "1772357400",
    ],
)
def test_it_refuses_what_is_no_time(text: str) -> None:
    assert is_refused(parse_time, text)


def test_it_knows_a_zone_by_its_name() -> None:
    assert zone_of("Europe/Paris") == ZoneInfo("Europe/Paris")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../etc/passwd", "a\0b", "\ud800", "x" * 5000])
def test_a_zone_that_the_machine_lacks_is_named(name: str) -> None:
    with pytest.raises(UnknownZone) as error:
        zone_of(name)
    assert error.value.name == name
    assert str(error.value).isprintable()


def test_it_writes_a_time_in_utc_and_whole_seconds() -> None:
    time = datetime(2026, 3, 28, 12, 25, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(time) == "2026-03-28T10:25:00+00:00"


@pytest.mark.parametrize(
    ("given_day", "end", "following"),
    [
        ("2026-01-31", "2026-01-31", "2026-02-01"),
        ("2026-02-01", "2026-02-28", "2026-03-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2000-02-10", "2000-02-29", "2000-03-01"),
        ("2100-02-10", "2100-02-28", "2100-03-01"),
        ("2026-12-01", "2026-12-31", "2027-01-01"),
        ("2099-12-31", "2099-12-31", "2100-01-01"),
    ],
)
def test_it_knows_where_months_end(given_day: str, end: str, following: str) -> None:
    assert (month_end(day(given_day)), next_month(day(given_day))) == (day(end), day(following))


@pytest.mark.parametrize(
    ("asked", "previous"),
    [
        # Whole months: as many whole months before.
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        (("2024-03-01", "2024-03-31"), ("2024-02-01", "2024-02-29")),
        (("2026-01-01", "2026-01-31"), ("2025-12-01", "2025-12-31")),
        (("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        (("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31")),
        (("2025-03-01", "2026-02-28"), ("2024-03-01", "2025-02-28")),
        (("2025-11-01", "2027-02-28"), ("2024-07-01", "2025-10-31")),
        (("2000-01-01", "2000-01-31"), ("1999-12-01", "1999-12-31")),
        # Anything else: as many days before.
        (("2026-03-01", "2026-03-30"), ("2026-01-30", "2026-02-28")),
        (("2026-03-02", "2026-03-31"), ("2026-01-31", "2026-03-01")),
        (("2024-02-01", "2024-02-28"), ("2024-01-04", "2024-01-31")),
        (("2026-03-09", "2026-03-09"), ("2026-03-08", "2026-03-08")),
        (("2024-02-29", "2024-02-29"), ("2024-02-28", "2024-02-28")),
        (("2026-03-30", "2026-04-05"), ("2026-03-23", "2026-03-29")),
    ],
)
def test_it_compares_with_the_period_before(asked: tuple[str, str], previous: tuple[str, str]) -> None:
    assert period(*asked).previous() == period(*previous)


@given(periods)
def test_the_previous_period_ends_the_day_before_and_is_as_long(asked: Period) -> None:
    previous = asked.previous()
    assert previous.end == asked.start - DAY
    if asked.is_whole_months:
        assert previous.is_whole_months
        assert len(previous.buckets("month")) == len(asked.buckets("month"))
    else:
        assert previous.days == asked.days


def test_the_last_days_end_today() -> None:
    assert Period.last_days(30, day("2026-03-01")) == period("2026-01-31", "2026-03-01")
    assert Period.last_days(1, day("2024-02-29")) == period("2024-02-29", "2024-02-29")


def labelled(asked: Period, breakdown: Breakdown) -> list[tuple[str, str, str]]:
    return [(bucket.label, str(bucket.start), str(bucket.end)) for bucket in asked.buckets(breakdown)]


def test_days_are_labelled_with_their_date() -> None:
    assert labelled(period("2024-02-28", "2024-03-01"), "day") == [
        ("2024-02-28", "2024-02-28", "2024-02-28"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        ("2024-03-01", "2024-03-01", "2024-03-01"),
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        # 2020 has an ISO week 53, which reaches into 2021.
        (
            ("2020-12-26", "2021-01-05"),
            [
                ("2020-W52", "2020-12-26", "2020-12-27"),
                ("2020-W53", "2020-12-28", "2021-01-03"),
                ("2021-W01", "2021-01-04", "2021-01-05"),
            ],
        ),
        # The last days of 2024 belong to the first week of 2025.
        (
            ("2024-12-29", "2025-01-06"),
            [
                ("2024-W52", "2024-12-29", "2024-12-29"),
                ("2025-W01", "2024-12-30", "2025-01-05"),
                ("2025-W02", "2025-01-06", "2025-01-06"),
            ],
        ),
        # The first days of 2016 belong to week 53 of 2015.
        (("2016-01-01", "2016-01-03"), [("2015-W53", "2016-01-01", "2016-01-03")]),
        (
            ("2026-03-01", "2026-03-02"),
            [("2026-W09", "2026-03-01", "2026-03-01"), ("2026-W10", "2026-03-02", "2026-03-02")],
        ),
        (("2026-03-04", "2026-03-04"), [("2026-W10", "2026-03-04", "2026-03-04")]),
    ],
)
def test_weeks_are_iso_weeks_cut_to_the_period(asked: tuple[str, str], expected: list[tuple[str, str, str]]) -> None:
    assert labelled(period(*asked), "week") == expected


def test_months_are_cut_to_the_period() -> None:
    assert labelled(period("2023-12-31", "2024-03-01"), "month") == [
        ("2023-12", "2023-12-31", "2023-12-31"),
        ("2024-01", "2024-01-01", "2024-01-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-03", "2024-03-01", "2024-03-01"),
    ]


PLAIN_LABELS = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}


@given(periods, st.sampled_from(BREAKDOWNS))
@settings(max_examples=60)
def test_buckets_cover_each_day_of_the_period_once(asked: Period, breakdown: Breakdown) -> None:
    days = [asked.start + number * DAY for number in range((asked.end - asked.start).days + 1)]
    plain: dict[str, list[date]] = {}
    for each in days:
        plain.setdefault(each.strftime(PLAIN_LABELS[breakdown]), []).append(each)
    buckets = asked.buckets(breakdown)
    assert buckets == [Bucket(label, run[0], run[-1]) for label, run in plain.items()]
    numbers = list(range(1, len(days) + 1))
    by_day = dict(zip(days, numbers, strict=True))
    assert fold(numbers, buckets) == [sum(by_day[each] for each in run) for run in plain.values()]
    assert (list(asked), asked.days) == (days, len(days))


@given(dates)
def test_a_month_of_every_day_is_whole(any_day: date) -> None:
    last = calendar.monthrange(any_day.year, any_day.month)[1]
    assert Period(any_day.replace(day=1), any_day.replace(day=last)).is_whole_months
