"""Assigning many people to a campaign: on the campaign's form, and by an action on the list of users."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db import router, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stats_app.directory import assign_users, users_named
from stats_app.errors import WrongValue
from stats_app.models import Campaign, WorkspaceUser
from stats_app.words import search_words

MAX_NAMED = 10
PERMISSION = "stats_app.add_campaignassignment"
# Mail programs copy addresses as `"Lovelace, Ada" <ada@example.com>`.
_WITH_NAME = re.compile(r'(?:"[^"]*"\s*|(?<![^\s",;>])(?:[^\s<>",;@]+[ \t]+){0,10})<([^<>\s]+)>')


def assign(model_admin: Any, request: HttpRequest, campaign: Campaign, users: Collection[int]) -> None:
    """Assigns the users, shows a message with the result, and adds an entry to the history of the campaign."""
    with transaction.atomic(using=router.db_for_write(Campaign)):
        new = assign_users(campaign, users)
        if new:
            entry = ngettext("Assigned %(number)s user.", "Assigned %(number)s users.", new) % {"number": new}
            model_admin.log_change(request, campaign, entry)
    message = _("“%(campaign)s”: %(new)s assigned, %(before)s already assigned.") % {
        "campaign": campaign,
        "new": new,
        "before": len(users) - new,
    }
    model_admin.message_user(request, message, messages.SUCCESS)


class AssignForm(forms.Form):
    """Whom to assign. Everybody who is given in any of the fields is assigned."""

    everybody = forms.BooleanField(label=gettext_lazy("all active users"), required=False)
    search = forms.CharField(
        label=gettext_lazy("by search"),
        required=False,
        help_text=gettext_lazy("All active users with these words in the name, the e-mail or an alias."),
    )
    names = forms.CharField(
        label=gettext_lazy("e-mails"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60}),
        help_text=gettext_lazy(
            "E-mails, aliases or public ids, separated by spaces, commas, semicolons or line breaks."
        ),
    )

    def __init__(self, campaign: Campaign, *args: Any) -> None:
        self.campaign = campaign
        super().__init__(*args)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        active: Any = WorkspaceUser.objects.filter(workspace=self.campaign.workspace_id, is_active=True)
        users: set[int] = set()
        if values.get("everybody"):
            users |= set(active.values_list("pk", flat=True))
        if values.get("search"):
            try:
                words = search_words(values["search"])
            except WrongValue as error:
                self.add_error("search", error.message)
            else:
                known = WorkspaceUser.objects.known_as(words, self.campaign.workspace_id).filter(is_active=True)
                users |= set(known.values_list("pk", flat=True))
        pasted = _WITH_NAME.sub(r" \1 ", values.get("names", ""))
        names = [name for name in re.split(r"[\s,;]+", pasted) if name]
        if names:
            named, nobody = users_named(self.campaign.workspace_id, names)
            users |= named
            if nobody:
                shown = ", ".join(nobody[:MAX_NAMED]) + (" …" if len(nobody) > MAX_NAMED else "")
                self.add_error("names", _("No user has this e-mail, alias or public id: %(names)s") % {"names": shown})
        if not users and not self.errors:
            raise forms.ValidationError(_("No user is chosen."))
        values["users"] = users
        return values


class CampaignForm(forms.Form):
    """The choice of a campaign in one workspace."""

    campaign = forms.ModelChoiceField(Campaign.objects.none(), label=gettext_lazy("campaign"))

    def __init__(self, campaigns: Any, *args: Any) -> None:
        super().__init__(*args)
        cast("forms.ModelChoiceField[Campaign]", self.fields["campaign"]).queryset = campaigns
