"""Periods, their buckets and labels, and the days and times that callers send. Pure functions: no database, no clock.

A period is two local dates, both included. A bucket is one day, ISO week or calendar month of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from stats_app.errors import UnknownZone, WrongValue

Breakdown = Literal["day", "week", "month"]
BREAKDOWNS: tuple[Breakdown, ...] = get_args(Breakdown)

Compare = Literal["previous", "year", "none"]
"""What a page compares a period with: the period just before, the same days a year before, or nothing."""
COMPARES: tuple[Compare, ...] = get_args(Compare)

MIN_DATE = date(2000, 1, 1)
MAX_DATE = date(2099, 12, 31)
MAX_DAYS = 3660
DEFAULT_DAYS = 30

ONE_DAY = timedelta(days=1)
# The number of whole weeks closest to a year, so that weekdays match.
YEAR_OF_WEEKS = timedelta(weeks=52)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Limits the minutes of the offset to 59, because `fromisoformat` would carry larger ones over into hours.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-5][0-9])")


DAY_RULE = "must be a date as Y-m-d"


def parse_day(value: object) -> date:
    """Parses a day: the text `Y-m-d` of a date from `MIN_DATE` to `MAX_DATE`.

    Raises WrongValue for anything else, also for other forms that `fromisoformat` accepts: `20260301`, `2026-W09-1`.
    """
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        raise WrongValue("invalid", DAY_RULE, _("Enter a date as year-month-day, such as 2026-03-31."))
    if not is_countable(day):
        first, last = MIN_DATE.isoformat(), MAX_DATE.isoformat()
        raise WrongValue(
            "out_of_range",
            f"must be between {first} and {last}",
            _("Enter a date from %(first)s to %(last)s.") % {"first": first, "last": last},
        )
    return day


def is_countable(day: date) -> bool:
    """Whether clicks of the day can be recorded and queried."""
    return MIN_DATE <= day <= MAX_DATE


def parse_time(text: str) -> datetime:
    """Parses an RFC 3339 time with `T`, an offset and at most 9 digits of a fraction. Microseconds are kept.

    Raises ValueError for anything else.
    """
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def zone_of(name: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises UnknownZone if this machine lacks it, even if others have it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(name) from None


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with the offset `+00:00`, in whole seconds."""
    return time.astimezone(UTC).isoformat(timespec="seconds")


def utc_midnight(day: date) -> datetime:
    """The time at which the day begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def month_start(day: date) -> date:
    return day.replace(day=1)


def year_start(day: date) -> date:
    return date(day.year, 1, 1)


def year_end(day: date) -> date:
    return date(day.year, 12, 31)


def month_end(day: date) -> date:
    return next_month(day) - ONE_DAY


def next_month(day: date) -> date:
    """The first day of the month after `day`'s."""
    return month_of_number(month_number(day) + 1)


def _a_year_before(day: date) -> date:
    """The same date a year before; 28 February for 29 February."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def month_number(day: date) -> int:
    """Months since the year 0, for adding and subtracting months."""
    return day.year * 12 + day.month - 1


def month_of_number(number: int) -> date:
    """The first day of the month with this number."""
    return date(number // 12, number % 12 + 1, 1)


class Bucket(NamedTuple):
    """One step of a series: its printed label and the days of the period that it counts, both included."""

    label: str
    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` to `end`, both included."""

    start: date
    end: date

    @classmethod
    def last_days(cls, days: int, today: date) -> Period:
        """The `days` days that end today: today and the `days - 1` before it."""
        return cls(today - timedelta(days=days - 1), today)

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def __iter__(self) -> Iterator[date]:
        return map(date.fromordinal, range(self.start.toordinal(), self.end.toordinal() + 1))

    @property
    def is_whole_months(self) -> bool:
        return self.start.day == 1 and self.end == month_end(self.end)

    def previous(self) -> Period:
        """The period to compare with. It ends the day before this one starts.

        Whole calendar months are compared with the same number of whole months, so that March is compared with February
        and not with 29 January to 28 February. Any other period is compared with the same number of days.
        """
        if not self.is_whole_months:
            return self.just_before()
        months = month_number(self.end) - month_number(self.start) + 1
        return Period(month_of_number(month_number(self.start) - months), self.start - ONE_DAY)

    def just_before(self) -> Period:
        """The same number of days, ending the day before this period starts."""
        return self.shifted(-timedelta(days=self.days))

    def year_before(self) -> Period:
        """The same days a year before. For whole months these are the same months; for whole weeks the days 364 days
        before, so that weekdays match; else the same dates, with 28 February for 29 February."""
        if self.is_whole_months:
            return Period(_a_year_before(self.start), month_end(_a_year_before(month_start(self.end))))
        if self.days % 7 == 0:
            return self.shifted(-YEAR_OF_WEEKS)
        return Period(_a_year_before(self.start), _a_year_before(self.end))

    def shifted(self, by: timedelta) -> Period:
        return Period(self.start + by, self.end + by)

    def first(self, days: int) -> Period:
        """The first `days` days of this period, or all if it has fewer."""
        return Period(self.start, min(self.end, self.start + timedelta(days=days - 1)))

    def buckets(self, breakdown: Breakdown) -> list[Bucket]:
        """All buckets in order. The first and the last contain only their days inside the period."""
        return list(_buckets(self, breakdown))


def hull(periods: Iterable[Period]) -> Period:
    """The shortest period that contains all of them."""
    held = list(periods)
    return Period(min(period.start for period in held), max(period.end for period in held))


# Cached, because making the buckets of a year costs as much as a short answer, and few periods are asked for.
@lru_cache(maxsize=32)
def _buckets(period: Period, breakdown: Breakdown) -> tuple[Bucket, ...]:
    if breakdown == "day":
        return tuple(Bucket(day.isoformat(), day, day) for day in period)
    runs = [(label, list(days)) for label, days in groupby(period, _LABELS[breakdown])]
    return tuple(Bucket(label, days[0], days[-1]) for label, days in runs)


def _week_label(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def _month_label(day: date) -> str:
    return f"{day.year:04}-{day.month:02}"


_LABELS = {"week": _week_label, "month": _month_label}


def fold(daily: Sequence[int], buckets: Sequence[Bucket]) -> list[int]:
    """Daily counts, one for each day of the period, summed into its buckets."""
    if len(buckets) == len(daily):
        return list(daily)
    folded = []
    first = 0
    for bucket in buckets:
        folded.append(sum(daily[first : first + bucket.days]))
        first += bucket.days
    return folded


def compared_with(period: Period, compare: Compare) -> Period | None:
    """The period to compare a custom period with, or None."""
    if compare == "none":
        return None
    return period.previous() if compare == "previous" else period.year_before()


def calendar_period(every: Literal["week", "month"], day: date) -> Period:
    """The week from Monday to Sunday, or the calendar month, that contains the day."""
    if every == "month":
        return Period(month_start(day), month_end(day))
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=6))


def default_breakdown(period: Period) -> Breakdown:
    """The finest breakdown whose chart is still easy to read."""
    if period.days <= 92:
        return "day"
    return "week" if period.days <= 184 else "month"
