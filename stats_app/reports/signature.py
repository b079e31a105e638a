"""The links for one person's signature, to copy from the person's page as addresses and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app import links
from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.models import TrackedLink, Workspace, WorkspaceUser
from stats_app.reports.names import visible_name
from stats_app.targets import is_target

MAX_SHOWN = 100
MAX_PIXELS = 2_000
# The parameters of the page's address that the banner's form must keep.
_OF_THE_PERIOD = ("period", "on", "from", "to", "breakdown", "compare")


@dataclass(frozen=True, slots=True)
class SignatureLink:
    """A link for the page. `name` is the text in the mail if there is no banner; `kind` explains it to staff."""

    token: str
    name: str
    kind: str
    target: str
    alias: str
    address: str
    html: str


@dataclass(frozen=True, slots=True)
class SignatureLinks:
    """`links` are the newest links; `is_cut` means that there are more. Without `is_served` links have no address."""

    links: list[SignatureLink]
    is_cut: bool
    is_served: bool
    form: BannerForm
    kept: dict[str, str]


def signature_links(
    workspace: Workspace, user: WorkspaceUser, query: Mapping[str, str], absolute: Callable[[str], str]
) -> SignatureLinks:
    """The person's links that are switched on. `query` is the page's query; for `absolute` see
    `stats_app.links.address`."""
    active = TrackedLink.objects.filter(workspace=workspace, user=user, is_active=True)
    rows = list(active.select_related("campaign", "alias").order_by("kind", "-pk")[: MAX_SHOWN + 1])
    addresses = {row: address for row in rows[:MAX_SHOWN] if (address := links.address(row.token, absolute))}
    form = BannerForm(query, {row.token: _title(row) for row in addresses})
    shown = [
        SignatureLink(
            row.token,
            _name(row),
            _kind(row),
            _target(row),
            row.alias.email if row.alias else "",
            address,
            _html(address, _name(row), form.banner if form.chosen == row.token else None),
        )
        for row, address in addresses.items()
    ]
    kept = {name: query[name] for name in _OF_THE_PERIOD if name in query}
    return SignatureLinks(shown, len(rows) > MAX_SHOWN, bool(addresses) or not rows, form, kept)


class AddressField(forms.CharField):
    """The address of a picture, validated like a link's target."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not is_target(value):
            raise ValidationError(_("Enter an http or https address."), code="invalid")


class BannerForm(forms.Form):
    """The picture for one link: its address, and the values that mail programs need to show it well.

    Nothing is stored: the values are in the address of the page.
    """

    use_required_attribute = False

    link = forms.ChoiceField(label=gettext_lazy("Link"))
    image = AddressField(
        label=gettext_lazy("Address of the picture"),
        max_length=2_000,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    alt = forms.CharField(
        label=gettext_lazy("Text in place of the picture"),
        max_length=300,
        help_text=gettext_lazy("Read aloud by screen readers, and shown where pictures are blocked."),
    )
    width = forms.IntegerField(label=gettext_lazy("Width in pixels"), min_value=1, max_value=MAX_PIXELS)
    height = forms.IntegerField(label=gettext_lazy("Height in pixels"), min_value=1, max_value=MAX_PIXELS)

    def __init__(self, query: Mapping[str, str], titles: Mapping[str, str]) -> None:
        names = ("link", "image", "alt", "width", "height")
        given = {name: query[name] for name in names if name in query}
        super().__init__(given if given else None, auto_id="stats-banner-%s", label_suffix="")
        self.fields["link"].choices = list(titles.items())  # type: ignore[attr-defined]  # a ChoiceField has them
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    @property
    def chosen(self) -> str | None:
        """The token of the link with the banner."""
        return self.cleaned_data["link"] if self.is_valid() else None

    @property
    def banner(self) -> dict[str, Any]:
        return self.cleaned_data


def _title(link: TrackedLink) -> str:
    """The label of a link in the choice of the form."""
    return " · ".join(filter(None, (_name(link), _kind(link), link.alias.email if link.alias else "")))


def _name(link: TrackedLink) -> str:
    if link.campaign is not None:
        return visible_name(link.campaign.name, link.campaign.public_id)
    return "vCard" if link.kind == VCARD else (urlsplit(link.target_url).hostname or "")


def _kind(link: TrackedLink) -> str:
    """The kind, for staff; empty for a vCard, whose name says it."""
    return {CAMPAIGN: _("Campaign"), VCARD: "", OTHER: _("Other link")}[link.kind]


def _target(link: TrackedLink) -> str:
    return link.target_url or (link.campaign.target_url if link.campaign else "")


def _html(address: str, name: str, banner: Mapping[str, Any] | None) -> str:
    """The link as HTML source. Not marked as safe, because the page shows the source."""
    content: str = escape(name)
    if banner is not None:
        content = (
            f'<img src="{escape(banner["image"])}" alt="{escape(banner["alt"])}"'
            f' width="{banner["width"]}" height="{banner["height"]}">'
        )
    return f'<a href="{escape(address)}">{content}</a>'
