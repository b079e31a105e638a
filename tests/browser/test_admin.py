"""The admin in a browser: the overview inside it, a key's secret and its copy button, and the list of clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from stats_app.keys import create_key
from stats_app.models import Mailing, Workspace
from tests.browser.conftest import OpenPage
from tests.browser.test_staff_pages import LOOKS, PHONE, SCREENSHOTS, SHEET, WIDE, findings, lengthen_names, sheets
from tests.test_colours import contrast, linear

# Only our own parts of the admin's pages are tested, not Django's forms and lists.
OURS = {
    "overview": "#content-main",
    "secrets": ".stats-secret",
    "rotate": "#content form",
    "clicks": ".stats-pages",
    "assign": "#content-main",
    "assign nobody": "#content-main",
    "import": "#content-main",
    "preview": "#content-main",
    "mailing": ".stats-preview",
    "mail": "body > table",  # without the landmarks that pages need: mail programs show it inside their own
}


def overview(workspace: Workspace) -> str:
    return f"/admin/stats_app/workspace/{workspace.pk}/overview/"


def rotate(page: Page, workspace: Workspace) -> None:
    """Goes to the page that asks how long the old key stays good."""
    create_key(workspace, "Reports")
    page.goto("/admin/stats_app/apikey/")
    page.locator("input[name=_selected_action]").first.check()
    page.locator("select[name=action]").select_option("rotate")
    page.locator("button[name=index]").click()


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_what_is_ours(
    open_page: OpenPage, workspace: Workspace, look: dict[str, Any], tmp_path: Path
) -> None:
    page = open_page(overview(workspace), **look)
    expect(page.locator(".stats-drawn canvas").first).to_be_visible()
    by_page = {"overview": findings(page, OURS["overview"])}
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    screenshot = "admin-{}-" + f"{look['color_scheme']}-{look['viewport']['width']}.png"
    page.screenshot(path=SCREENSHOTS / screenshot.format("overview"), full_page=True)
    rotate(page, workspace)
    by_page["rotate"] = findings(page, OURS["rotate"])
    page.locator("#content [type=submit]").click()
    by_page["secrets"] = findings(page, OURS["secrets"])
    page.goto("/admin/stats_app/clickrecord/")
    by_page["clicks"] = findings(page, OURS["clicks"])
    page.screenshot(path=SCREENSHOTS / screenshot.format("clicks"))
    page.goto(f"/admin/stats_app/campaign/{workspace.campaigns.earliest('pk').pk}/assign/")
    by_page["assign"] = findings(page, OURS["assign"])
    page.locator("#content [type=submit]").click()
    expect(page.locator(".errorlist")).to_be_visible()
    by_page["assign nobody"] = findings(page, OURS["assign nobody"])
    page.goto("/admin/stats_app/workspaceuser/import/")
    by_page["import"] = findings(page, OURS["import"])
    page.locator("[type=file]").set_input_files(directory_file(workspace, tmp_path))
    page.locator("[name=workspace]").select_option(str(workspace.pk))
    page.locator("#content [type=submit]").click()
    expect(page.locator("table.stats-import")).to_have_count(3)
    by_page["preview"] = findings(page, OURS["preview"])
    page.screenshot(path=SCREENSHOTS / screenshot.format("import"), full_page=True)
    page.goto("/admin/stats_app/mailing/add/")
    by_page["mailing"] = findings(page, OURS["mailing"])
    page.goto(f"/admin/stats_app/mailing/{Mailing.objects.create(workspace=workspace).pk}/change/")
    with page.expect_popup() as opened:
        page.locator("button[value=html]").click()
    by_page["mail"] = findings(opened.value, OURS["mail"])
    opened.value.screenshot(path=SCREENSHOTS / screenshot.format("mail"), full_page=True)
    assert by_page == {name: [] for name in OURS}


def directory_file(workspace: Workspace, folder: Path) -> Path:
    """A file that creates a user, changes one, and has a wrong line."""
    known = workspace.users.earliest("pk").email
    path = folder / "users.csv"
    path.write_text(f"email,displayName,aliases\nnew@example.com,New,\n{known},Renamed,a@example.com\nwrong,,\n")
    return path


def test_a_new_secret_is_copied_by_its_button(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"], **WIDE)
    rotate(page, workspace)
    page.get_by_role("button", name="Rotate API keys").click()
    secret = page.locator(".stats-secret code").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".stats-copied")).to_have_text("Copied")
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


def test_a_long_name_does_not_widen_the_overview(open_page: OpenPage, workspace: Workspace) -> None:
    lengthen_names(workspace)
    page = open_page(overview(workspace), **WIDE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_name_that_cannot_be_seen_is_a_link_all_the_same(open_page: OpenPage, workspace: Workspace) -> None:
    workspace.name = "\u200b"
    workspace.save()
    page = open_page("/admin/stats_app/workspace/", **WIDE)
    boxes = [link.bounding_box() for link in page.locator("#result_list tbody th a").all()]
    assert all(box and box["width"] >= 32 and box["height"] >= 12 for box in boxes)
    assert len(boxes) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_overview_can_be_read_in_a_theme_that_lacks_the_admins_colours(
    open_page: OpenPage, workspace: Workspace, scheme: str
) -> None:
    page = open_page(color_scheme=scheme, **WIDE)
    # A theme with a black background that does not declare itself as dark.
    page.route(
        "**/admin/css/*.css", lambda route: route.fulfill(body="body { background: #000; }", content_type="text/css")
    )
    page.goto(overview(workspace))
    expect(page.locator(".stats-drawn canvas").first).to_be_visible()
    pairs = page.evaluate(
        """() => {
            const digits = (part) => Number(part).toString(16).padStart(2, "0");
            const hex = (colour) => colour.match(/\\d+/g).slice(0, 3).map(digits).join("");
            const ground = getComputedStyle(document.querySelector(".stats")).backgroundColor;
            const pair = (element, under) => [hex(getComputedStyle(element).color), hex(under)];
            const preset = document.querySelector(".stats-presets [aria-current]");
            const others = document.querySelectorAll(
                ".stats p, .stats dd, .stats th, .stats a:not([aria-current]), .stats button"
            );
            return [
                pair(preset, getComputedStyle(preset).backgroundColor), ...[...others].map((one) => pair(one, ground)),
            ];
        }"""
    )
    assert {tuple(pair) for pair in pairs if contrast(linear(pair[0]), linear(pair[1])) < 4.5} == set()


def test_on_paper_pages_of_the_admin_are_whole(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), color_scheme="dark", **WIDE)
    expect(page.locator(".stats-drawn canvas").first).to_be_visible()
    assert sheets(page) <= 3
    page.set_viewport_size(SHEET)
    page.emulate_media(media="print")
    for path, content in (
        (overview(workspace), ".stats-figures"),
        ("/admin/stats_app/clickrecord/", "#result_list"),
        ("/admin/stats_app/workspaceuser/", "#result_list"),
        ("/admin/stats_app/campaign/", "#result_list"),
        ("/admin/stats_app/workspace/", "#result_list"),
    ):
        page.goto(path)
        for menu in ("#header", "#nav-sidebar", ".breadcrumbs", "#changelist-filter"):
            expect(page.locator(menu).first).to_be_hidden()
        box = page.locator(content).bounding_box()
        assert box is not None
        assert box["y"] < 250, path
        assert box["width"] > 0.9 * SHEET["width"], path
        assert page.evaluate("document.documentElement.scrollWidth") <= SHEET["width"], path
        cut = page.locator("#content *").evaluate_all(
            "(all, width) => all.filter((one) => one.getBoundingClientRect().right > width + 1).length", SHEET["width"]
        )
        assert cut == 0, path


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
