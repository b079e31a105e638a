"""Numbers, dates, periods and changes as texts in the active language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache

from django.utils.dates import MONTHS, MONTHS_AP, WEEKDAYS_ABBR
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from stats_app import person_figures, verdicts
from stats_app.dimensions import BOT, HUMAN, SUSPECTED
from stats_app.models.campaigns import COMPLETED, PAUSED, PLANNED, RUNNING
from stats_app.periods import Breakdown, Bucket, Compare, Period, month_end
from stats_app.reports.comparison import Change, Comparison, NoDataBefore, NotOver, Reason, UnlikeDays

MINUS = "−"

VERDICT_WORDS = {HUMAN: gettext_lazy("human"), SUSPECTED: gettext_lazy("suspected"), BOT: gettext_lazy("bot")}

# Thousands in French are separated by a narrow no-break space, as in browsers. Django uses one of full width.
_THOUSANDS = {"fr": "\u202f"}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The number format of the active language, looked up once for a table of thousands of numbers."""

    thousands: str
    decimal: str
    per_cent: str

    def grouped(self, number: int) -> str:
        """A whole number with the language's thousands separator, even if the host's settings do not use it."""
        return f"{number:,}".replace(",", self.thousands).replace("-", MINUS)

    def rounded(self, number: float) -> str:
        """With one decimal, or as a whole number from 100 on. Only 0 is shown as 0."""
        if 0 < number < 0.05:
            return f"<0{self.decimal}1"
        if number >= 99.95:
            return self.grouped(round(number))
        return f"{number:.1f}".replace(".", self.decimal)

    def signed(self, number: int) -> str:
        return f"+{self.grouped(number)}" if number > 0 else self.grouped(number)

    def percent(self, ratio: float, *, with_sign: bool = False) -> str:
        """A ratio as per cent with one decimal, or without decimals from 1,000 % on. Only 0 is shown as 0."""
        value = ratio * 100
        if 0 < abs(value) < 0.05:
            return self.per_cent % {"number": f"<0{self.decimal}1"}
        if abs(value) >= 1000:
            text = (self.signed if with_sign else self.grouped)(round(value))
        else:
            digits = f"{value:+.1f}" if with_sign else f"{value:.1f}"
            text = digits.replace("-", MINUS).replace(".", self.decimal)
        return self.per_cent % {"number": text}

    def share(self, ratio: float) -> str:
        """A part of a whole as per cent. Only the whole is shown as 100."""
        if 0.9995 <= ratio < 1:
            return self.per_cent % {"number": f">99{self.decimal}9"}
        return self.percent(ratio)

    def change(self, current: int, before: int) -> str:
        """Such as “+4.5% (+12)”; without the per cent if the number before was 0, or nothing changed."""
        difference = current - before
        if not before or not difference:
            return self.signed(difference)
        return f"{self.percent(difference / before, with_sign=True)} ({self.signed(difference)})"


def numbers() -> Numbers:
    """The number format of the active language."""
    return _numbers(get_language())


@cache
def _numbers(language: str | None) -> Numbers:
    return Numbers(
        _THOUSANDS.get((language or "").partition("-")[0]) or str(get_format("THOUSAND_SEPARATOR")),
        str(get_format("DECIMAL_SEPARATOR")),
        pgettext("percent", "%(number)s%%"),
    )


def change_text(change: Change | None, style: Numbers) -> str:
    """Such as “+4.5% (+12)”, or why no change is given; empty if nothing is compared."""
    if change is None:
        return ""
    return reason_text(change.reason) if change.reason else style.change(change.current, change.before)


def before_text(change: Change, style: Numbers) -> str:
    """The text beside a number that has no change: the number before, or that there are no data before."""
    if isinstance(change.reason, NoDataBefore):
        return reason_text(change.reason)
    return _("before: %(number)s") % {"number": style.grouped(change.before)}


def reason_text(reason: Reason) -> str:
    """Why two numbers are not compared."""
    return _reason_text(reason, get_language())


@lru_cache(maxsize=256)  # hundreds of rows have the same text
def _reason_text(reason: Reason, language: str | None) -> str:
    if isinstance(reason, NotOver):
        return _("not over yet")
    if isinstance(reason, UnlikeDays):
        text = ngettext("%(days)s day against %(before)s", "%(days)s days against %(before)s", reason.days)
        return text % {"days": reason.days, "before": reason.before}
    if reason.first_day is None:
        return _("no data before")
    return _("no data before %(day)s") % {"day": day_text(reason.first_day)}


def comparison_text(comparison: Comparison) -> str:
    """What is compared with what, in a sentence or two; empty if nothing is compared."""
    if comparison.is_future:
        return _("This period has not begun.")
    if comparison.other is None:
        return _("It is not over yet.") if comparison.is_running else ""
    counted, compared = comparison.counted, comparison.compared
    if counted is None or compared is None:
        return _("None of its days is complete yet, so nothing is compared.")
    days = {"counted": period_text(counted), "compared": period_text(compared)}
    if comparison.is_running:
        text = _("Still running: its complete days, %(counted)s, are compared with %(compared)s.") % days
    else:
        text = _("Compared with %(compared)s.") % days
    if comparison.reason is None:
        return text
    why = _("No change is shown: %(reason)s.") % {"reason": reason_text(comparison.reason)}
    return f"{text} {why}"


def click_reason(reason: str) -> str:
    """Why a click is not counted, from the reason that is stored."""
    return verdicts.reason_text(reason) or _("no reason given")


def withheld_text() -> str:
    """Why a person's figures are not shown."""
    if not person_figures.are_shown():
        return _("This site does not show clicks by person.")
    return _(
        "Figures of persons with fewer than %(number)s clicks in a period are withheld; if that is only one person, "
        "also the next smallest figure."
    ) % {"number": person_figures.least()}


def compared_names(compare: Compare) -> tuple[str, str]:
    """The title of a chart of clicks, and the name of the period to compare with."""
    if compare == "previous":
        return _("Clicks, this period and the one before"), _("Previous period")
    if compare == "year":
        return _("Clicks, this period and a year before"), _("A year before")
    return _("Clicks"), ""


def day_text(day: date) -> str:
    pattern = _("%(day)s %(month)s %(year)s")
    return pattern % {"day": _day_number(day), "month": MONTHS[day.month], "year": day.year}


def short_day_text(day: date) -> str:
    """Such as “2 Mar 2026”, for the cells of a table."""
    pattern = _("%(day)s %(month)s %(year)s")
    return pattern % {"day": _day_number(day), "month": _short_months()[day.month], "year": day.year}


def status_text(status: str) -> str:
    """A campaign's status in the active language."""
    return {PLANNED: _("planned"), RUNNING: _("running"), PAUSED: _("paused"), COMPLETED: _("completed")}[status]


def _day_number(day: date) -> str:
    """The day of the month. The first has a special form in French."""
    return pgettext("first day of a month", "1") if day.day == 1 else str(day.day)


def period_text(period: Period) -> str:
    """Such as “1–31 March 2026”: month and year are written once if both days share them."""
    start, end = period.start, period.end
    if start == end:
        return day_text(start)
    if (start.year, start.month) == (end.year, end.month):
        return _("%(first)s–%(last)s %(month)s %(year)s") % {
            "first": _day_number(start),
            "last": end.day,
            "month": MONTHS[end.month],
            "year": end.year,
        }
    first = day_text(start)
    if start.year == end.year:
        first = _("%(day)s %(month)s") % {"day": _day_number(start), "month": MONTHS[start.month]}
    return _("%(first)s – %(last)s") % {"first": first, "last": day_text(end)}


def time_text(time: datetime) -> str:
    """A local time, to the minute."""
    return _("%(date)s, %(time)s") % {"date": day_text(time.date()), "time": time.strftime("%H:%M")}


def _short_months() -> dict[int, str]:
    """Short names of months that are all different: with three letters, June and July are equal in French.

    They are Django's, except two French names that are unusual.
    """
    names = {number: str(name) for number, name in MONTHS_AP.items()}
    if (get_language() or "").startswith("fr"):
        return names | {1: "janv.", 2: "févr."}
    return {number: name.rstrip(".") for number, name in names.items()}


def short_labels(buckets: Sequence[Bucket], breakdown: Breakdown) -> list[str]:
    """The labels on an axis, all different: days have their year if the same date occurs in two years.

    The label of a week is its first day.
    """
    months = _short_months()
    if breakdown == "month":
        pattern = _("%(month)s %(year)s")
        return [pattern % {"month": months[bucket.start.month], "year": bucket.start.year} for bucket in buckets]
    first, last = buckets[0].start, buckets[-1].start
    comes_again = (last.year - 1, last.month, last.day) >= (first.year, first.month, first.day)
    pattern = _("%(day)s %(month)s %(year)s") if comes_again else _("%(day)s %(month)s")
    return [
        pattern % {"day": _day_number(bucket.start), "month": months[bucket.start.month], "year": bucket.start.year}
        for bucket in buckets
    ]


def full_labels(buckets: Sequence[Bucket], breakdown: Breakdown) -> list[str]:
    """The names of buckets in a table. Names of months are looked up once, because a year by day has 730 labels."""
    if breakdown == "day":
        months = _short_months()
        weekdays = [str(WEEKDAYS_ABBR[number]).capitalize() for number in range(7)]
        pattern = _("%(weekday)s %(day)s %(month)s %(year)s")
        return [
            pattern
            % {
                "weekday": weekdays[bucket.start.weekday()],
                "day": _day_number(bucket.start),
                "month": months[bucket.start.month],
                "year": bucket.start.year,
            }
            for bucket in buckets
        ]
    if breakdown == "week":
        pattern = pgettext("week", "W%(week)s, %(days)s")
        return [
            pattern % {"week": bucket.start.isocalendar().week, "days": period_text(Period(bucket.start, bucket.end))}
            for bucket in buckets
        ]
    return [_month_text(bucket) for bucket in buckets]


def _month_text(bucket: Bucket) -> str:
    """The month's name, or its days if the period cuts the month."""
    if bucket.start.day == 1 and bucket.end == month_end(bucket.end):
        month = str(MONTHS[bucket.start.month]).capitalize()
        return _("%(month)s %(year)s") % {"month": month, "year": bucket.start.year}
    return period_text(Period(bucket.start, bucket.end))
