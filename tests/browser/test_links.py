"""A tracked link from the mail to the figures: a person's click counts once, a scanner's never."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from stats_app.links import LinkInput, create_links
from stats_app.models import Click, TrackedLink, Workspace
from tests.browser.conftest import OpenPage
from tests.browser.test_staff_pages import PHONE, SCREENSHOTS, WIDE, figure, findings, overview

# Headless Chromium names itself, and does not count as a person.
PERSON = {
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
    "locale": "en-US",
}
SCANNER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"}


class NotFollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def make_links(workspace: Workspace, *targets: str) -> list[TrackedLink]:
    """The links of one signature."""
    user = workspace.users.earliest("pk")
    result = create_links(workspace, [LinkInput("other", target, user=user) for target in targets])
    return [link for link in result.links if link is not None]


def user_page(workspace: Workspace) -> str:
    return overview(workspace, f"users/{workspace.users.earliest('pk').public_id}/")


def clicks_today(page: Page, workspace: Workspace) -> int:
    page.goto(overview(workspace, "?period=this-month"))
    return figure(page)


def left_out(page: Page, reason: str) -> int:
    """The clicks of this month that the overview names as not counted for this reason."""
    row = page.locator(f".stats-reasons tr:has(bdi:text-is('{reason}'))")
    return int((row.locator("td").last.text_content() or "").replace(",", "")) if row.count() else 0


def test_a_link_that_is_followed_leads_on_and_counts_once(
    open_page: OpenPage, workspace: Workspace, live_server: Any
) -> None:
    [link] = make_links(workspace, f"{live_server.url}/api/v1/docs/")
    page = open_page(**WIDE, **PERSON)
    before = clicks_today(page, workspace)
    page.goto(user_page(workspace))
    # Opened as from a mail, and not from one of our pages.
    address = page.locator(f"#stats-address-{link.token}").input_value()
    assert address == f"{live_server.url}/c/{link.token}"
    # Followed again at once, it redirects, but is not counted.
    with time_machine.travel(now(), tick=False):
        for _ in range(2):
            page.goto(address)
            assert page.url == f"{live_server.url}/api/v1/docs/"
            assert clicks_today(page, workspace) == before + 1


def test_a_scanner_that_asks_for_the_links_of_a_signature_at_once_counts_none(
    open_page: OpenPage, workspace: Workspace, live_server: Any
) -> None:
    links = make_links(workspace, *(f"{live_server.url}/api/v1/docs/?{number}" for number in range(8)))
    page = open_page(**WIDE, **PERSON)
    before = clicks_today(page, workspace)
    suspected = left_out(page, "several links at once")
    opener = urllib.request.build_opener(NotFollowed)

    def ask(link: TrackedLink) -> tuple[int, str]:
        address = f"{live_server.url}/c/{link.token}"
        request = urllib.request.Request(address, headers=SCANNER)  # noqa: S310  # an http address of the test's own server
        with pytest.raises(urllib.error.HTTPError) as answer:
            opener.open(request)
        with answer.value as found:
            return found.code, found.headers["Location"]

    # With a frozen clock, so that the speed of the machine does not matter.
    with time_machine.travel(now(), tick=False), ThreadPoolExecutor(len(links)) as threads:
        assert list(threads.map(ask, links)) == [(302, link.target_url) for link in links]
    assert clicks_today(page, workspace) == before
    assert left_out(page, "several links at once") == suspected + len(links)
    reasons = Click.objects.filter(workspace=workspace, link__in=links).values_list("verdict", "reason")
    assert set(reasons) == {("suspected", "several links at once")}
    assert len(reasons) == len(links)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_links_of_a_person_are_copied_and_axe_finds_nothing(
    open_page: OpenPage, workspace: Workspace, scheme: str
) -> None:
    make_links(workspace, "https://www.example.com/")
    permissions = ["clipboard-read", "clipboard-write"]
    page = open_page(user_page(workspace), color_scheme=scheme, permissions=permissions, **WIDE)
    piece = page.locator(".stats-copies li").last
    piece.get_by_role("button", name="Copy the address").click()
    expect(piece.locator(".stats-copied").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == piece.get_by_label("Address").input_value()
    piece.get_by_role("button", name="Copy the HTML").press("Enter")
    expect(piece.locator(".stats-copied").last).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == piece.get_by_label("HTML").input_value()
    assert findings(page, "#links") == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.locator("#links").screenshot(path=SCREENSHOTS / f"links-{scheme}.png")


def test_a_banner_is_put_in_without_javascript_and_by_keyboard(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(user_page(workspace), java_script_enabled=False, **WIDE)
    expect(page.get_by_role("button", name="Copy the address").first).to_be_hidden()
    page.get_by_text("HTML with a banner").press("Enter")
    page.get_by_label("Address of the picture").fill("https://cdn.example.com/b.png")
    page.keyboard.press("Tab")
    page.keyboard.type('5 < 6 & "so"')
    page.get_by_label("Width in pixels").fill("600")
    page.get_by_label("Height in pixels").fill("150")
    page.keyboard.press("Enter")
    page.wait_for_url("**alt=**")
    piece = page.get_by_label("HTML", exact=True).first.input_value()
    assert re.fullmatch(
        r'<a href="http://localhost:[0-9]+/c/\w{11}"><img src="https://cdn\.example\.com/b\.png" '
        r'alt="5 &lt; 6 &amp; &quot;so&quot;" width="600" height="150"></a>',
        piece,
    )


def test_on_a_phone_nothing_scrolls_sideways_and_paper_has_the_addresses(
    open_page: OpenPage, workspace: Workspace
) -> None:
    page = open_page(user_page(workspace), **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(media="print")
    expect(page.get_by_label("Address", exact=True).first).to_be_visible()
    expect(page.get_by_label("HTML", exact=True).first).to_be_hidden()


def test_the_address_of_a_link_is_copied_in_the_admin(open_page: OpenPage, workspace: Workspace) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    page = open_page("/admin/stats_app/trackedlink/", permissions=permissions, **WIDE)
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".stats-copied")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".stats-copy code").inner_text()
