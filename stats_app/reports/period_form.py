"""Period and breakdown as an address holds them: a preset, or two dates; and the form that changes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from stats_app.periods import (
    BREAKDOWNS,
    DEFAULT_PRESET,
    MAX_DATE,
    MAX_DAYS,
    MIN_DATE,
    PRESETS,
    Breakdown,
    Period,
    default_breakdown,
    parse_date,
)

# More rows than this nobody reads, and no screen has as many points.
MAX_BUCKETS = 400

PRESET_NAMES = {
    "last-7-days": _("Last 7 days"),
    "last-30-days": _("Last 30 days"),
    "last-90-days": _("Last 90 days"),
    "this-month": _("This month"),
    "last-month": _("Last month"),
    "this-year": _("This year"),
    "last-12-months": _("Last 12 months"),
}
BREAKDOWN_NAMES = {"day": _("Days"), "week": _("Weeks"), "month": _("Months")}


class DayField(forms.Field):
    """A local date as Y-m-d, by the rules of the API, in words of the reader's language."""

    default_error_messages = {
        "required": _("Enter a date."),
        "invalid": _("Enter a date as year-month-day, such as 2026-03-31."),
        "range": _("Enter a date from %(first)s to %(last)s."),
    }

    def to_python(self, value: Any) -> date | None:
        if not value:
            return None
        try:
            day = parse_date(value.strip())
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if not MIN_DATE <= day <= MAX_DATE:
            params = {"first": MIN_DATE.isoformat(), "last": MAX_DATE.isoformat()}
            raise ValidationError(self.error_messages["range"], code="range", params=params)
        return day


class PeriodForm(forms.Form):
    """Period and breakdown of an address: `from` and `to`, or `period=` a preset, and `breakdown`.

    Without any it is the last 30 days; without a breakdown the one that suits the length. `today` is the workspace's
    local date. When it is valid, `period` and `breakdown` are there. What was typed stays in the fields.

    The form of a preset sends its name beside the dates. While these are still the preset's own, only the breakdown was
    changed: then the form is not `is_settled`, and its page belongs to the `settled_address`, which keeps the preset.
    `carried` is what the address says of the page besides, such as the order of its tables: it stays as it is.
    """

    use_required_attribute = False

    def __init__(self, query: Mapping[str, Any], today: date) -> None:
        super().__init__(_filled_in(query, today), auto_id="stats-%s", label_suffix="")
        self.today = today
        self.preset = _preset(query, today)
        self.is_settled = not (self.preset and _has_dates(query))
        self.format = query.get("format", "")
        self.fields["from"] = DayField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
        self.fields["to"] = DayField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))
        self.fields["breakdown"] = forms.ChoiceField(
            label=_("By"),
            choices=[(breakdown, BREAKDOWN_NAMES[breakdown]) for breakdown in BREAKDOWNS],
            error_messages={"required": _("Choose days, weeks or months.")}
            | {"invalid_choice": _("Choose days, weeks or months.")},
        )
        self.carried = {name: query[name] for name in query if name not in (*self.fields, "period", "format")}
        self._keep_what_was_typed()

    def _keep_what_was_typed(self) -> None:
        """A browser shows an empty date field for what is no date."""
        for name in ("from", "to"):
            if name in self.errors and self.data.get(name):
                self.fields[name].widget.input_type = "text"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if "from" not in cleaned or "to" not in cleaned:
            return cleaned
        if cleaned["from"] > cleaned["to"]:
            self.add_error("to", ValidationError(_("Enter a date that is not before the first."), code="order"))
            return cleaned
        period = Period(cleaned["from"], cleaned["to"])
        if period.days > MAX_DAYS:
            message = ValidationError(
                _("Enter at most %(most)s days; these are %(days)s."),
                code="length",
                params={"most": MAX_DAYS, "days": period.days},
            )
            self.add_error("to", message)
        elif "breakdown" in cleaned and len(period.buckets(cleaned["breakdown"])) > MAX_BUCKETS:
            message = ValidationError(
                _("Choose weeks or months: this period has more than %(most)s of these."),
                code="buckets",
                params={"most": MAX_BUCKETS},
            )
            self.add_error("breakdown", message)
        return cleaned

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["from"], self.cleaned_data["to"])

    @property
    def breakdown(self) -> Breakdown:
        breakdown: Breakdown = self.cleaned_data["breakdown"]
        return breakdown

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """For each preset its query string, its name, and whether it is the current one."""
        return [
            (urlencode({"period": preset} | self.carried), str(name), preset == self.preset)
            for preset, name in PRESET_NAMES.items()
        ]

    @property
    def address(self) -> str:
        """The query string that leads to the same choice on another page; a preset stays one."""
        if not self.preset:
            return self.query
        return urlencode({"period": self.preset, "breakdown": self.breakdown})

    @property
    def settled_address(self) -> str:
        """The query string of the same page, or of the same file, with the preset in place of its dates."""
        rest = self.carried | ({"format": self.format} if self.format else {})
        return f"{self.address}&{urlencode(rest)}" if rest else self.address

    @property
    def query(self) -> str:
        """The query string that shows the same days and breakdown on any later day."""
        return period_query(self.period, self.breakdown)


def period_query(period: Period, breakdown: Breakdown | None = None) -> str:
    query = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    return urlencode(query | ({"breakdown": breakdown} if breakdown else {}))


def _has_dates(query: Mapping[str, Any]) -> bool:
    return "from" in query or "to" in query


def _preset(query: Mapping[str, Any], today: date) -> str:
    """The preset's name; the default one without dates, and empty for dates of one's own."""
    name = query.get("period")
    if not _has_dates(query):
        return name if name in PRESETS else DEFAULT_PRESET
    if name not in PRESETS:
        return ""
    return name if all(query.get(end) == day for end, day in _dates(name, today).items()) else ""


def _dates(preset: str, today: date) -> dict[str, str]:
    period = PRESETS[preset](today)
    return {"from": period.start.isoformat(), "to": period.end.isoformat()}


def _filled_in(query: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The address's values, with the dates of the preset and a suitable breakdown."""
    data = {name: query[name] for name in ("from", "to", "breakdown") if name in query}
    if not _has_dates(query):
        data |= _dates(_preset(query, today), today)
    if not data.get("breakdown"):
        data["breakdown"] = _suitable(data)
    return data


def _suitable(data: Mapping[str, str]) -> Breakdown:
    try:
        return default_breakdown(Period(parse_date(data["from"]), parse_date(data["to"])))
    except (KeyError, ValueError):
        return "day"
