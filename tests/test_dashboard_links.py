"""The links of a person's signature on the person's page: addresses and HTML to copy."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from stats_app.links import LinkInput, create_links
from stats_app.models import TrackedLink, WorkspaceUser
from tests.admin_cast import login
from tests.dashboard_cast import address, show, text
from tests.factories import make_alias, make_campaign, make_user, make_workspace
from tests.rest import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

TARGET = "https://www.example.com/ada.vcf"
BANNER = {"image": "https://cdn.example.com/b.png", "alt": "Spring sale", "width": "600", "height": "150"}


def make_link(user: WorkspaceUser, *args: Any, **values: Any) -> TrackedLink:
    [link] = create_links(user.workspace, [LinkInput(*args, **{"user": user} | values)]).links
    assert link is not None
    return link


def addresses(page: str) -> list[str]:
    return [html.unescape(value) for value in re.findall(r'<input type="text" readonly [^>]*value="([^"]*)"', page)]


def pieces(page: str) -> list[str]:
    """The pieces of HTML to copy, as the clipboard gets them."""
    return [html.unescape(text) for text in re.findall(r"<textarea readonly [^>]*>([^<]*)</textarea>", page)]


class Piece(HTMLParser):
    """The elements of a piece of HTML with their attributes, and its text."""

    def __init__(self, piece: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(piece)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_each_link_stands_there_as_an_address_and_as_html(staff: Client) -> None:
    workspace = make_workspace()
    ada, bob = make_user(workspace), make_user(workspace)
    alias = make_alias(ada, email="countess@example.com")
    links = [
        make_link(ada, "campaign", campaign=make_campaign(workspace, name="Sales & more")),
        make_link(ada, "vcard", TARGET, alias=alias),
        make_link(ada, "other", "https://www.example.org/jobs?a=1&b=2"),
    ]
    off = make_link(ada, "other", "https://www.example.org/off")
    TrackedLink.objects.filter(pk=off.pk).update(is_active=False)
    make_link(bob, "other", TARGET)
    page = show(staff, address(ada))
    urls = [f"http://testserver/c/{link.token}" for link in links]
    assert addresses(page) == urls
    assert pieces(page) == [
        f'<a href="{urls[0]}">Sales &amp; more</a>',
        f'<a href="{urls[1]}">vCard</a>',
        f'<a href="{urls[2]}">www.example.org</a>',
    ]
    shown = text(page)
    assert "www.example.org · Other link Leads to https://www.example.org/jobs?a=1&b=2" in shown
    assert "vCard Leads to https://www.example.com/ada.vcf · sent from countess@example.com" in shown
    assert "Sales & more · Campaign Leads to https://www.example.com/" in shown


def test_a_banner_stands_in_the_html_of_its_link_alone(staff: Client) -> None:
    user = make_user(make_workspace())
    first, second = make_link(user, "other", TARGET), make_link(user, "vcard", TARGET)
    page = show(staff, address(user), link=first.token, period="last-month", **BANNER)
    assert pieces(page) == [
        f'<a href="http://testserver/c/{second.token}">vCard</a>',
        f'<a href="http://testserver/c/{first.token}"><img src="https://cdn.example.com/b.png" alt="Spring sale" '
        'width="600" height="150"></a>',
    ]
    # What was chosen stays, and with it the period.
    assert '<input type="hidden" name="period" value="last-month">' in page
    assert f'<option value="{first.token}" selected>www.example.com · Other link</option>' in page
    assert 'name="width" value="600"' in page


@pytest.mark.parametrize(
    ("changes", "name", "error"),
    [
        ({"link": "x"}, "link", "Select a valid choice. x is not one of the available choices."),
        ({"image": ""}, "image", "This field is required."),
        ({"image": "javascript:alert(1)"}, "image", "Enter an http or https address."),
        ({"image": "https:\\\\evil.example/"}, "image", "Enter an http or https address."),
        ({"alt": " "}, "alt", "This field is required."),
        ({"width": "0"}, "width", "Ensure this value is greater than or equal to 1."),
        ({"height": "2001"}, "height", "Ensure this value is less than or equal to 2000."),
        ({"height": "high"}, "height", "Enter a whole number."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_html_stays_without_a_banner(
    staff: Client, changes: dict[str, str], name: str, error: str
) -> None:
    user = make_user(make_workspace())
    link = make_link(user, "vcard", TARGET)
    page = show(staff, address(user), **{"link": link.token} | BANNER | changes)
    assert f'<p class="stats-error" id="stats-banner-{name}_error">{error}</p>' in page
    assert page.count("stats-error") == 1
    assert pieces(page) == [f'<a href="http://testserver/c/{link.token}">vCard</a>']


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "</textarea><script>alert(1)</script>", "'&lt;\""])
def test_names_and_texts_are_escaped_for_the_page_and_for_the_mail(staff: Client, hostile: str) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    campaign = make_campaign(workspace, name=hostile, target_url="https://www.example.com/?q='<x>'&lt;")
    link = make_link(user, "campaign", campaign=campaign)
    href = f"http://testserver/c/{link.token}"
    page = show(staff, address(user))
    [piece] = map(Piece, pieces(page))
    assert (piece.elements, piece.text) == ([("a", {"href": href})], hostile)
    image = "https://cdn.example.com/b.png?a='<b>'&amp;"
    query = BANNER | {"link": link.token, "alt": hostile, "image": image}
    page = show(staff, address(user), **query)
    [piece] = map(Piece, pieces(page))
    picture = ("img", {"src": image, "alt": hostile, "width": "600", "height": "150"})
    assert (piece.elements, piece.text) == ([("a", {"href": href}), picture], "")
    assert "<script>alert" not in page


def test_without_links_it_says_so_and_leads_who_may_to_the_form(staff: Client) -> None:
    user = make_user(make_workspace())
    page = show(staff, address(user))
    assert "There are none yet." in page
    form = f"/admin/stats_app/trackedlink/add/?workspace={user.workspace_id}&amp;user={user.pk}"
    assert form in page
    assert form not in show(login("view_workspace"), address(user))
    # What is asked for a banner of no link changes nothing.
    assert "There are none yet." in show(staff, address(user), link="x", **BANNER)


def test_links_are_shown_beside_a_wrong_period_and_withheld_figures_too(staff: Client, settings: Any) -> None:
    user = make_user(make_workspace())
    make_link(user, "other", TARGET)
    assert len(addresses(show(staff, address(user), from_="soon", to="2026-03-31"))) == 1
    settings.STATS_APP = {"PERSON_FIGURES": "totals", "LINK_BASE_URL": "https://go.example.com/"}
    [shown] = addresses(show(staff, address(user)))
    assert shown.startswith("https://go.example.com/")


def test_a_hundred_are_shown_by_one_statement(staff: Client) -> None:
    user = make_user(make_workspace())
    inputs = [LinkInput("other", f"{TARGET}?{number}", user=user) for number in range(101)]
    create_links(user.workspace, inputs[:1])
    show(staff, address(user))
    with statements() as few:
        show(staff, address(user))
    create_links(user.workspace, inputs)
    with statements() as many:
        page = show(staff, address(user))
    assert len(few) == len(many)
    assert len(addresses(page)) == 100
    assert "These are the newest; the others are in the administration." in page


def test_it_is_french_for_french_readers(staff: Client) -> None:
    user = make_user(make_workspace())
    make_link(user, "other", TARGET)
    page = staff.get(address(user), headers={"accept-language": "fr"}).content.decode()
    assert "Liens pour la signature" in page
    assert "Copier l’adresse" in page
