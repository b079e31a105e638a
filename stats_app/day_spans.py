"""The start and the end of local days in UTC. Pure functions: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

from stats_app.periods import ONE_DAY, Period, utc_midnight

_EDGE_DAYS = 3


@dataclass(frozen=True, slots=True)
class DaySpan:
    """The part of a day in UTC in which the local date is `day`: from `start` to before `end`, both in UTC."""

    day: date
    start: datetime
    end: datetime


@lru_cache(maxsize=4096)  # clicks of a batch share few days
def local_days(zone: tzinfo, utc_day: date) -> tuple[DaySpan, ...]:
    """The spans of a day in UTC, in the order of time, mostly two.

    There are more if clocks were put back across midnight (Newfoundland until 2011, at 00:01). Therefore a local day is
    not always the time from one local midnight to the next.
    """
    start = utc_midnight(utc_day)
    end = start + ONE_DAY
    before, after = (edge.astimezone(zone).utcoffset() or timedelta() for edge in (start, end))
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


def day_spans(zone: tzinfo, start: date, end: date) -> list[DaySpan]:
    """The spans of the local days `start` to `end`, in the order of time. A day that the zone skipped has none (Samoa,
    30 December 2011)."""
    utc_days = Period(start - ONE_DAY, end + ONE_DAY)  # no zone differs from UTC by more than a day
    return [span for utc_day in utc_days for span in local_days(zone, utc_day) if start <= span.day <= end]


def time_spans(zone: tzinfo, start: date, end: date) -> list[tuple[datetime, datetime]]:
    """The half-open spans of time, in UTC, in which the local date is between `start` and `end`; mostly one."""
    if (end - start).days <= 2 * _EDGE_DAYS:
        return _joined((span.start, span.end) for span in day_spans(zone, start, end))
    # Exact spans are needed only for the first and the last days, so a century costs no more than a week. The time
    # between them is inside the period in every zone. It overlaps the exact spans, so that only these can have gaps.
    edges = [
        *day_spans(zone, start, start + timedelta(days=_EDGE_DAYS)),
        *day_spans(zone, end - timedelta(days=_EDGE_DAYS), end),
    ]
    rest = (utc_midnight(start + 2 * ONE_DAY), utc_midnight(end - ONE_DAY))
    return _joined([*((span.start, span.end) for span in edges), rest])


def _joined(stretches: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The spans in the order of time, with those that touch or overlap merged."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _offset_change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The second at which the zone's offset changes between two times about a day apart, by binary search."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
