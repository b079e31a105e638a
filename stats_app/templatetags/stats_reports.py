"""Filters and tags for numbers, dates and changes in the templates of reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from stats_app.periods import Period
from stats_app.reports import Change, Comparison, wording
from stats_app.reports.charts import change_html
from stats_app.reports.comparison import NoDataBefore
from stats_app.reports.names import name_html, plain_name, visible_name
from stats_app.reports.ranking import Rank

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    return wording.numbers().grouped(number)


@register.filter
def rounded(number: float) -> str:
    return wording.numbers().rounded(number)


@register.filter
def percent(ratio: float | None) -> str:
    """A part of a whole, from 0 to 1, as per cent."""
    return "–" if ratio is None else wording.numbers().share(ratio)


@register.filter
def compared_in_words(comparison: Comparison) -> str:
    """What is compared with what."""
    return wording.comparison_text(comparison)


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
    """An arrow, the per cent and the difference, with the meaning of the arrow for screen readers."""
    return change_html(value)


@register.filter
def row_change(value: Change | None) -> SafeString:
    """As `change`, in a table, without the text that there are no data before, because the page says it once."""
    return change_html(None if value and isinstance(value.reason, NoDataBefore) else value)


@register.filter
def plain_change(value: Change | None) -> str:
    """As `change`, as text for mails: such as “▲ +4.5% (+12)”, or the number before."""
    if value is None:
        return ""
    if value.reason is not None:
        return wording.before_text(value, wording.numbers())
    arrow = {"up": "▲", "down": "▼", "same": "="}[value.direction]
    return f"{arrow} {wording.change_text(value, wording.numbers())}"


@register.filter
def visible(name: object, public_id: str) -> str:
    """The name as text, or the public id if the name is invisible."""
    return visible_name(str(name), public_id)


@register.filter
def named_in_text(name: object, public_id: str) -> str:
    """The visible name for plain text, isolated if it is written from right to left."""
    return plain_name(str(name), public_id)


@register.filter
def named(name: object, public_id: str) -> SafeString:
    """The name with its own text direction, or the public id if the name is invisible."""
    return name_html(str(name), public_id)


@register.simple_tag
def list_address(page: str, workspace_id: str) -> str:
    """The address of the list of all campaigns or users; empty if the host does not include the staff pages."""
    try:
        return reverse(f"stats_dashboard:{page}", args=[workspace_id])
    except NoReverseMatch:
        return ""


@register.simple_tag
def linked(rows: Sequence[Rank], page: str, workspace_id: str) -> list[tuple[Rank, str | None]]:
    """Each row of a ranking with the address of its page, or None if the host does not include the staff pages."""
    if not rows:
        return []
    first = rows[0].public_id
    try:
        address = reverse(f"stats_dashboard:{page}", args=[workspace_id, first])
    except NoReverseMatch:
        return [(row, None) for row in rows]
    # The address is looked up once, because a look-up costs as much as the rest of a row.
    return [(row, address.replace(first, row.public_id)) for row in rows]
