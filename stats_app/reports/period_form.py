"""The form of a page's period: a preset or two dates, the steps and the comparison, read from the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from stats_app.errors import WrongValue
from stats_app.periods import (
    BREAKDOWNS,
    COMPARES,
    MAX_DAYS,
    Breakdown,
    Compare,
    Period,
    compared_with,
    default_breakdown,
    parse_day,
)
from stats_app.presets import DEFAULT_PRESET, OLD_PRESETS, PRESETS, Preset
from stats_app.reports.comparison import Question

# The most rows of a chart's table: nobody reads more, and no screen shows more points.
MAX_BUCKETS = 400

# The preset of a campaign's own page.
WHOLE_RUN = "whole-run"

PRESET_NAMES = {
    "last-7-days": _("Last 7 days"),
    "last-28-days": _("Last 28 days"),
    "last-91-days": _("Last 91 days"),
    "this-month": _("This month"),
    "last-month": _("Last month"),
    "this-year": _("This year"),
    "last-12-months": _("Last 12 months"),
    WHOLE_RUN: _("Whole run"),
}
BREAKDOWN_NAMES = {"day": _("Days"), "week": _("Weeks"), "month": _("Months")}
COMPARE_NAMES = {"previous": _("Previous period"), "year": _("A year before"), "none": _("Nothing")}


class DayField(forms.Field):
    """A local date as Y-m-d, by the rules of the API, with errors in the reader's language."""

    default_error_messages = {"required": _("Enter a date.")}

    def to_python(self, value: Any) -> date | None:
        if not value:
            return None
        try:
            return parse_day(value.strip())
        except WrongValue as error:
            raise ValidationError(error.message, code=error.code) from None


class PeriodForm(forms.Form):
    """Reads the parameters `from` and `to`, or `period` for a preset, with `breakdown` and `compare`.

    By default the period is the default preset, the breakdown suits its length, and it is compared with the previous
    period. `today` is the workspace's local date. The parameter `on` is an earlier date, for which the preset is
    computed instead. `kept` are other parameters of the page to keep, such as the order of its tables. A valid form has
    a `question`. The fields keep what was typed.

    The form of a preset also sends the preset's name. If the dates are still those of the preset, the user has changed
    only the steps or the comparison. Then `is_settled` is false, and the page redirects to the `settled` address, which
    keeps the preset. A page without charts has no steps (`has_steps`). `own` are presets that only this page has;
    addresses of other pages contain their dates instead.
    """

    use_required_attribute = False

    def __init__(
        self,
        query: Mapping[str, Any],
        today: date,
        kept: Mapping[str, str] | None = None,
        *,
        has_steps: bool = True,
        own: Mapping[str, Preset] | None = None,
    ) -> None:
        if not has_steps:
            query = {name: value for name, value in query.items() if name != "breakdown"}
        self.has_steps = has_steps
        self.day = _day(query, today)
        self.is_earlier = self.day != today
        self.own = dict(own or {})
        self.presets_here = PRESETS | self.own
        self.preset = _preset(query, self.day, self.presets_here)
        self.kept = dict(kept or {})
        self.file = {name: query[name] for name in ("format", "table") if name in query}
        own_step = _own_step(query, self.day, self.presets_here) if has_steps else {}
        super().__init__(
            _filled_in(query, self.preset, self.day, self.presets_here) | own_step, auto_id="stats-%s", label_suffix=""
        )
        self.is_settled = not own_step and not (self.preset and _has_dates(query))
        self.fields["from"] = DayField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
        self.fields["to"] = DayField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))
        if has_steps:
            self.fields["breakdown"] = _choice_field(_("By"), BREAKDOWN_NAMES, _("Choose days, weeks or months."))
        self.fields["compare"] = _choice_field(
            _("Compared with"), COMPARE_NAMES, _("Choose the previous period, a year before or nothing.")
        )
        for field in self.fields.values():
            # Otherwise a browser that goes back would fill in what was typed on another page.
            field.widget.attrs["autocomplete"] = "off"
        self._keep_what_was_typed()

    def _keep_what_was_typed(self) -> None:
        """Shows an invalid date in a text field, because browsers leave a date field empty then."""
        for name in ("from", "to"):
            if name in self.errors and self.data.get(name):
                self.fields[name].widget.input_type = "text"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if "from" not in cleaned or "to" not in cleaned:
            return cleaned
        if cleaned["from"] > cleaned["to"]:
            self.add_error("to", ValidationError(_("Enter a last day that is not before the first day."), code="order"))
            return cleaned
        period = Period(cleaned["from"], cleaned["to"])
        if period.days > MAX_DAYS:
            message = ValidationError(
                _("Enter a period of at most %(most)s days; this one has %(days)s."),
                code="length",
                params={"most": MAX_DAYS, "days": period.days},
            )
            self.add_error("to", message)
        elif "breakdown" in cleaned and not _fits(period, cleaned["breakdown"]):
            coarser = (
                _("Choose weeks or months: a chart has at most %(most)s steps.")
                if _fits(period, "week")
                else _("Choose months: a chart has at most %(most)s steps.")
            )
            self.add_error("breakdown", ValidationError(coarser, code="buckets", params={"most": MAX_BUCKETS}))
        return cleaned

    @property
    def question(self) -> Question:
        period = Period(self.cleaned_data["from"], self.cleaned_data["to"])
        compare: Compare = self.cleaned_data["compare"]
        other = (
            self.presets_here[self.preset].other(self.day, compare) if self.preset else compared_with(period, compare)
        )
        breakdown = self.cleaned_data["breakdown"] if self.has_steps else default_breakdown(period)
        return Question(period, breakdown, compare, other)

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """For each preset its query string, its name, and whether it is the current one."""
        kept = self._compare() | self.kept
        return [
            (urlencode({"period": preset} | kept), str(PRESET_NAMES[preset]), preset == self.preset)
            for preset in self.presets_here
        ]

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the form."""
        return self._preset_query() | self.kept

    @property
    def address(self) -> str:
        """The query string for the same choice on another page. It contains the preset only if other pages also have
        it."""
        return urlencode(self._dates() | self._steps() | self._compare() if self.preset in self.own else self.choice)

    @property
    def settled(self) -> str:
        """The query string of the page itself, or of the file if one was requested."""
        return urlencode(self.choice | self.kept | self.file)

    @property
    def query(self) -> str:
        """The query string that shows the same days, steps and comparison also on later days."""
        return urlencode(self._lasting())

    @property
    def link(self) -> str:
        """As `query`, for the page itself, with its other parameters."""
        return urlencode(self._lasting() | self.kept)

    def _lasting(self) -> dict[str, str]:
        question = self.question
        if question == Question.of(question.period, question.breakdown, question.compare):
            return self._dates() | self._steps() | self._compare()
        return {"period": self.preset, "on": self.day.isoformat()} | self._steps() | self._compare()

    @property
    def choice(self) -> dict[str, str]:
        """The parameters for the chosen period, steps and comparison."""
        return (self._preset_query() or self._dates()) | self._steps() | self._compare()

    def _preset_query(self) -> dict[str, str]:
        if not self.preset:
            return {}
        return {"period": self.preset} | ({"on": self.day.isoformat()} if self.is_earlier else {})

    def _dates(self) -> dict[str, str]:
        return {end: self.cleaned_data[end].isoformat() for end in ("from", "to")}

    def _steps(self) -> dict[str, str]:
        return {"breakdown": self.cleaned_data["breakdown"]} if self.has_steps else {}

    def _compare(self) -> dict[str, str]:
        """The parameter for the comparison; left out if it is the default."""
        compare = self.data["compare"]
        return {"compare": compare} if compare in COMPARES[1:] else {}


def _choice_field(label: Any, names: Mapping[str, Any], message: Any) -> forms.ChoiceField:
    errors = {"required": message, "invalid_choice": message}
    return forms.ChoiceField(label=label, choices=list(names.items()), error_messages=errors)


def _has_dates(query: Mapping[str, Any]) -> bool:
    return "from" in query or "to" in query


def _day(query: Mapping[str, Any], today: date) -> date:
    """The day `on` for a preset, if it is in the past, else today."""
    try:
        return min(today, parse_day(query.get("on", "")))
    except ValueError:
        return today


def _named(query: Mapping[str, Any], presets: Mapping[str, Preset]) -> str:
    """The current name of the preset in the address; empty if there is none."""
    name = query.get("period", "")
    name = OLD_PRESETS.get(name, name)
    return name if name in presets else ""


def _preset(query: Mapping[str, Any], day: date, presets: Mapping[str, Preset]) -> str:
    """The preset's name; the default one without dates; empty for a custom period."""
    name = _named(query, presets)
    if not _has_dates(query):
        return name or DEFAULT_PRESET
    return name if name and all(query.get(end) == text for end, text in _dates(presets[name], day).items()) else ""


def _dates(preset: Preset, day: date) -> dict[str, str]:
    period = preset.period(day)
    return {"from": period.start.isoformat(), "to": period.end.isoformat()}


def _filled_in(query: Mapping[str, Any], preset: str, day: date, presets: Mapping[str, Preset]) -> dict[str, Any]:
    """The values of the address, with the dates of the preset and default values for breakdown and comparison."""
    data = {name: query[name] for name in ("from", "to", "breakdown", "compare") if name in query}
    if not _has_dates(query):
        data |= _dates(presets[preset], day)
    data["breakdown"] = data.get("breakdown") or _suitable(data)
    data["compare"] = data.get("compare") or COMPARES[0]
    return data


def _typed_period(data: Mapping[str, str]) -> Period | None:
    try:
        period = Period(parse_day(data["from"]), parse_day(data["to"]))
    except (KeyError, ValueError):
        return None
    return period if 0 < period.days <= MAX_DAYS else None


def _suitable(data: Mapping[str, str]) -> Breakdown:
    period = _typed_period(data)
    return default_breakdown(period) if period else "day"


def _fits(period: Period, breakdown: Breakdown) -> bool:
    return len(period.buckets(breakdown)) <= MAX_BUCKETS


def _own_step(query: Mapping[str, Any], day: date, presets: Mapping[str, Preset]) -> dict[str, str]:
    """Another breakdown for typed dates, if the form sent the preset's default breakdown, and it gives too many rows.
    The user has not chosen that breakdown, so it is replaced by the finest one that fits. Otherwise empty."""
    name, period = _named(query, presets), _typed_period(query)
    breakdown = query.get("breakdown")
    if not name or period is None or breakdown != default_breakdown(presets[name].period(day)):
        return {}
    fitting = next(step for step in BREAKDOWNS if _fits(period, step))
    return {"breakdown": fitting} if BREAKDOWNS.index(fitting) > BREAKDOWNS.index(breakdown) else {}
