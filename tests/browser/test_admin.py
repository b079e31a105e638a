"""The admin in a browser: the overview inside it, a key's secret and its copy button, and the list of clicks."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from stats_app.keys import create_key
from stats_app.models import Workspace
from tests.browser.conftest import OpenPage
from tests.browser.test_staff_pages import AXE, PHONE, SCREENSHOTS, WIDE

# Stock forms and lists of Django's admin are not ours to judge: only what we put on its pages is.
OURS = {
    "overview": "#content-main",
    "secrets": ".stats-secret",
    "rotate": "#content form",
    "clicks": ".stats-pages",
}


def overview(workspace: Workspace) -> str:
    return f"/admin/stats_app/workspace/{workspace.pk}/overview/"


def rotate(page: Page, workspace: Workspace) -> None:
    """Goes to the page that asks how long the old key stays good."""
    create_key(workspace, "Reports")
    page.goto("/admin/stats_app/apikey/")
    page.locator("input[name=_selected_action]").first.check()
    page.get_by_label("Action:").select_option("rotate")
    page.get_by_role("button", name="Go").click()


def findings(page: Page, place: str) -> list[Any]:
    page.evaluate((AXE / "axe.min.js").read_text(encoding="utf-8"))
    for details in page.locator(f"{place} details").all():
        details.evaluate("(element) => { element.open = true; }")
    violations = page.evaluate(f"axe.run({place!r})")["violations"]
    return [(violation["id"], node["html"][:150]) for violation in violations for node in violation["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_is_ours(open_page: OpenPage, workspace: Workspace, scheme: str) -> None:
    page = open_page(overview(workspace), color_scheme=scheme, **WIDE)
    expect(page.locator(".stats-drawn canvas").first).to_be_visible()
    found = {"overview": findings(page, OURS["overview"])}
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"admin-overview-{scheme}.png", full_page=True)
    rotate(page, workspace)
    found["rotate"] = findings(page, OURS["rotate"])
    page.get_by_role("button", name="Rotate API keys").click()
    found["secrets"] = findings(page, OURS["secrets"])
    page.goto("/admin/stats_app/clickrecord/")
    found["clicks"] = findings(page, OURS["clicks"])
    page.screenshot(path=SCREENSHOTS / f"admin-clicks-{scheme}.png")
    assert found == {name: [] for name in OURS}


def test_a_new_secret_is_copied_by_its_button(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"], **WIDE)
    rotate(page, workspace)
    page.get_by_role("button", name="Rotate API keys").click()
    secret = page.locator(".stats-secret code").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#stats-copy-status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret


def test_without_javascript_a_key_is_rotated_all_the_same(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(java_script_enabled=False, **WIDE)
    rotate(page, workspace)
    page.get_by_role("button", name="Rotate API keys").click()
    expect(page.locator(".stats-secret code")).to_contain_text("sk_")
    expect(page.locator("button[data-copy]")).to_be_hidden()


def test_the_overview_does_not_scroll_sideways_on_a_phone(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_clicks_are_paged_by_links_and_by_the_form_of_days(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page("/admin/stats_app/clickrecord/", **WIDE)
    first = page.locator("#result_list tbody th").first.inner_text()
    page.get_by_role("link", name="Older").click()
    assert page.locator("#result_list tbody th").first.inner_text() != first
    page.get_by_role("link", name="Newest").click()
    assert page.locator("#result_list tbody th").first.inner_text() == first
    page.get_by_label("From", exact=True).fill("2001-01-01")
    page.get_by_label("To", exact=True).fill("2001-01-31")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Nothing found.")).to_be_visible()
