"""Local days as spans of time, compared with a count minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats_app.day_spans import DaySpan, day_spans, local_days, time_spans
from stats_app.periods import MAX_DATE, MIN_DATE, parse_time

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


# Zones with offsets of half and quarter hours, clocks that go back across midnight or forward at it, a shift of half
# an hour, a day that never was, summer time that stops for Ramadan, and moves for good; each around its change.
RAGGED = [
    ("Asia/Kathmandu", "2026-03-01"),
    ("Asia/Kolkata", "2026-12-31"),
    ("America/St_Johns", "2010-03-14"),
    ("America/St_Johns", "2010-11-07"),
    ("America/St_Johns", "2011-11-06"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Apia", "2011-09-24"),
    ("Pacific/Fakaofo", "2011-12-30"),
    ("Pacific/Kiritimati", "2026-01-01"),
    ("Pacific/Niue", "2026-01-01"),
    ("Pacific/Chatham", "2026-04-05"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"),
    ("Africa/Casablanca", "2010-08-08"),
    ("Africa/Cairo", "2014-05-15"),
    ("Africa/Cairo", "2014-09-25"),
    ("Africa/Khartoum", "2017-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"),
    ("Asia/Beirut", "2026-03-29"),
    ("Asia/Beirut", "2026-10-25"),
    ("Asia/Tehran", "2022-03-22"),
    ("Asia/Tehran", "2022-09-22"),
    ("Asia/Gaza", "2026-10-24"),
    ("Asia/Pyongyang", "2015-08-15"),
    ("Asia/Pyongyang", "2018-05-05"),
    ("America/Sao_Paulo", "2017-10-15"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("America/Caracas", "2016-05-01"),
    ("America/Scoresbysund", "2024-03-31"),
    ("America/Nuuk", "2023-10-29"),
    ("America/Metlakatla", "2015-11-01"),
    ("Antarctica/Casey", "2020-10-04"),
    ("Antarctica/Troll", "2026-10-25"),
    ("Europe/Istanbul", "2016-09-07"),
    ("Europe/Volgograd", "2020-12-27"),
    ("Europe/Paris", "2026-03-29"),
    ("America/New_York", "2026-11-01"),
    ("UTC", "2024-02-29"),
]

Stretch = tuple[datetime, datetime]


def brute_spans(zone: ZoneInfo, start: date, end: date) -> list[DaySpan]:
    """The local date of each minute, one after the other, cut at each midnight of UTC; all changes since 2000 fall on a
    whole minute."""
    minute = datetime(start.year, start.month, start.day, tzinfo=UTC) - 2 * DAY
    stop = datetime(end.year, end.month, end.day, tzinfo=UTC) + 3 * DAY
    spans: list[DaySpan] = []
    before: date | None = None
    while minute < stop:
        local = minute.astimezone(zone).date()
        if start <= local <= end:
            if local == before and minute.time() != time():
                spans[-1] = DaySpan(local, spans[-1].start, minute + MINUTE)
            else:
                spans.append(DaySpan(local, minute, minute + MINUTE))
        before = local
        minute += MINUTE
    return spans


def joined(spans: list[DaySpan]) -> list[Stretch]:
    stretches: list[Stretch] = []
    for span in spans:
        if stretches and stretches[-1][1] == span.start:
            stretches[-1] = (stretches[-1][0], span.end)
        else:
            stretches.append((span.start, span.end))
    return stretches


@pytest.mark.parametrize(("name", "middle"), RAGGED)
def test_local_days_are_those_of_each_minute(name: str, middle: str) -> None:
    zone, change = ZoneInfo(name), day(middle)
    plain = brute_spans(zone, change - 9 * DAY, change + 9 * DAY)
    for before in range(-2, 10):
        for after in (-1, 0, 1, 2, 4, 9):
            start, end = change - before * DAY, change + after * DAY
            if start > end:
                continue
            expected = [span for span in plain if start <= span.day <= end]
            assert day_spans(zone, start, end) == expected
            assert time_spans(zone, start, end) == joined(expected)


def test_a_day_has_two_spans_where_clocks_went_back_across_midnight() -> None:
    assert local_days(ZoneInfo("America/St_Johns"), day("2010-11-07")) == (
        DaySpan(day("2010-11-06"), parse_time("2010-11-07T00:00:00Z"), parse_time("2010-11-07T02:30:00Z")),
        DaySpan(day("2010-11-07"), parse_time("2010-11-07T02:30:00Z"), parse_time("2010-11-07T02:31:00Z")),
        DaySpan(day("2010-11-06"), parse_time("2010-11-07T02:31:00Z"), parse_time("2010-11-07T03:30:00Z")),
        DaySpan(day("2010-11-07"), parse_time("2010-11-07T03:30:00Z"), parse_time("2010-11-08T00:00:00Z")),
    )


def test_a_day_that_a_zone_skipped_has_no_span() -> None:
    samoa = ZoneInfo("Pacific/Apia")
    assert day_spans(samoa, day("2011-12-30"), day("2011-12-30")) == []
    assert time_spans(samoa, day("2011-12-30"), day("2011-12-30")) == []
    assert time_spans(samoa, day("2011-12-29"), day("2011-12-31")) == [
        (parse_time("2011-12-29T10:00:00Z"), parse_time("2011-12-31T10:00:00Z"))
    ]


ZONES = sorted({name for name, _ in RAGGED})


FIRST, LAST = datetime(2000, 1, 2, tzinfo=UTC), datetime(2099, 12, 30, tzinfo=UTC)


@given(st.sampled_from(ZONES), st.integers(0, int((LAST - FIRST).total_seconds())), st.integers(0, 40))
@settings(max_examples=300)
def test_a_moment_lies_in_the_spans_of_its_local_day_only(name: str, seconds: int, days: int) -> None:
    zone, utc = ZoneInfo(name), FIRST + timedelta(seconds=seconds)
    local = utc.astimezone(zone).date()
    assert [span.day for span in day_spans(zone, local - DAY, local + DAY) if span.start <= utc < span.end] == [local]
    for start in (local - days * DAY, local, local + DAY, local - (days + 1) * DAY):
        end = start + days * DAY
        inside = [stretch for stretch in time_spans(zone, start, end) if stretch[0] <= utc < stretch[1]]
        assert len(inside) == (1 if start <= local <= end else 0)


def test_a_century_costs_no_more_than_a_week() -> None:
    assert time_spans(ZoneInfo("Asia/Kathmandu"), MIN_DATE, MAX_DATE) == [
        (parse_time("1999-12-31T18:15:00Z"), parse_time("2099-12-31T18:15:00Z"))
    ]
