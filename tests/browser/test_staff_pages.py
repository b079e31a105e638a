"""The staff pages in a browser: by mouse, by keyboard, without JavaScript, in every theme and size.

Screenshots are left in build/screenshots.
"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from stats_app.models import Workspace
from tests.browser.conftest import OpenPage

AXE = Path(__file__).resolve().parent / "axe"
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"

WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def overview(workspace: Workspace, query: str = "") -> str:
    return f"/stats/{workspace.public_id}/{query}"


def pages(workspace: Workspace) -> dict[str, str]:
    """Every kind of page."""
    campaign, user = workspace.campaigns.earliest("pk"), workspace.users.earliest("pk")
    return {
        "list": "/stats/",
        "overview": overview(workspace),
        "running": overview(workspace, "?period=this-year&breakdown=week"),
        "wrong": overview(workspace, "?from=soon&to=2026-01-01"),
        "empty": overview(workspace, "?from=2001-01-01&to=2001-01-31"),
        "campaign": overview(workspace, f"campaigns/{campaign.public_id}/"),
        "user": overview(workspace, f"users/{user.public_id}/"),
        "missing": "/stats/nothing/",
    }


def figure(page: Page) -> int:
    """The first of the large numbers."""
    return int(page.locator(".stats-number").first.inner_text().replace(",", ""))


def test_staff_find_a_campaign_and_take_its_numbers_away(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(**WIDE)
    page.get_by_label("Name or public id").fill("acme")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Acme").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme")

    page.get_by_role("link", name="Last 12 months").click()
    expect(page.get_by_role("link", name="Last 12 months")).to_have_attribute("aria-current", "true")
    year = figure(page)
    page.get_by_label("By", exact=True).select_option("week")
    page.get_by_role("button", name="Apply").click()
    assert page.url.endswith("?period=last-12-months&breakdown=week")
    assert figure(page) == year
    page.go_back()
    assert "period=last-12-months" in page.url

    page.locator("section:has(#campaigns-title) tbody a").first.click()
    expect(page.locator(".stats-path li").last).to_have_text(page.get_by_role("heading", level=1).inner_text())
    with page.expect_download() as download:
        page.get_by_role("link", name="All figures as CSV").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        totals = [row for row in csv.DictReader(file) if row["table"] == "totals"]
    assert [int(row["clicks"]) for row in totals] == [figure(page)]


def test_charts_are_drawn_and_say_more_under_the_pointer(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace, "?period=last-month"), **WIDE)
    canvas = page.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.evaluate("() => { const t = Chart.getChart(document.querySelector('canvas')).tooltip;"
                        " return [t.opacity, t.body.map((one) => one.lines[0]), t.footer]; }")  # fmt: skip
    assert tip[0] == 1
    assert len(tip[1]) == 2
    cells = page.locator("details").first.locator("tbody td:last-child").all_text_contents()
    assert tip[2][0].removeprefix("Change: ") in cells
    expect(page.locator("details").first).not_to_have_attribute("open", "")


def test_what_has_not_begun_is_not_drawn_but_all_of_the_previous_period_is(
    open_page: OpenPage, workspace: Workspace
) -> None:
    year = now().year
    page = open_page(overview(workspace, f"?from={year}-01-01&to={year}-12-31&breakdown=day"), **WIDE)
    drawn = page.evaluate("() => Chart.getChart(document.querySelector('canvas')).data.datasets.map((set) => set.data)")
    rows = page.locator("#stats-clicks-table tbody tr")
    cells = rows.evaluate_all(
        "(rows) => rows.map((row) => [row.className, ...[...row.cells].map((c) => c.textContent)])"
    )
    current = [int(row[2].replace(",", "")) if row[2] and row[0] != "future" else None for row in cells]
    previous = [int(row[4].replace(",", "")) if row[4] else None for row in cells]
    assert drawn == [current, previous]
    assert None not in previous[:365]


def test_without_a_comparison_one_line_is_drawn(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), **WIDE)
    page.get_by_label("Compared with").select_option("none")
    page.get_by_role("button", name="Apply").click()
    assert page.url.endswith("?period=last-28-days&breakdown=day&compare=none")
    sets = page.evaluate("Chart.getChart(document.querySelector('canvas')).data.datasets.map((set) => set.data.length)")
    assert sets == [28]


def test_going_back_brings_back_the_fields_of_that_page(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), **WIDE)
    first = page.get_by_label("From").input_value()
    page.get_by_label("From").fill("2026-06-01")
    page.get_by_label("To", exact=True).fill("2026-06-30")
    page.get_by_label("By", exact=True).select_option("week")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**from=2026-06-01**")
    page.go_back()
    expect(page.get_by_label("From")).to_have_value(first)
    expect(page.get_by_label("By")).to_have_value("day")


def test_everything_can_be_done_by_keyboard(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), **WIDE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Last 91 days"))
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**period=last-91-days*")

    series = page.get_by_role("button", name="Previous period")
    tab_to(page, series)
    expect(series).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    expect(series).to_have_attribute("aria-pressed", "false")
    assert not page.evaluate("Chart.getChart(document.querySelector('canvas')).isDatasetVisible(1)")

    tab_to(page, page.locator("summary").first)
    page.keyboard.press("Enter")
    expect(page.locator("details").first).to_have_attribute("open", "")
    tab_to(page, page.locator("section:has(#users-title) thead a").first)
    page.keyboard.press("Enter")
    page.wait_for_url("**users=name*")
    expect(page.locator("section:has(#users-title) th[aria-sort]")).to_have_attribute("aria-sort", "ascending")


def tab_to(page: Page, wanted: Any) -> None:
    """Presses Tab until the element has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} cannot be reached by Tab")


def test_without_javascript_the_tables_stand_open(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), java_script_enabled=False, **WIDE)
    expect(page.locator("details table").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_hidden()
    page.get_by_label("By").select_option("month")
    page.get_by_role("button", name="Apply").click()
    assert "breakdown=month" in page.url
    expect(page.locator("details table").first).to_be_visible()


def test_on_paper_every_table_is_there(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), color_scheme="dark", **WIDE)
    width = page.evaluate("document.querySelector('canvas').clientWidth")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelector('canvas').clientWidth") == 680
    page.emulate_media(media="print")
    expect(page.locator("details table").first).to_be_visible()
    expect(page.locator(".stats-controls")).to_be_hidden()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelector('canvas').clientWidth") == width
    expect(page.locator("details").first).not_to_have_attribute("open", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(open_page: OpenPage, workspace: Workspace, scheme: str) -> None:
    axe = (AXE / "axe.min.js").read_text(encoding="utf-8")
    page = open_page(color_scheme=scheme, **WIDE)
    found = []
    for name, url in pages(workspace).items():
        page.goto(url)
        for details in page.locator("details").all():
            details.evaluate("(element) => { element.open = true; }")
        page.evaluate(axe)
        for violation in page.evaluate("axe.run()")["violations"]:
            found += [(name, violation["id"], node["html"][:150]) for node in violation["nodes"]]
    assert found == []


def test_axe_is_as_published() -> None:
    manifest = json.loads((AXE / "manifest.json").read_text(encoding="utf-8"))
    files = {name: hashlib.sha256((AXE / name).read_bytes()).hexdigest() for name in manifest["files"]}
    assert files == manifest["files"]


def test_nothing_scrolls_sideways_on_a_phone(open_page: OpenPage, workspace: Workspace) -> None:
    for campaign in workspace.campaigns.all():
        campaign.name = f"{campaign.name} Donaudampfschifffahrtsgesellschaftskapitänsmützenverordnung"
        campaign.save()
    page = open_page(**PHONE)
    for name, url in pages(workspace).items():
        page.goto(url)
        for details in page.locator("details").all():
            details.evaluate("(element) => { element.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


@pytest.mark.parametrize(
    ("name", "query", "options"),
    [
        ("wide", "?period=last-month", WIDE),
        ("phone", "?period=last-month", PHONE),
        ("dark", "?period=last-12-months", WIDE | {"color_scheme": "dark"}),
        ("french", "?period=this-month", WIDE | {"locale": "fr-FR"}),
    ],
)
def test_a_screenshot_is_taken(
    open_page: OpenPage, workspace: Workspace, name: str, query: str, options: dict[str, Any]
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page = open_page(overview(workspace, query), **options)
    expect(page.locator(".stats-drawn canvas").first).to_be_visible()
    page.screenshot(path=SCREENSHOTS / f"overview-{name}.png", full_page=True)
    page.locator("section:has(#campaigns-title) tbody a").first.click()
    page.screenshot(path=SCREENSHOTS / f"campaign-{name}.png", full_page=True)
