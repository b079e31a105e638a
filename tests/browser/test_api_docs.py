"""The API's documentation page: its table of contents stays visible while scrolling, without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage

SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / "build" / "screenshots"
TOP, END = "0", "document.documentElement.scrollHeight"


def scroll_to(page: Page, place: str) -> None:
    """Scroll at once. The keys Home and End begin an animation, which would go on during the next steps."""
    page.evaluate(f"scrollTo({{top: {place}, behavior: 'instant'}})")


@pytest.mark.parametrize("width", [1440, 1120])
def test_on_a_wide_screen_the_contents_stay_beside_the_text(open_page: OpenPage, width: int) -> None:
    page = open_page("/api/v1/docs/", java_script_enabled=False, viewport={"width": width, "height": 900})
    contents = page.get_by_role("navigation", name="Contents")
    for place in (TOP, END):
        scroll_to(page, place)
        text, box = page.locator("main").bounding_box(), contents.bounding_box()
        assert text
        assert box
        assert 0 <= box["y"] < 100
        assert box["x"] + box["width"] <= text["x"]
        assert text["x"] + text["width"] <= width
    page.screenshot(path=SCREENSHOTS / f"api-docs-{width}.png")
    contents.get_by_role("link", name="Performance of one campaign").click()
    top = page.locator("h3", has_text="Performance of one campaign").bounding_box()
    assert top
    assert -1 < top["y"] < 100  # parts of a pixel


def test_on_a_phone_a_link_to_the_contents_stays(open_page: OpenPage) -> None:
    page = open_page("/api/v1/docs/", java_script_enabled=False, viewport={"width": 390, "height": 844})
    scroll_to(page, END)
    link = page.get_by_role("link", name="Contents", exact=True)
    box = link.bounding_box()
    assert box
    assert 0 <= box["y"] <= 844 - box["height"]
    assert box["height"] >= 44
    page.screenshot(path=SCREENSHOTS / "api-docs-390.png")
    link.click()
    top = page.get_by_role("navigation", name="Contents").bounding_box()
    assert top
    assert -1 < top["y"] < 100  # parts of a pixel
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
