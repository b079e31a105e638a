"""Periods, their buckets and labels, and local days. Pure: no database, no clock.

A period is two local dates, both included. A bucket is one day, ISO week or calendar month of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from itertools import groupby, pairwise
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

Breakdown = Literal["day", "week", "month"]
BREAKDOWNS: tuple[Breakdown, ...] = get_args(Breakdown)

MIN_DATE = date(2000, 1, 1)
MAX_DATE = date(2099, 12, 31)
MAX_DAYS = 3660
DEFAULT_DAYS = 30

ONE_DAY = timedelta(days=1)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The offset's minutes are held to 59 here, because `fromisoformat` carries more of them over into hours.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-5][0-9])")


def parse_date(text: str) -> date:
    """A `Y-m-d` date. Stricter than `fromisoformat`, which also takes `20260301` and `2026-W09-1`.

    Raises ValueError for anything else.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def parse_time(text: str) -> datetime:
    """An RFC 3339 time with `T`, an offset and at most 6 fraction digits. Raises ValueError for anything else."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with the offset `+00:00`, in whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def utc_midnight(day: date) -> datetime:
    """The moment at which the day begins in UTC."""
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
    return _month_of_number(_month_number(day) + 1)


def _month_number(day: date) -> int:
    """Months since the year 0, so that they can be added and taken away."""
    return day.year * 12 + day.month - 1


def _month_of_number(number: int) -> date:
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
        """The period to compare with: it ends the day before this one starts.

        Whole calendar months are compared with as many whole months, so that March is held against February and
        not against 29 January to 28 February; any other period with the same number of days.
        """
        end = self.start - ONE_DAY
        if not self.is_whole_months:
            return Period(self.start - timedelta(days=self.days), end)
        months = _month_number(self.end) - _month_number(self.start) + 1
        return Period(_month_of_number(_month_number(self.start) - months), end)

    def buckets(self, breakdown: Breakdown) -> list[Bucket]:
        """The buckets in order, none left out; the first and the last hold only their days inside the period."""
        return list(_buckets(self, breakdown))

    def whole_years(self) -> Period | None:
        """The calendar years that lie wholly inside, as one period; None when there is none."""
        first = self.start.year + (self.start != year_start(self.start))
        last = self.end.year - (self.end != year_end(self.end))
        return Period(date(first, 1, 1), date(last, 12, 31)) if first <= last else None


# A year of days costs as much to make as a short answer does, and all workspaces are asked for the same few periods.
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


_LABELS = {"day": date.isoformat, "week": _week_label, "month": _month_label}


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


@dataclass(frozen=True, slots=True)
class DaySpan:
    """A stretch of one day in UTC, `start` included and `end` not, both UTC, in which the local date is `day`."""

    day: date
    start: datetime
    end: datetime


@lru_cache(maxsize=4096)  # clicks of a batch share few days
def local_days(zone: ZoneInfo, utc_day: date) -> tuple[DaySpan, ...]:
    """The spans of a day in UTC, in the order of time: two as a rule.

    There are more where clocks were put back across midnight (Newfoundland until 2011, at 00:01), which is why a local
    day is not just "from one local midnight to the next".
    """
    start = utc_midnight(utc_day)
    end = start + ONE_DAY
    before, after = (moment.astimezone(zone).utcoffset() or timedelta() for moment in (start, end))
    cuts = {start, end, start if before == after else _offset_change(zone, start, end)}
    for offset in (before, after):
        cuts.add(utc_midnight((start + offset).date() + ONE_DAY) - offset)  # local midnight
    spans: list[DaySpan] = []
    for cut, until in pairwise(sorted(cuts)):
        day = cut.astimezone(zone).date()
        if spans and spans[-1].day == day:
            spans[-1] = DaySpan(day, spans[-1].start, until)
        else:
            spans.append(DaySpan(day, cut, until))
    return tuple(spans)


def day_spans(zone: ZoneInfo, start: date, end: date) -> list[DaySpan]:
    """The spans of the local days `start` to `end`, in the order of time: none of a day that the zone skipped (Samoa,
    30 December 2011)."""
    utc_days = Period(start - ONE_DAY, end + ONE_DAY)  # no zone is more than a day from UTC
    return [span for utc_day in utc_days for span in local_days(zone, utc_day) if start <= span.day <= end]


def time_spans(zone: ZoneInfo, start: date, end: date) -> list[tuple[datetime, datetime]]:
    """The stretches of time, UTC and half-open, in which the local date lies between `start` and `end`; mostly one."""
    if (end - start).days <= 2 * _EDGE_DAYS:
        return _joined((span.start, span.end) for span in day_spans(zone, start, end))
    # Only the edges can be ragged, so that a century costs no more than a week. The rest is inside in every zone; it
    # overlaps the edges, whose inner ends can be ragged, too.
    edges = [
        *day_spans(zone, start, start + timedelta(days=_EDGE_DAYS)),
        *day_spans(zone, end - timedelta(days=_EDGE_DAYS), end),
    ]
    rest = (utc_midnight(start + 2 * ONE_DAY), utc_midnight(end - ONE_DAY))
    return _joined([*((span.start, span.end) for span in edges), rest])


_EDGE_DAYS = 3


def _joined(stretches: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The stretches in the order of time, those that touch or overlap as one."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _offset_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second, found by halving, at which the zone's offset changes between two moments a day or so apart."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _whole_months(today: date, *, ending: int, months: int) -> Period:
    """As many whole calendar months, the last of them `ending` months before today's."""
    last = _month_number(today) - ending
    return Period(_month_of_number(last - months + 1), month_end(_month_of_number(last)))


PRESETS: dict[str, Callable[[date], Period]] = {
    "last-7-days": partial(Period.last_days, 7),
    "last-30-days": partial(Period.last_days, 30),
    "last-90-days": partial(Period.last_days, 90),
    "this-month": partial(_whole_months, ending=0, months=1),
    "last-month": partial(_whole_months, ending=1, months=1),
    "this-year": lambda today: Period(year_start(today), year_end(today)),
    # With the month that is running, so that its figures are among them.
    "last-12-months": partial(_whole_months, ending=0, months=12),
}
"""The periods that have a name, for the local date of today. Months and years are whole, also the running ones."""

DEFAULT_PRESET = "last-30-days"


def default_breakdown(period: Period) -> Breakdown:
    """The finest breakdown that is still read at a glance."""
    if period.days <= 92:
        return "day"
    return "week" if period.days <= 184 else "month"
