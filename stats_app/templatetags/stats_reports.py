"""How the templates of reports write numbers, dates and changes."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils.safestring import SafeString

from stats_app.periods import Period
from stats_app.reports import Change, wording
from stats_app.reports.charts import change_html

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    return wording.numbers().grouped(number)


@register.filter
def percent(ratio: float | None) -> str:
    return "–" if ratio is None else wording.numbers().percent(ratio)


@register.filter
def in_words(value: Period | datetime | date | None) -> str:
    """A period, a local time or a day."""
    if value is None:
        return "–"
    if isinstance(value, Period):
        return wording.period_text(value)
    return wording.time_text(value) if isinstance(value, datetime) else wording.day_text(value)


@register.filter
def change(value: Change | None) -> SafeString:
    """An arrow, the per cent and the difference; what the arrow says is there for ears, too."""
    return change_html(value)
