"""The form with which staff share a page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stats_app import person_figures
from stats_app.models import Campaign
from stats_app.reports.period_form import DayField
from stats_app.words import NAME_LENGTH

USUAL_DAYS = 30
"""The default number of days until the last day."""


class ShareForm(forms.Form):
    """For whom the link is, until when, and whether people are named, if the page can name any."""

    use_required_attribute = False

    name = forms.CharField(label=_("For whom (optional)"), max_length=NAME_LENGTH, required=False)
    last_day = DayField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))
    names_people = forms.BooleanField(label=_("Name people"), required=False)

    def __init__(self, data: Any, today: date, campaign: Campaign | None) -> None:
        last_day = (today + timedelta(days=USUAL_DAYS)).isoformat()
        super().__init__(data, auto_id="stats-share-%s", label_suffix="", initial={"last_day": last_day})
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"
        if campaign is not None or not person_figures.are_shown():
            del self.fields["names_people"]
