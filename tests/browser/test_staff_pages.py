"""The staff pages in a browser: by mouse, by keyboard, without JavaScript, in every theme and size.

Screenshots are left in build/screenshots.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Page, Route, expect

from stats_app.ingest import ClickInput, record_clicks
from stats_app.mailings import token_of
from stats_app.models import Campaign, Mailing, Workspace
from stats_app.sharing import share
from tests.browser.conftest import OpenPage

AXE = Path(__file__).resolve().parent / "axe"
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"

WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def overview(workspace: Workspace, query: str = "") -> str:
    return f"/stats/{workspace.public_id}/{query}"


def pages(workspace: Workspace) -> dict[str, str]:
    """Every kind of page, also the ones that are open without login."""
    campaign, user = workspace.campaigns.earliest("pk"), workspace.users.earliest("pk")
    return {
        "list": "/stats/",
        "overview": overview(workspace),
        "running": overview(workspace, "?period=this-year&breakdown=week"),
        "wrong": overview(workspace, "?from=soon&to=2026-01-01"),
        "empty": overview(workspace, "?from=2001-01-01&to=2001-01-31"),
        "campaign": overview(workspace, f"campaigns/{campaign.public_id}/"),
        "user": overview(workspace, f"users/{user.public_id}/"),
        "campaigns": overview(workspace, "campaigns/"),
        "users": overview(workspace, "users/?clicks=none"),
        "wrong list": overview(workspace, "users/?from=soon&to=2026-01-01"),
        "missing": "/stats/nothing/",
        "share": overview(workspace, "share/"),
        "share campaign": overview(workspace, f"campaigns/{campaign.public_id}/share/"),
        "shared": shared_page(workspace, None),
        "shared campaign": shared_page(workspace, campaign),
        "shared wrong": f"{shared_page(workspace, None)}?from=soon&to=2026-01-01",
        "shared gone": "/stats/shared/nothing/",
        "unsubscribe": unsubscribe_page(workspace, "grace@example.com"),
        "unsubscribed": unsubscribe_page(workspace, "gone@example.com", now()),
        "unsubscribe gone": "/stats/unsubscribe/nothing/",
    }


PAGES_OF_THE_PROJECT = {"home": "/", "missing of the project": "/nothing/", "api docs": "/api/v1/docs/"}


def shared_page(workspace: Workspace, campaign: Campaign | None) -> str:
    shared_at = now()
    secret = share(
        workspace,
        campaign,
        last_day=workspace.today(shared_at),
        maker="ada",
        now=shared_at,
        names_people=campaign is None,
    )[1]
    return f"/stats/shared/{secret}/"


def unsubscribe_page(workspace: Workspace, email: str, unsubscribed_at: datetime | None = None) -> str:
    mailing, _ = Mailing.objects.get_or_create(workspace=workspace)
    address, _ = mailing.addresses.get_or_create(
        email=email, defaults={"sends_from": workspace.today(now()), "unsubscribed_at": unsubscribed_at}
    )
    return f"/stats/unsubscribe/{token_of(address)}/"


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
    tip = hover(page, 0)
    assert len(tip["body"]) == 2
    rows = page.locator("#stats-clicks-table tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    [row] = [row for row in rows if row[0] in tip["body"][0]]
    assert tip["body"] == [f"{row[1]}  {row[0]}", f"{row[3]}  {row[2]}"]
    assert tip["footer"] == f"Change: {row[4]}"
    expect(page.locator(".stats-more:has(#stats-clicks-table)")).not_to_have_attribute("open", "")


def hover(page: Page, number: int, place: float = 0.5) -> dict[str, Any]:
    """The tooltip of a chart under a pointer at this part of its width: texts, and where it lies on the chart."""
    canvas = page.locator("canvas").nth(number)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * place, box["y"] + box["height"] / 2)
    tip: dict[str, Any] = page.evaluate(
        """(number) => {
            const { tooltip, width, height } = Chart.getChart(document.querySelectorAll("canvas")[number]);
            const { opacity, title, body, footer, x, y, width: wide, height: high, caretX } = tooltip;
            const text = (lines) => lines.join(" ");
            return {
                opacity, title: text(title), body: body.map((one) => text(one.lines)), footer: text(footer),
                left: x, right: x + wide, top: y, bottom: y + high, caret: caretX, width, height,
            };
        }""",
        number,
    )
    assert tip["opacity"] == 1
    return tip


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
    expect(page.get_by_label("By", exact=True)).to_have_value("day")


def test_everything_can_be_done_by_keyboard(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), **WIDE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Last 12 months"))
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**period=last-12-months*")
    tab_to(page, page.get_by_label("By", exact=True))

    series = page.get_by_role("button", name="Previous period")
    tab_to(page, series)
    expect(series).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    expect(series).to_have_attribute("aria-pressed", "false")
    assert not page.evaluate("Chart.getChart(document.querySelector('canvas')).isDatasetVisible(1)")

    tab_to(page, page.locator(".stats-more:has(#stats-clicks-table) > summary"))
    page.keyboard.press("Enter")
    expect(page.locator(".stats-more:has(#stats-clicks-table)")).to_have_attribute("open", "")
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


@pytest.mark.parametrize("options", [WIDE, PHONE], ids=["wide", "phone"])
def test_without_javascript_the_tables_stand_open(
    open_page: OpenPage, workspace: Workspace, options: dict[str, Any]
) -> None:
    page = open_page(overview(workspace), java_script_enabled=False, **options)
    expect(page.locator("#stats-clicks-table")).to_be_visible()
    expect(page.locator(".stats-plot").first).to_be_hidden()
    if options is PHONE:
        expect(page.get_by_label("By", exact=True)).to_be_hidden()
        page.get_by_text("Choose dates").click()
    page.get_by_label("By", exact=True).select_option("month")
    page.get_by_role("button", name="Apply").click()
    assert "breakdown=month" in page.url
    expect(page.locator("#stats-clicks-table")).to_be_visible()


def test_on_paper_stand_charts_top_tables_and_what_was_opened(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace, "?period=this-year&breakdown=day"), color_scheme="dark", **WIDE)
    width = page.evaluate("document.querySelector('canvas').clientWidth")
    page.locator(".stats-more:has(#stats-campaigns-table) > summary").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelector('canvas').clientWidth") == 680
    page.emulate_media(media="print")
    for shown in (".stats-ranking", "#stats-campaigns-table", ".stats-legend", "canvas"):
        expect(page.locator(shown).first).to_be_visible()
    for hidden in ("#stats-clicks-table", ".stats-controls", ".stats-login", "summary"):
        expect(page.locator(hidden).first).to_be_hidden()
    # Browsers do not print backgrounds unless the style asks for it. The colours are those of the light theme.
    swatch = "(element) => [getComputedStyle(element).printColorAdjust, getComputedStyle(element).backgroundColor]"
    assert page.locator(".stats-swatch.accent").evaluate(swatch) == ["exact", "rgb(31, 95, 127)"]
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelector('canvas').clientWidth") == width


def test_a_year_by_day_takes_few_sheets(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace, "?period=this-year&breakdown=day"), **WIDE)
    expect(page.locator(".stats-drawn").first).to_be_visible()
    assert sheets(page) <= 3
    # A table head with long names has several lines, but does not fill a sheet.
    lengthen_names(workspace)
    page.reload()
    page.locator(".stats-more:has(#stats-campaigns-table) > summary").click()
    page.emulate_media(media="print")
    page.set_viewport_size(SHEET)
    head = page.locator("#stats-campaigns-table thead").bounding_box()
    assert head is not None
    assert head["height"] <= 100
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


# What an A4 sheet measures within margins of 12 mm, in CSS pixels.
SHEET = {"width": 703, "height": 1032}


def sheets(page: Page) -> int:
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", margin=margin)))


def test_a_heading_is_not_alone_at_the_end_of_a_sheet(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace), **WIDE)
    page.emulate_media(media="print")
    breaks = "(elements, name) => [...new Set(elements.map((element) => getComputedStyle(element)[name]))]"
    assert page.locator("h2").evaluate_all(breaks, "breakAfter") == ["avoid"]
    assert page.locator(".stats-plot, .stats-pair section").evaluate_all(breaks, "breakInside") == ["avoid"]


def lengthen_names(workspace: Workspace) -> None:
    """Gives workspace, campaigns and users names of 200 letters without a space."""
    for things, field in ((Workspace, "name"), (workspace.campaigns, "name"), (workspace.users, "display_name")):
        for thing in things.all() if things is not Workspace else Workspace.objects.filter(pk=workspace.pk):
            setattr(thing, field, (getattr(thing, field).replace(" ", "") + LONG * 4)[:200])
            thing.save()


LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverordnung"


def findings(page: Page, place: str = "html") -> list[Any]:
    """The violations that axe finds in this place, with everything open that can be folded."""
    page.evaluate((AXE / "axe.min.js").read_text(encoding="utf-8"))
    for details in page.locator(f"{place} details").all():
        details.evaluate("(element) => { element.open = true; }")
    # Without the styles that other styles import, which axe would put into the page against its policy.
    violations = page.evaluate(f"axe.run({place!r}, {{ preload: false }})")["violations"]
    return [(violation["id"], node["html"][:150]) for violation in violations for node in violation["nodes"]]


# Each colour scheme, language and size, and each two of them together.
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
LOOKS = [
    pytest.param(size | {"color_scheme": scheme, "locale": locale}, id=f"{scheme}-{locale}-{size['viewport']['width']}")
    for size, scheme, locale in (
        (DESKTOP, "light", "en-GB"),
        (DESKTOP, "dark", "fr-FR"),
        (PHONE, "light", "fr-FR"),
        (PHONE, "dark", "en-GB"),
    )
]


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_page(open_page: OpenPage, workspace: Workspace, look: dict[str, Any]) -> None:
    page = open_page(**look)
    by_page = {}
    for name, url in (pages(workspace) | PAGES_OF_THE_PROJECT).items():
        page.goto(url)
        by_page[name] = findings(page)
    page.goto(overview(workspace, "share/"))
    page.locator("[name=last_day]").fill("2001-01-01")
    page.locator(".stats-period [type=submit]").click()
    expect(page.locator(".stats-error")).to_be_visible()
    by_page["wrong day"] = findings(page)
    page.locator("[name=last_day]").fill(f"{now().year + 1}-01-01")
    page.locator(".stats-period [type=submit]").click()
    expect(page.locator("pre")).to_contain_text("/stats/shared/")
    by_page["address"] = findings(page)
    User.objects.create_user("bob", password="babbage", is_staff=True)
    page.context.clear_cookies()
    page.goto("/stats/")
    page.fill("[name=username]", "bob")
    page.fill("[name=password]", "babbage")
    page.click("[type=submit]")
    by_page["no permission"] = findings(page)
    page.goto("/admin/stats_app/workspaceuser/import/")
    by_page["no permission of the project"] = findings(page)
    assert {name: what for name, what in by_page.items() if what} == {}


def test_axe_is_as_published() -> None:
    manifest = json.loads((AXE / "manifest.json").read_text(encoding="utf-8"))
    files = {name: hashlib.sha256((AXE / name).read_bytes()).hexdigest() for name in manifest["files"]}
    assert files == manifest["files"]


@pytest.mark.parametrize(("width", "locale"), [(320, "fr-FR"), (390, "en-GB"), (1024, "en-GB")])
def test_nothing_scrolls_sideways(open_page: OpenPage, workspace: Workspace, width: int, locale: str) -> None:
    lengthen_names(workspace)
    page = open_page(**PHONE | {"viewport": {"width": width, "height": 844}, "locale": locale})
    for name, url in pages(workspace).items():
        page.goto(url)
        for details in page.locator("details").all():
            details.evaluate("(element) => { element.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_a_long_name_leaves_the_figures_beside_it_in_sight(
    open_page: OpenPage, workspace: Workspace, width: int
) -> None:
    lengthen_names(workspace)
    page = open_page(viewport={"width": width, "height": 844})
    for url in ("/stats/", overview(workspace)):
        page.goto(url)
        for frame in page.locator(".stats-frame:not(.stats-tall, details *)").all():
            parts = frame.evaluate(
                """(frame) => {
                    const row = frame.querySelector("tbody tr");
                    const box = (element) => element.getBoundingClientRect();
                    const [name, count] = row.cells;
                    const sticks = getComputedStyle(name).position;
                    return { frame: box(frame), name: box(name), count: box(count), sticks };
                }"""
            )
            assert parts["sticks"] == "sticky"
            assert parts["name"]["width"] <= parts["frame"]["width"] / 2
            assert parts["name"]["right"] <= parts["count"]["left"] + 1
            assert parts["count"]["right"] <= parts["frame"]["right"] + 1
            # The figure stands beside the first line of the name.
            assert frame.evaluate(FIRST_LINES) < 3


FIRST_LINES = """(frame) => {
    const [name, count] = frame.querySelector("tbody tr").cells;
    const top = (node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return range.getClientRects()[0].top;
    };
    return Math.abs(top(name.querySelector("bdi")) - top(count));
}"""


@pytest.mark.parametrize("options", [WIDE | {"viewport": {"width": 1440, "height": 900}}, PHONE], ids=["wide", "phone"])
def test_a_tooltip_begins_with_the_number_and_leaves_the_chart_in_sight(
    open_page: OpenPage, workspace: Workspace, options: dict[str, Any]
) -> None:
    names = [LONG * 3, "מבצע חורף! " * 12, "👩‍👩‍👧‍👦" * 40, "WWWWWWWWWW" * 10, "Short", "A name with spaces " * 8]
    for campaign, name in zip(workspace.campaigns.order_by("pk"), names, strict=False):
        campaign.name = name[:200]
        campaign.save()
    page = open_page(overview(workspace, "?period=last-12-months&breakdown=month"), **options)
    said, marks = set(), []
    for place in (0.15, 0.3, 0.5, 0.7, 0.95):
        for number in range(2):
            tip = hover(page, number, place)
            assert (tip["left"] >= 0, tip["right"] <= tip["width"]) == (True, True), tip
            assert (tip["top"] >= 0, tip["bottom"] <= tip["height"]) == (True, True), tip
            assert tip["right"] - tip["left"] <= tip["width"] * 0.45, tip
            # It lies beside what it is about.
            assert not tip["left"] < tip["caret"] < tip["right"], tip
            assert all(re.match(r"[\d,]+  ", line) for line in [*tip["body"], *[tip["footer"]][:number]])
        said |= set(tip["body"])
    for line in said:
        value, isolated = line.split("  ", 1)
        assert (value.replace(",", "").isdigit(), isolated[0], isolated[-1]) == (True, "\u2068", "\u2069")
        assert page.evaluate("(name) => [...new Intl.Segmenter().segment(name)].length", isolated[1:-1]) <= 29
    assert any("👩‍👩‍👧‍👦" in line and line.endswith("👩‍👩‍👧‍👦…\u2069") for line in said)
    # What a campaign does is said whatever its name, and no character is cut in half.
    for place in (0.15, 0.3, 0.5, 0.7, 0.95):
        tip = hover(page, 1, place)
        if marked := tip["footer"].partition("Total")[2]:
            assert re.search(r"\b(begins|ends)\b", marked), marked
            assert not re.search("[\ud800-\udfff]", marked)
            marks.append(marked)
    assert len(marks) > 1
    assert any(line.endswith("Short\u2069") for line in said)


def test_one_day_shows_both_its_values(open_page: OpenPage, workspace: Workspace) -> None:
    day = workspace.today(now()) - timedelta(days=1)
    for clicks, at in ((4, day), (2, day - timedelta(days=1))):
        clicked_at = datetime.combine(at, time(12), workspace.zone)
        record_clicks(workspace, [ClickInput("other", clicked_at=clicked_at) for _ in range(clicks)])
    page = open_page(overview(workspace, f"?from={day}&to={day}"), **WIDE)
    drawn = page.evaluate(
        """() => {
            const chart = Chart.getChart(document.querySelector("canvas"));
            return chart.data.datasets.map((set, index) => {
                const { x, width, height } = chart.getDatasetMeta(index).data[0];
                return { number: set.data[0], left: x - width / 2, width, height, right: x + width / 2 };
            });
        }"""
    )
    assert [one["number"] for one in drawn] == [
        int(n) for n in page.locator("#stats-clicks-table td").all_text_contents()[:3:2]
    ]
    assert all(one["width"] >= 32 and one["height"] >= 2 for one in drawn)
    assert drawn[0]["right"] <= drawn[1]["left"]
    # The workspace also has the clicks of the demo, fewer of them on weekends.
    by_height = sorted(drawn, key=lambda one: one["height"])
    assert by_height == sorted(drawn, key=lambda one: one["number"])
    tip = hover(page, 0)
    assert tip["right"] <= drawn[0]["left"] or tip["left"] >= drawn[1]["right"]


def test_a_bucket_that_the_period_cuts_is_drawn_as_such(open_page: OpenPage, workspace: Workspace) -> None:
    # From a Sunday to a Monday, so that both ends are one day of a week.
    page = open_page(overview(workspace, "?from=2026-03-01&to=2026-03-30&breakdown=week"), **WIDE)
    drawn = page.evaluate(
        """() => [...document.querySelectorAll("canvas")].map((canvas) => {
            const chart = Chart.getChart(canvas);
            const bars = chart.getDatasetMeta(0).data;
            return {
                labels: chart.data.labels,
                looks: bars.map(({ options }) => options.pointStyle ?? String(options.backgroundColor)),
            };
        })"""
    )
    labels = [["1 March", "1 of 7 days"], "2 March", "9 March", "16 March", "23 March", ["30 March", "1 of 7 days"]]
    assert drawn[0] == {"labels": labels, "looks": ["rectRot", "circle", "circle", "circle", "circle", "rectRot"]}
    for chart in drawn[1:]:
        assert chart["labels"] == labels
        assert chart["looks"][0] != chart["looks"][1]
    assert "(1 of 7 days)" in hover(page, 0, 0.06)["body"][0]


def test_a_campaign_keeps_its_colour_and_bars_have_gaps(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(**WIDE)
    colours: dict[str, set[str]] = {}
    for period in ("last-7-days", "this-month", "last-month", "last-12-months"):
        page.goto(overview(workspace, f"?period={period}"))
        shown = page.locator("section:has(#stats-campaigns-title) .stats-legend button").evaluate_all(
            "(all) => all.map((one) => [one.textContent.trim(), getComputedStyle(one.firstChild).backgroundColor])"
        )
        assert len({colour for _, colour in shown}) == len(shown) <= 8
        for name, colour in shown:
            colours.setdefault(name, set()).add(colour)
    changing = [name for name, found in colours.items() if len(found) > 1]
    # There are nine campaigns in the year, and seven colours.
    assert len(changing) <= 2, colours
    gap = page.evaluate(
        """() => {
            const canvas = document.querySelectorAll("canvas")[1];
            const chart = Chart.getChart(canvas);
            const { x, y } = chart.getDatasetMeta(0).data.at(-2);
            const scale = canvas.width / chart.width;
            const [left, top] = [Math.round(x * scale), Math.round(y * scale) - 2];
            const pixels = [...canvas.getContext("2d").getImageData(left, top, 1, 5).data];
            // The lightest of the pixels about the upper end of the lowest part.
            return Math.max(...[0, 4, 8, 12, 16].map((at) => Math.min(...pixels.slice(at, at + 3))));
        }"""
    )
    # The line may cover parts of two pixels. No colour of the chart has such high values of red, green and blue.
    assert gap > 120


@pytest.mark.parametrize(
    ("query", "year"),
    [
        ("?from=2023-01-02&to=2026-11-29&breakdown=week", True),
        ("?from=2025-11-01&to=2026-11-20&breakdown=day", True),
        ("?from=2025-12-01&to=2026-11-30&breakdown=week", False),
    ],
)
def test_no_two_ticks_are_alike(open_page: OpenPage, workspace: Workspace, query: str, year: bool) -> None:
    page = open_page(overview(workspace, query), **WIDE)
    ticks = page.evaluate(
        "() => Chart.getChart(document.querySelector('canvas')).scales.x.ticks.map(({ label }) => String(label))"
    )
    assert len(set(ticks)) == len(ticks) > 5
    assert all(bool(re.search(r"20\d\d", tick)) == year for tick in ticks)


def test_on_the_way_back_the_fields_say_what_the_page_shows(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace, "?period=last-month"), **WIDE)
    named = ".stats-period [name]:not([name=csrfmiddlewaretoken])"
    fields = f"() => [...document.querySelectorAll('{named}')].map((field) => field.value)"
    shown = page.evaluate(fields)
    page.get_by_label("From", exact=True).fill("2026-06-01")
    page.get_by_label("To", exact=True).fill("2026-06-30")
    page.get_by_label("By", exact=True).select_option("week")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**from=2026-06-01**")
    page.go_back()
    page.wait_for_url("**period=last-month")
    assert page.evaluate(fields) == shown
    # The same where the browser has kept the page as it was.
    page.get_by_label("By", exact=True).select_option("month")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert page.evaluate(fields) == shown


def test_a_table_shows_that_more_rows_follow(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(overview(workspace, "?period=last-12-months&breakdown=week"), **WIDE)
    rows = page.locator("#stats-clicks-table tbody tr").count()
    summary = page.locator(".stats-more:has(#stats-clicks-table) > summary")
    expect(summary).to_have_text(f"The same figures as a table, {rows} rows")
    summary.click()
    frame = page.locator(".stats-tall").first
    ends = """(frame) => {
        const hint = getComputedStyle(frame, "::after");
        const free = frame.getBoundingClientRect().bottom - parseFloat(hint.height) + 1;
        const end = frame.querySelector("tbody tr:last-child").getBoundingClientRect().bottom;
        return [hint.position, hint.backgroundImage.includes("gradient"), end <= free];
    }"""
    assert frame.evaluate(ends) == ["sticky", True, False]
    frame.evaluate("(frame) => frame.scrollTo(0, frame.scrollHeight)")
    assert frame.evaluate(ends) == ["sticky", True, True]


def test_links_are_high_enough_for_a_finger(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page(**PHONE)
    for url in pages(workspace).values():
        page.goto(url)
        low = page.locator("a:visible, button:visible, summary:visible").evaluate_all(
            """(all) => all.filter((one) => !one.matches(".stats-skip, .stats-excluded a, main > p a"))
                .map((one) => [one.textContent.trim().slice(0, 40), one.getBoundingClientRect().height])
                .filter(([, height]) => height < 32)"""
        )
        assert low == [], url


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_on_a_phone_the_figures_come_first(open_page: OpenPage, workspace: Workspace, locale: str) -> None:
    page = open_page(**PHONE | {"locale": locale})
    shown = pages(workspace)
    for name in ("overview", "running", "campaign", "user"):
        page.goto(shown[name])
        tops = page.evaluate(
            "() => ['.stats-figures', 'canvas'].map((one) => document.querySelector(one).getBoundingClientRect().top)"
        )
        assert tops[0] < 420, (name, tops)
        assert tops[1] < 800, (name, tops)
    page.locator(".stats-dates > summary").click()
    page.locator("[name=breakdown]").select_option("month")
    page.locator(".stats-period [type=submit]").click()
    assert "breakdown=month" in page.url


WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("options", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_moves_when_the_script_arrives_late(
    open_page: OpenPage, workspace: Workspace, options: dict[str, Any]
) -> None:
    page = open_page(**options)
    page.add_init_script(WATCH_SHIFTS)
    for url in pages(workspace).values():
        page.goto(url)
        assert page.evaluate("window.shifts") < 0.02, url

    waiting: list[Route] = []
    page.route("**/*.js", lambda route: waiting.append(route))
    page.goto(overview(workspace), wait_until="commit")
    page.locator(".stats-more:has(#stats-clicks-table) > summary").click()
    expect(page.locator("#stats-clicks-table")).to_be_visible()
    page.wait_for_timeout(600)  # Movement soon after a click does not count as a layout shift.
    before = page.evaluate("window.shifts")
    for route in waiting:
        route.continue_()
    expect(page.locator(".stats-drawn").first).to_be_visible()
    expect(page.locator("#stats-clicks-table")).to_be_visible()
    assert page.evaluate("window.shifts") - before < 0.02


def test_figures_are_written_alike_in_tables_and_charts(open_page: OpenPage, workspace: Workspace) -> None:
    clicked_at = datetime.combine(workspace.today(now()) - timedelta(days=1), time(12), workspace.zone)
    record_clicks(workspace, [ClickInput("other", clicked_at=clicked_at) for _ in range(1_500)])
    page = open_page(overview(workspace, "?period=last-12-months"), **WIDE | {"locale": "fr-FR"})
    ticks = page.evaluate(
        "() => Chart.getChart(document.querySelector('canvas')).scales.y.ticks.map(({ label }) => label)"
    )
    assert any(re.fullmatch("\\d\u202f\\d{3}", tick) for tick in ticks)
    assert re.fullmatch("\\d\u202f\\d{3}", page.locator(".stats-number").first.inner_text())


def test_a_name_that_cannot_be_seen_is_a_link_all_the_same(open_page: OpenPage, workspace: Workspace) -> None:
    workspace.name = "\u200b"
    workspace.save()
    page = open_page(**WIDE)
    link = page.get_by_role("link", name=workspace.public_id)
    box = link.bounding_box()
    assert box is not None
    assert box["width"] >= 32
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(workspace.public_id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_host_gives_the_pages_its_own_colours(open_page: OpenPage, workspace: Workspace, scheme: str) -> None:
    page = open_page(color_scheme=scheme, **WIDE)
    own = ":root { --stats-accent: #b3005e; --stats-ground: light-dark(#fffaf0, #201018); }"

    def themed(route: Route) -> None:
        answer = route.fetch()
        # The host's style is loaded before ours here, and must still apply.
        route.fulfill(response=answer, body=own + answer.text())

    page.route("**/stats.css", themed)
    page.goto(overview(workspace))
    colours = page.evaluate(
        """() => ({
            ground: getComputedStyle(document.body).backgroundColor,
            link: getComputedStyle(document.querySelector(".stats-presets a:not([aria-current])")).color,
            line: Chart.getChart(document.querySelector("canvas")).data.datasets[0].borderColor,
            swatch: getComputedStyle(document.querySelector(".stats-swatch")).backgroundColor,
        })"""
    )
    accent = "rgb(179, 0, 94)"
    ground = "rgb(255, 250, 240)" if scheme == "light" else "rgb(32, 16, 24)"
    assert colours == {"ground": ground, "link": accent, "line": accent, "swatch": accent}


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
