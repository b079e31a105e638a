"""The clicks of a period by weekday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR

from stats_app.periods import Period

HEIGHT = 64
"""The height of the highest bar, in pixels."""


@dataclass(frozen=True, slots=True)
class Weekday:
    """One day of the week: the sum of its clicks in the period, and their average."""

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
        """The distance of its bar from the top."""
        return HEIGHT - self.height


def weekdays(days: Period, daily: Sequence[int]) -> list[Weekday]:
    """The weekdays from Monday to Sunday, from the clicks of each day. The height of the bars shows the averages."""
    first = days.start.weekday()
    groups = [daily[(number - first) % 7 :: 7] for number in range(7)]
    averages = [sum(group) / len(group) if group else 0 for group in groups]
    most = max(averages) or 1
    return [
        Weekday(number, sum(group), len(group), round(HEIGHT * average / most))
        for number, (group, average) in enumerate(zip(groups, averages, strict=True))
    ]
