"""A period beside another one: which of their days may be held against each other, and what changed.

A change is said only between spans of equally many days that are over and lie after the workspace's first click. Else
both numbers stand, with the reason. Figures, tables, tooltips and CSV all take it from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import zip_longest
from typing import ClassVar, NamedTuple

from stats_app.periods import ONE_DAY, Breakdown, Bucket, Compare, Period, compared_with, hull


class Question(NamedTuple):
    """What a page is asked: a period in steps, and what to hold it against; `other` is None for nothing."""

    period: Period
    breakdown: Breakdown
    compare: Compare
    other: Period | None

    @classmethod
    def of(cls, period: Period, breakdown: Breakdown, compare: Compare = "previous") -> Question:
        """A question about dates of one's own."""
        return cls(period, breakdown, compare, compared_with(period, compare))


@dataclass(frozen=True, slots=True)
class UnlikeDays:
    """One side has more days than the other."""

    days: int
    before: int
    code: ClassVar[str] = "unlikeDays"


@dataclass(frozen=True, slots=True)
class NoDataBefore:
    """The other side begins before the workspace's first click; with None there is none yet."""

    first_day: date | None
    code: ClassVar[str] = "noData"


@dataclass(frozen=True, slots=True)
class NotOver:
    """The last day is not over."""

    code: ClassVar[str] = "notOver"


Reason = UnlikeDays | NoDataBefore | NotOver


@dataclass(frozen=True, slots=True)
class Change:
    """What became of `before`. With a `reason` the two are not alike, and nothing is said of what changed."""

    current: int
    before: int
    reason: Reason | None = None

    @property
    def difference(self) -> int | None:
        return None if self.reason else self.current - self.before

    @property
    def ratio(self) -> float | None:
        """The difference over `before`; None also where that is 0: nothing is a per cent of nothing."""
        difference = self.difference
        return None if difference is None or not self.before else difference / self.before

    @property
    def direction(self) -> str:
        """`up`, `down`, `same`, or empty where nothing is said."""
        difference = self.difference
        if difference is None:
            return ""
        return "up" if difference > 0 else "down" if difference else "same"


@dataclass(frozen=True)
class Comparison:
    """A period and what it is held against, as they stand on the local date `today`.

    `other` is None when nothing is compared; `first_day` is the first with a click of the workspace, None without any.
    Today's part of a day is never held against a whole day: while the period runs, its days that are over stand beside
    as many first days of the other one.
    """

    period: Period
    other: Period | None
    today: date
    first_day: date | None

    @property
    def is_future(self) -> bool:
        return self.today < self.period.start

    @property
    def is_running(self) -> bool:
        """Whether some day of the period, today included, is not over."""
        return self.period.start <= self.today <= self.period.end

    @cached_property
    def counted(self) -> Period | None:
        """The days of the period that are over; None when there are none."""
        if self.today <= self.period.start:
            return None
        return Period(self.period.start, min(self.period.end, self.today - ONE_DAY))

    @cached_property
    def compared(self) -> Period | None:
        """The days that those are held against; None when nothing is compared, or no day is over."""
        if self.other is None or self.counted is None:
            return None
        return self.other.first(self.counted.days) if self.is_running else self.other

    @cached_property
    def reason(self) -> Reason | None:
        """Why no change is said of the period as a whole; None where one is, and where nothing is compared."""
        if self.counted is None or self.compared is None:
            return None
        return self._reason(self.counted, self.compared)

    def change(self, current: int, before: int) -> Change | None:
        """Of the clicks in the days `counted` and `compared`; None when nothing is compared."""
        return None if self.compared is None else Change(current, before, self.reason)

    def changes(
        self, buckets: Sequence[Bucket], current: Sequence[int], others: Sequence[Bucket], before: Sequence[int]
    ) -> list[Change | None]:
        """The change of each bucket; None where one side is missing, and in days to come."""
        columns = zip_longest(buckets, current, others, before)
        return [
            None
            if bucket is None or other is None or bucket.start > self.today
            else Change(now, then, self._reason(bucket, other))
            for bucket, now, other, then in columns
        ]

    def _reason(self, days: Period | Bucket, other: Period | Bucket) -> Reason | None:
        if days.end >= self.today:
            return NotOver()
        if self.first_day is None or other.start < self.first_day or days.start < self.first_day:
            return NoDataBefore(self.first_day)
        return UnlikeDays(days.days, other.days) if days.days != other.days else None

    @property
    def names_today(self) -> bool:
        """Whether the period ended yesterday, so that today's clicks so far are named beside its figures."""
        return self.period.end == self.today - ONE_DAY

    @property
    def drawn(self) -> Period | None:
        """The days of the other one that a chart shows: all that have begun."""
        if self.other is None or self.other.start > self.today:
            return None
        return Period(self.other.start, min(self.other.end, self.today))

    @property
    def days(self) -> Period:
        """All days whose clicks a page needs."""
        days = [self.period, *([self.other] if self.other else [])]
        return hull([*days, Period(self.today, self.today)] if self.names_today else days)
