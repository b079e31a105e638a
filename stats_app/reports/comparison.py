"""A period beside the one before it, and the change between two counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from stats_app.periods import Period


@dataclass(frozen=True, slots=True)
class Change:
    """What became of `before`. `ratio` is None where `before` is 0: nothing is a per cent of nothing."""

    current: int
    before: int

    @property
    def difference(self) -> int:
        return self.current - self.before

    @property
    def ratio(self) -> float | None:
        return self.difference / self.before if self.before else None

    @property
    def direction(self) -> str:
        """`up`, `down` or `same`."""
        if self.current == self.before:
            return "same"
        return "up" if self.current > self.before else "down"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period as it stands on the local date `today`, and what it is compared with.

    While the period is running, its days so far, today included, are held against as many first days of the previous
    period. Otherwise both are whole.
    """

    period: Period
    today: date

    @property
    def is_running(self) -> bool:
        """Whether some day of the period, today included, is not over."""
        return self.period.start <= self.today <= self.period.end

    @property
    def is_future(self) -> bool:
        return self.today < self.period.start

    @property
    def is_cut(self) -> bool:
        """Whether only the first days are compared, because the others have not come."""
        return self.is_running and self.today < self.period.end

    @property
    def elapsed(self) -> Period:
        """The days of the period that have come, today included; all of them when none or all have."""
        return Period(self.period.start, self.today) if self.is_cut else self.period

    @property
    def previous(self) -> Period:
        return self.period.previous()

    @property
    def both(self) -> Period:
        """The previous period and the period as one: the one ends where the other begins."""
        return Period(self.previous.start, self.period.end)

    @property
    def compared(self) -> Period:
        """The days that the change is against."""
        previous = self.previous
        if not self.is_cut:
            return previous
        last = previous.start + timedelta(days=self.elapsed.days - 1)
        return Period(previous.start, min(last, previous.end))

    def change(self, current: int, before: int) -> Change | None:
        """None for a period that has not begun: a fall to 0 would be no news."""
        return None if self.is_future else Change(current, before)
