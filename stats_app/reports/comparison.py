"""Comparing a period with another one: which of their days can be compared, and what changed.

A change is only given between the same number of days, which are over and not before the workspace's first click.
Otherwise both numbers are shown, with the reason. Figures, tables, tooltips and CSV all use this module.
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
    """What a page is asked for: a period, its steps, and the period to compare with, if any (`other`)."""

    period: Period
    breakdown: Breakdown
    compare: Compare
    other: Period | None

    @classmethod
    def of(cls, period: Period, breakdown: Breakdown, compare: Compare = "previous") -> Question:
        """A question about a custom period."""
        return cls(period, breakdown, compare, compared_with(period, compare))


@dataclass(frozen=True, slots=True)
class UnlikeDays:
    """One side has more days than the other."""

    days: int
    before: int
    code: ClassVar[str] = "unlikeDays"


@dataclass(frozen=True, slots=True)
class NoDataBefore:
    """The other side begins before the workspace's first click. `first_day` is None if there is no click yet."""

    first_day: date | None
    code: ClassVar[str] = "noData"


@dataclass(frozen=True, slots=True)
class NotOver:
    """The last day is not over."""

    code: ClassVar[str] = "notOver"


Reason = UnlikeDays | NoDataBefore | NotOver


@dataclass(frozen=True, slots=True)
class Change:
    """The change since `before`. With a `reason` the two numbers cannot be compared, and no change is given."""

    current: int
    before: int
    reason: Reason | None = None

    @property
    def difference(self) -> int | None:
        return None if self.reason else self.current - self.before

    @property
    def ratio(self) -> float | None:
        """The difference divided by `before`; None if `before` is 0 or no change is given."""
        difference = self.difference
        return None if difference is None or not self.before else difference / self.before

    @property
    def direction(self) -> str:
        """`up`, `down`, `same`, or empty if no change is given."""
        difference = self.difference
        if difference is None:
            return ""
        return "up" if difference > 0 else "down" if difference else "same"


@dataclass(frozen=True)
class Comparison:
    """A period and the period to compare with, on the local date `today`.

    `other` is None if nothing is compared. `first_day` is the day of the workspace's first click, or None. Today is not
    over, so it is never compared with a whole day. While the period is running, its days that are over are compared
    with the same number of days at the beginning of the other period.
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
        """Whether the period has days that are not over, such as today."""
        return self.period.start <= self.today <= self.period.end

    @cached_property
    def counted(self) -> Period | None:
        """The days of the period that are over; None if there are none."""
        if self.today <= self.period.start:
            return None
        return Period(self.period.start, min(self.period.end, self.today - ONE_DAY))

    @cached_property
    def compared(self) -> Period | None:
        """The days of the other period to compare `counted` with; None if nothing is compared, or no day is over."""
        if self.other is None or self.counted is None:
            return None
        return self.other.first(self.counted.days) if self.is_running else self.other

    @cached_property
    def reason(self) -> Reason | None:
        """Why no change of the whole period is given; None if one is given, or if nothing is compared."""
        if self.counted is None or self.compared is None:
            return None
        return self._reason(self.counted, self.compared)

    def change(self, current: int, before: int) -> Change | None:
        """The change between the clicks in the days `compared` and `counted`; None if nothing is compared."""
        return None if self.compared is None else Change(current, before, self.reason)

    def changes(
        self, buckets: Sequence[Bucket], current: Sequence[int], others: Sequence[Bucket], before: Sequence[int]
    ) -> list[Change | None]:
        """The change of each bucket; None if one side is missing, and for future days."""
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
        """Whether the period ended yesterday. Then today's clicks so far are shown beside its figures."""
        return self.period.end == self.today - ONE_DAY

    @property
    def drawn(self) -> Period | None:
        """The days of the other period that a chart shows: all that have begun."""
        if self.other is None or self.other.start > self.today:
            return None
        return Period(self.other.start, min(self.other.end, self.today))

    @property
    def days(self) -> Period:
        """All days whose clicks a page needs."""
        days = [self.period, *([self.other] if self.other else [])]
        return hull([*days, Period(self.today, self.today)] if self.names_today else days)
