"""Named periods, such as last month, and what each is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from stats_app.periods import (
    ONE_DAY,
    YEAR_OF_WEEKS,
    Compare,
    Period,
    compared_with,
    month_end,
    month_number,
    month_of_number,
    year_end,
    year_start,
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A named period. `whole(day)` is the whole period on the local date `day`. What is shown ends on `day` at the
    latest.

    A preset of days is compared with the same number of days before, even if they are whole months, so that weekdays
    match. A calendar preset is compared with the same number of first days of the previous whole period: on 10 March
    the first 10 days of March with the first 10 of February.
    """

    whole: Callable[[date], Period]
    counts_days: bool = False

    def period(self, day: date) -> Period:
        whole = self.whole(day)
        return Period(whole.start, max(whole.start, min(whole.end, day)))

    def other(self, day: date, compare: Compare) -> Period | None:
        """The period to compare with, or None."""
        whole = self.whole(day)
        if self.counts_days and compare == "previous":
            return whole.just_before()
        if self.counts_days and compare == "year":
            return whole.shifted(-YEAR_OF_WEEKS)
        other, period = compared_with(whole, compare), self.period(day)
        return other.first(period.days) if other and period != whole else other


def _days_to_yesterday(days: int) -> Preset:
    return Preset(lambda day: Period(day - timedelta(days=days), day - ONE_DAY), counts_days=True)


def _whole_months(*, ending: int, months: int) -> Preset:
    """`months` whole calendar months. The last of them is `ending` months before the day's month."""

    def whole(day: date) -> Period:
        last = month_number(day) - ending
        return Period(month_of_number(last - months + 1), month_end(month_of_number(last)))

    return Preset(whole)


PRESETS: dict[str, Preset] = {
    # Whole weeks that end yesterday. If they ended today, an unfinished day would be compared with a whole one.
    "last-7-days": _days_to_yesterday(7),
    "last-28-days": _days_to_yesterday(28),
    "last-91-days": _days_to_yesterday(91),
    "this-month": _whole_months(ending=0, months=1),
    "last-month": _whole_months(ending=1, months=1),
    "this-year": Preset(lambda day: Period(year_start(day), year_end(day))),
    # Includes the current month, so that its figures can be seen.
    "last-12-months": _whole_months(ending=0, months=12),
}
"""The named periods."""

OLD_PRESETS = {"last-30-days": "last-28-days", "last-90-days": "last-91-days"}
"""Old names that bookmarked addresses may contain, and the new names."""

DEFAULT_PRESET = "last-28-days"
