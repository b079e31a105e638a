"""The clicks of a period by weekday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR

from stats_app.periods import Period

HEIGHT = 64
"""Of the bars, in pixels."""


@dataclass(frozen=True, slots=True)
class Weekday:
    """One day of the week: its clicks on all of its days together, and on one of them on average."""

    number: int
    clicks: int
    days: int
    height: int

    @property
    def name(self) -> str:
        return str(WEEKDAYS[self.number]).capitalize()

    @property
    def short_name(self) -> str:
        return str(WEEKDAYS_ABBR[self.number]).capitalize()

    @property
    def each(self) -> float:
        return self.clicks / self.days if self.days else 0

    @property
    def top(self) -> int:
        """Where its bar begins, from above."""
        return HEIGHT - self.height


def weekdays(days: Period, daily: Sequence[int]) -> list[Weekday]:
    """From Monday to Sunday, of the clicks on each of some days. The bars are as high as the averages."""
    first = days.start.weekday()
    groups = [daily[(number - first) % 7 :: 7] for number in range(7)]
    averages = [sum(group) / len(group) if group else 0 for group in groups]
    most = max(averages) or 1
    return [
        Weekday(number, sum(group), len(group), round(HEIGHT * average / most))
        for number, (group, average) in enumerate(zip(groups, averages, strict=True))
    ]
