"""What the staff pages show: the numbers of the tools, beside those of the previous period."""

from __future__ import annotations

import html
import random
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace, WorkspaceUser
from stats_app.presets import PRESETS
from tests.admin_cast import login, superuser
from tests.dashboard_cast import NOW, address, at, changes, csv_lines, figures, show, table, text
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import CAMPAIGNS, OVERVIEW, USERS, get, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

MARCH = {"from_": "2026-03-01", "to": "2026-03-31"}
FEBRUARY = {"from_": "2026-02-01", "to": "2026-02-28"}


def clicks(workspace: Workspace, day: str, number: int, kind: str = "vcard", **values: Any) -> None:
    record_all(workspace, [ClickInput(kind, clicked_at=at(day), **values) for _ in range(number)])


def busy_workspace() -> tuple[Workspace, list[Campaign], list[WorkspaceUser]]:
    """Twelve campaigns, fifteen users and 600 clicks of all kinds and verdicts from November to now."""
    workspace = make_workspace(timezone="Europe/Paris")
    campaigns = [make_campaign(workspace, name=f"Campaign {number}") for number in range(12)]
    users = [make_user(workspace, display_name=f"Person {number}") for number in range(15)]
    rng = random.Random(7)
    drawn = []
    for _ in range(600):
        kind = rng.choice(["campaign", "campaign", "vcard", "other"])
        campaign = rng.choice(campaigns[: rng.randint(1, 12)]) if kind == "campaign" else None
        user = rng.choice([None, *users[: rng.randint(1, 15)]])
        clicked_at = NOW - timedelta(minutes=rng.randrange(150 * 24 * 60))
        verdict = rng.choice(["human"] * 8 + ["bot", "suspected"])
        drawn.append(ClickInput(kind, campaign=campaign, user=user, clicked_at=clicked_at, verdict=verdict))
    record_all(workspace, drawn)
    return workspace, campaigns, users


@pytest.mark.parametrize(
    ("start", "end", "breakdown"),
    [("2026-02-27", "2026-03-28", "day"), ("2025-11-01", "2026-03-31", "month"), ("2026-01-05", "2026-03-20", "week")],
)
def test_page_csv_and_rest_say_the_same(staff: Client, start: str, end: str, breakdown: str) -> None:
    workspace, campaigns, users = busy_workspace()
    key = make_key(workspace)
    query = {"from": start, "to": end, "breakdown": breakdown}
    answer = get(key, OVERVIEW, query).json()
    page = show(staff, address(workspace), **query)
    lines = csv_lines(staff.get(address(workspace), query | {"format": "csv"}))
    by_table = {name: [line for line in lines if line["table"] == name] for name in {line["table"] for line in lines}}

    totals, chart = answer["totals"], answer["breakdown"]["chart"]
    other = totals["totalClicks"] - totals["campaignClicks"] - totals["vcardClicks"]
    expected = [totals["totalClicks"], totals["campaignClicks"], totals["vcardClicks"], other]
    assert [int(number) for number in figures(page).values()] == expected
    assert [int(line["clicks"]) for line in by_table["totals"]] == expected

    rows = table(page, "stats-clicks")
    assert [int(row[1]) for row in rows if row[1]] == chart["datasets"]["current"]
    assert [int(row[3]) for row in rows if row[3]] == chart["datasets"]["previous"]
    current = [line for line in by_table["chart"] if line["name"]]
    assert [(line["name"], int(line["clicks"])) for line in current] == list(
        zip(chart["labels"]["current"], chart["datasets"]["current"], strict=True)
    )
    before = [int(line["previousClicks"]) for line in by_table["chart"] if line["previousClicks"]]
    assert before == chart["datasets"]["previous"]

    top = [(one["name"], sum(one["data"])) for one in chart["datasets"]["campaigns"]]
    assert [(row[0], int(row[1])) for row in table(page, "campaigns")] == top
    assert [(line["name"], int(line["clicks"])) for line in by_table["campaigns"]] == top
    stacked = table(page, "stats-campaigns")
    # Seven have a colour of their own; the others are one grey column.
    assert [[int(cell) for cell in row[1:8]] for row in stacked] == [
        list(column) for column in zip(*(one["data"] for one in chart["datasets"]["campaigns"][:7]), strict=True)
    ]
    assert all(sum(map(int, row[1:9])) == int(row[9]) for row in stacked)
    assert sum(int(row[-1]) for row in stacked) == totals["campaignClicks"]

    counted = {user: get(key, f"{USERS}{user.public_id}/metrics/", query_of(start, end)).json() for user in users}
    by_user = [(user, counted[user]["metrics"]["totalClicks"]) for user in users]
    first = sorted(by_user, key=lambda one: (-one[1], one[0].public_id))[:10]
    assert [(row[0], int(row[1])) for row in table(page, "users")] == [(str(user), clicks) for user, clicks in first]
    assert [(line["publicId"], int(line["clicks"])) for line in by_table["users"]] == [
        (user.public_id, clicks) for user, clicks in first
    ]

    for campaign in campaigns[:2]:
        asked = get(key, f"{CAMPAIGNS}{campaign.public_id}/performance/", query_of(start, end)).json()["metrics"]
        shown = show(staff, address(campaign), **query)
        assert int(figures(shown)["Clicks"]) == asked["clicks"]
        assert int(figures(shown)["Best day"]) == asked["bestDay"]["clicks"]
        share = f"{asked['shareOfCampaignClicks'] * 100:.1f}%"
        assert figures(shown)["Share of all campaign clicks"] == share
        assert sum(int(row[1]) for row in table(shown, "stats-clicks") if row[1]) == asked["clicks"]
        [total] = csv_lines(staff.get(address(campaign), query | {"format": "csv", "table": "totals"}))
        assert int(total["clicks"]) == asked["clicks"]
    for user, answered in list(counted.items())[:2]:
        metrics = answered["metrics"]
        shown = show(staff, address(user), **query)
        names = ("totalClicks", "campaignClicks", "vcardClicks", "otherClicks")
        assert [int(number) for number in figures(shown).values()] == [metrics[name] for name in names]
        assert sum(int(row[-1]) for row in table(shown, "stats-kinds")) == metrics["totalClicks"]
        totals_of = csv_lines(staff.get(address(user), query | {"format": "csv", "table": "totals"}))
        assert [int(line["clicks"]) for line in totals_of] == [metrics[name] for name in names]


def query_of(start: str, end: str) -> dict[str, str]:
    return {"from": start, "to": end}


def test_the_change_is_against_the_previous_period(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-02-04", 8)
    clicks(workspace, "2026-02-18", 10)
    clicks(workspace, "2026-02-19", 2, "other")
    page = show(staff, address(workspace), from_="2026-02-18", to="2026-03-03")
    assert "18 February – 3 March 2026 , UTC. Compared with 4–17 February 2026." in text(page)
    assert figures(page) == {"All clicks": "12", "Campaign clicks": "0", "vCard clicks": "10", "Other clicks": "2"}
    assert changes(page) == ["▲ up +50.0% (+4)", "= unchanged 0", "▲ up +25.0% (+2)", "▲ up +2"]


def test_months_of_unlike_length_stand_side_by_side_without_a_change(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-01-01", 1000)
    clicks(workspace, "2026-02-10", 12)
    page = show(staff, address(workspace), breakdown="month", **FEBRUARY)
    assert "Compared with 1–31 January 2026. No change is shown: 28 days against 31." in text(page)
    assert changes(page)[0] == "before: 1,000"
    assert table(page, "stats-clicks") == [["February 2026", "12", "January 2026", "1,000", "28 days against 31"]]


def test_nothing_is_held_against_days_before_the_first_click(staff: Client) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    clicks(workspace, "2026-02-16", 3, user=user)
    clicks(workspace, "2026-02-23", 6, user=user)
    page = show(staff, address(workspace), from_="2026-02-23", to="2026-03-08", breakdown="week")
    assert "Compared with 9–22 February 2026. No change is shown: no data before 16 February 2026." in text(page)
    assert changes(page)[0] == "no data before 16 February 2026"
    assert [row[4] for row in table(page, "stats-clicks")] == ["no data before 16 February 2026", "−100.0% (−3)"]
    assert table(page, "users") == [["Ada Lovelace", "6", "100.0%", "–"]]
    page = show(staff, address(workspace), from_="2026-02-23", to="2026-03-01", breakdown="week")
    assert changes(page)[0] == "▲ up +100.0% (+3)"
    assert table(page, "users") == [["Ada Lovelace", "6", "100.0%", "▲ up +100.0% (+3)"]]


def test_a_running_period_is_compared_by_its_days_that_are_over(staff: Client) -> None:
    workspace = make_workspace()
    user, campaign = make_user(workspace), make_campaign(workspace)
    for day, number in (("2026-02-01", 1), ("2026-02-26", 3), ("2026-02-27", 5), ("2026-03-26", 2), ("2026-03-27", 9)):
        clicks(workspace, day, number, "campaign", user=user, campaign=campaign)
    with time_machine.travel(at("2026-03-27", "23:59"), tick=False):
        page = show(staff, address(workspace), **MARCH)
    assert "Still running: its complete days, 1–26 March 2026, are compared with 1–26 February 2026." in text(page)
    # Clicks of today are in the figures and in no change.
    assert figures(page)["All clicks"] == "11"
    assert changes(page)[0] == "▼ down −50.0% (−2)"
    for name in ("campaigns", "users"):
        assert [row[1:] for row in table(page, name)] == [["11", "100.0%", "▼ down −50.0% (−2)"]]
    page = show(staff, address(workspace), **MARCH)
    assert changes(page)[0] == "▲ up +22.2% (+2)"
    with time_machine.travel(at("2026-03-01"), tick=False):
        page = show(staff, address(workspace), **MARCH)
    assert "None of its days is complete yet, so nothing is compared." in text(page)
    assert changes(page) == ["–"] * 4


def test_the_same_days_a_year_before(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2025-03-03", 4)
    clicks(workspace, "2026-03-02", 5)
    page = show(staff, address(workspace), from_="2026-03-02", to="2026-03-08", compare="year")
    assert "Compared with 3–9 March 2025." in text(page)
    assert changes(page)[0] == "▲ up +25.0% (+1)"
    assert ">Clicks, this period and a year before</h2>" in page
    assert table(page, "stats-clicks")[0] == ["Mon 2 March 2026", "5", "Mon 3 March 2025", "4", "+25.0% (+1)"]
    assert "A year before" in map(text, re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page))


def test_without_a_comparison_no_change_is_shown(staff: Client) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    clicks(workspace, "2026-02-10", 1)
    clicks(workspace, "2026-03-03", 5, user=user)
    for shown in (workspace, user):
        page = show(staff, address(shown), from_="2026-03-02", to="2026-03-08", compare="none")
        assert text(page).count("Compared") == 1  # the field's own name
        assert changes(page) == []
        assert table(page, "stats-clicks")[1] == ["Tue 3 March 2026", "5"]
        lines = csv_lines(staff.get(address(shown), {"period": "last-28-days", "compare": "none", "format": "csv"}))
        assert {line[name] for line in lines for name in ("previousClicks", "change", "noChange")} == {""}
    page = show(staff, address(workspace), from_="2026-03-02", to="2026-03-08", compare="none")
    assert table(page, "users") == [["Ada Lovelace", "5", "100.0%"]]


def test_todays_clicks_so_far_stand_beside_figures_that_end_yesterday(staff: Client) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    clicks(workspace, "2026-03-28", 7, "campaign", campaign=campaign)
    clicks(workspace, "2026-03-28", 2, "other")
    for preset in ("last-7-days", "last-28-days", "last-91-days"):
        page = show(staff, address(workspace), period=preset)
        assert re.findall("Today so far: [0-9]+", text(page)) == [f"Today so far: {number}" for number in (9, 7, 0, 2)]
        assert figures(page)["All clicks"] == "0"
        assert "Today so far: 7" in text(show(staff, address(campaign), period=preset))
    assert "Today so far" not in show(staff, address(workspace), period="this-month")


def test_a_bucket_that_is_not_over_says_so(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-02-20", 1)
    clicks(workspace, "2026-03-28", 2)
    rows = table(show(staff, address(workspace), from_="2026-03-27", to="2026-03-29"), "stats-clicks")
    assert rows == [
        ["Fri 27 March 2026", "0", "Tue 24 March 2026", "0", "0"],
        ["Sat 28 March 2026 (so far)", "2", "Wed 25 March 2026", "0", "not over yet"],
        ["Sun 29 March 2026 (to come)", "0", "Thu 26 March 2026", "0", ""],
    ]
    page = show(staff, address(workspace), breakdown="week", **MARCH)
    # What the script draws: the labels on the axis, and which bucket is not over.
    drawn = re.findall(r'<tr data-label="(.*?)"(?: class="(.*?)")?[^>]*><th scope="row">.*?</th><td>(.*?)</td>', page)
    weeks = [("1 March", "cut", "0"), ("2 March", "", "0"), ("9 March", "", "0"), ("16 March", "", "0")]
    assert drawn == [*weeks, ("23 March", "filling", "2"), ("30 March", "future cut", "0")]
    assert [row[4] for row in table(page, "stats-clicks")] == [
        *["no data before 20 February 2026"] * 4,
        *("not over yet", ""),
    ]


def test_a_period_that_has_not_begun_has_no_change(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-28", 2)
    page = show(staff, address(workspace), from_="2026-04-01", to="2026-04-30")
    assert "This period has not begun." in text(page)
    assert changes(page) == ["–"] * 4


def test_today_is_the_workspaces(staff: Client) -> None:
    workspace = make_workspace(timezone="Pacific/Auckland")
    with time_machine.travel(at("2026-03-28", "11:30"), tick=False):
        assert "22–28 March 2026 , Pacific/Auckland." in text(show(staff, address(workspace), period="last-7-days"))


def test_what_is_not_counted_is_shown_apart(staff: Client) -> None:
    workspace = make_workspace()
    for verdict, number in (("human", 3), ("suspected", 2), ("bot", 1)):
        clicks(workspace, "2026-03-02", number, verdict=verdict)
    page = show(staff, address(workspace), **MARCH)
    assert figures(page)["All clicks"] == "3"
    assert "Not counted: 1 by mail scanners, link previews and crawlers, 2 suspected ones." in text(page)
    lines = csv_lines(staff.get(address(workspace), {"period": "this-month", "format": "csv", "table": "notCounted"}))
    assert [(line["name"], line["clicks"]) for line in lines] == [("suspected", "2"), ("bot", "1")]


def test_top_tables_have_shares_changes_links_and_the_rest(staff: Client) -> None:
    workspace = make_workspace()
    ada, bob = make_user(workspace, display_name="Ada"), make_user(workspace, display_name="", email="bob@example.com")
    clicks(workspace, "2026-02-02", 4, user=bob)
    clicks(workspace, "2026-03-02", 6, user=ada)
    clicks(workspace, "2026-03-03", 3, user=bob)
    clicks(workspace, "2026-03-03", 1)
    page = show(staff, address(workspace), from_="2026-03-02", to="2026-03-29")
    assert table(page, "users") == [
        ["Ada", "6", "60.0%", "▲ up +6"],
        ["bob@example.com", "3", "30.0%", "▼ down −25.0% (−1)"],
    ]
    assert "All others, and clicks without a user 1 10.0%" in text(page)
    link = f'<a href="{address(ada)}?from=2026-03-02&amp;to=2026-03-29&amp;breakdown=day"><bdi dir="auto">Ada</bdi></a>'
    assert link in page


@pytest.mark.parametrize(
    ("order", "names"),
    [("-clicks", "cab"), ("clicks", "bac"), ("name", "abc"), ("-name", "cba"), ("-change", "abc"), ("nonsense", "cab")],
)
def test_tables_sort_by_their_headings(staff: Client, order: str, names: str) -> None:
    workspace = make_workspace()
    for name, before, now in (("a", 0, 2), ("b", 0, 1), ("c", 9, 3)):
        user = make_user(workspace, display_name=name)
        clicks(workspace, "2026-02-02", before, user=user)
        clicks(workspace, "2026-03-02", now, user=user)
    page = show(staff, address(workspace), users=order, from_="2026-03-02", to="2026-03-29")
    assert "".join(row[0] for row in table(page, "users")) == names
    assert "The headings sort these" not in page


def test_a_table_that_is_cut_says_that_only_its_rows_are_sorted(staff: Client) -> None:
    workspace, _, _ = busy_workspace()
    page = show(staff, address(workspace), period="last-91-days", users="change")
    assert text(page).count("The 10 with the most clicks. The headings sort these 10 only.") == 2


@pytest.mark.parametrize(
    ("preset", "days", "beside"),
    [
        ("last-7-days", "21–27 March 2026", "Compared with 14–20 March 2026."),
        ("last-28-days", "28 February – 27 March 2026", "Compared with 31 January – 27 February 2026."),
        ("last-91-days", "27 December 2025 – 27 March 2026", "Compared with 27 September – 26 December 2025."),
        ("this-month", "1–28 March 2026", "its complete days, 1–27 March 2026, are compared with 1–27 February"),
        ("last-month", "1–28 February 2026", "Compared with 1–31 January 2026."),
        ("this-year", "1 January – 28 March 2026", "are compared with 1 January – 27 March 2025."),
        (
            "last-12-months",
            "1 April 2025 – 28 March 2026",
            "1 April 2025 – 27 March 2026, are compared with 1 April 2024 – 27 March 2025.",
        ),
    ],
)
def test_every_preset_has_an_address_and_is_marked(staff: Client, preset: str, days: str, beside: str) -> None:
    workspace = make_workspace()
    for shown in (workspace, make_campaign(workspace), make_user(workspace)):
        page = show(staff, address(shown), period=preset)
        assert f"<strong>{days}</strong>" in page
        assert beside in text(page)
        assert re.findall(r'<a href="\?period=([^"]*)" aria-current="true">', page) == [preset]


@pytest.mark.parametrize(("old", "new"), [("last-30-days", "last-28-days"), ("last-90-days", "last-91-days")])
def test_a_preset_of_before_leads_to_the_one_that_took_its_place(staff: Client, old: str, new: str) -> None:
    page = show(staff, address(make_workspace()), period=old)
    assert re.findall(r'<a href="\?period=([^"]*)" aria-current="true">', page) == [new]


def test_a_preset_stays_one_when_its_breakdown_is_changed(staff: Client) -> None:
    workspace = make_workspace()
    sent = {"period": "this-month", "from": "2026-03-01", "to": "2026-03-28", "breakdown": "week"}
    for shown in (workspace, make_campaign(workspace), make_user(workspace)):
        page = show(staff, address(shown), period="this-month")
        assert '<input type="hidden" name="period" value="this-month">' in page
        response = staff.get(address(shown), sent)
        assert (response.status_code, response.headers["Location"]) == (302, "?period=this-month&breakdown=week")
    # Days of one's own, and days that were a preset's on another day.
    for days in ({"to": "2026-03-30"}, {"from": "2026-02-01", "to": "2026-02-28"}):
        response = staff.get(address(workspace), sent | days)
        assert response.status_code == 200
        assert 'aria-current="true"' not in response.content.decode()
        assert 'type="hidden" name="period"' not in response.content.decode()


def test_a_corrected_address_keeps_the_file_the_sort_order_and_the_comparison(staff: Client) -> None:
    workspace = make_workspace()
    sent = {"period": "last-28-days", "from": "2026-02-28", "to": "2026-03-27", "breakdown": "week", "compare": "year"}
    sent |= {"users": "name", "campaigns": "nonsense", "format": "csv", "table": "users"}
    response = staff.get(address(workspace), sent)
    expected = "?period=last-28-days&breakdown=week&compare=year&users=name&format=csv&table=users"
    assert (response.status_code, response.headers["Location"]) == (302, expected)
    page = show(staff, address(workspace), users="name", compare="year")
    assert '<input type="hidden" name="users" value="name">' in page
    assert '<option value="year" selected>' in page
    assert '<a href="?period=this-year&amp;compare=year&amp;users=name">' in page


@pytest.mark.parametrize(
    ("preset", "step", "start", "expected"),
    [
        ("last-28-days", "day", "2023-12-01", "?from=2023-12-01&to=2026-03-27&breakdown=week"),
        ("last-28-days", "day", "2017-04-01", "?from=2017-04-01&to=2026-03-27&breakdown=month"),
        ("last-28-days", "day", "2025-12-01", None),  # 117 days are still read day by day
        ("last-28-days", "week", "2017-04-01", "Choose months: a chart has at most 400 steps."),
        ("last-12-months", "month", "2017-04-01", None),
    ],
)
def test_a_step_that_nobody_chose_gives_way_to_a_coarser_one(
    staff: Client, preset: str, step: str, start: str, expected: str | None
) -> None:
    sent = {"period": preset, "from": start, "to": "2026-03-27", "breakdown": step}
    response = staff.get(address(make_workspace()), sent)
    if expected and expected.startswith("?"):
        assert (response.status_code, response.headers["Location"]) == (302, expected)
        return
    assert response.status_code == 200
    errors = re.findall(r'<p class="stats-error"[^>]*>(.*?)</p>', response.content.decode())
    assert errors == ([expected] if expected else [])


def test_a_browser_that_goes_back_fills_in_nothing(staff: Client) -> None:
    fields = re.findall(r"<(?:input|select) [^>]*id=\"stats-[^>]*>", show(staff, address(make_workspace())))
    assert len(fields) == 7
    assert all('autocomplete="off"' in field for field in fields)


def test_without_a_choice_it_is_the_last_28_days(staff: Client) -> None:
    page = show(staff, address(make_workspace()))
    assert "28 February – 27 March 2026" in page
    assert show(staff, address(Workspace.objects.get()), period="nonsense").count("28 February – 27 March 2026") == 1


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("compare", ["previous", "year", "none"])
def test_the_link_to_the_dates_shows_the_same_on_a_later_day(staff: Client, preset: str, compare: str) -> None:
    workspace, _, _ = busy_workspace()
    link = html.unescape(links(show(staff, address(workspace), period=preset, compare=compare))["Link to these dates"])
    with time_machine.travel(at("2026-03-29", "00:01"), tick=False):
        # The day is over, and nothing else has changed.
        page = show(staff, address(workspace), period=preset, compare=compare, on="2026-03-28")
    with time_machine.travel(at("2026-05-05"), tick=False):
        later = show(superuser(), address(workspace) + link)
    assert figures(later) == figures(page)
    assert changes(later) == changes(page)
    for name in ("stats-clicks", "campaigns", "users"):
        assert table(later, name) == table(page, name)


def links(page: str) -> dict[str, str]:
    return {name: link for link, name in re.findall(r'<a href="([^"]*)">([^<]*)</a>', page)}


def test_a_day_to_come_or_none_is_today(staff: Client) -> None:
    workspace = make_workspace()
    for day in ("2026-03-29", "soon", "", "2026-02-30"):
        page = show(staff, address(workspace), period="last-7-days", on=day)
        assert "<strong>21–27 March 2026</strong>" in page
        assert 'name="on"' not in page
    page = show(staff, address(workspace), period="last-7-days", on="2026-03-10")
    assert "<strong>3–9 March 2026</strong>" in page
    assert '<input type="hidden" name="on" value="2026-03-10">' in page


@pytest.mark.parametrize(("day", "preset"), [("2026-03-01", "last-28-days"), ("2026-07-01", "last-91-days")])
def test_weeks_that_are_whole_months_by_chance_are_held_against_weeks(day: str, preset: str) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-01-01", 1)
    with time_machine.travel(at(day), tick=False):
        staff = superuser()
        page = show(staff, address(workspace), period=preset, compare="previous")
        year = show(staff, address(workspace), period=preset, compare="year")
    for shown in (page, year):
        rows = table(shown, "stats-clicks")
        assert [row[0][:3] for row in rows] == [row[2][:3] for row in rows]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"from": "31/03/2026", "to": "2026-03-31"}, "from", "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "2026-02-30", "to": "2026-03-31"}, "from", "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "<b>", "to": "2026-03-31"}, "from", "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "2026-03-01", "to": ""}, "to", "Enter a date."),
        ({"from": "2026-03-01"}, "to", "Enter a date."),
        ({"from": "1999-12-31", "to": "2026-03-31"}, "from", "Enter a date from 2000-01-01 to 2099-12-31."),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to", "Enter a last day that is not before the first day."),
        ({"from": "2010-01-01", "to": "2026-03-01"}, "to", "Enter a period of at most 3660 days; this one has 5904."),
        ({"breakdown": "hour"}, "breakdown", "Choose days, weeks or months."),
        (
            {"from": "2024-01-01", "to": "2026-03-01", "breakdown": "day"},
            "breakdown",
            "Choose weeks or months: a chart has at most 400 steps.",
        ),
        (
            {"from": "2016-12-01", "to": "2026-03-01", "breakdown": "day"},
            "breakdown",
            "Choose months: a chart has at most 400 steps.",
        ),
        (
            {"from": "2016-12-01", "to": "2026-03-01", "breakdown": "week"},
            "breakdown",
            "Choose months: a chart has at most 400 steps.",
        ),
        ({"compare": "never"}, "compare", "Choose the previous period, a year before or nothing."),
    ],
)
def test_a_wrong_field_keeps_what_was_typed_and_says_why_beside_it(
    staff: Client, query: dict[str, str], field: str, message: str
) -> None:
    workspace = make_workspace()
    for shown in (workspace, make_campaign(workspace), make_user(workspace)):
        page = show(staff, address(shown), **query)
        assert re.findall(r'<p class="stats-error" id="stats-(\w+)_error">(.*?)</p>', page) == [(field, message)]
        assert figures(page) == {}
        for name in {"from", "to"} & query.keys():
            typed = query[name].replace("<", "&lt;").replace(">", "&gt;")
            assert not typed or f'name="{name}" value="{typed}"' in page
        assert f'aria-describedby="stats-{field}_error"' in page
        answer = staff.get(address(shown), query | {"format": "csv"})
        assert (answer.status_code, answer.content.decode()) == (400, f"{field}: {message}")


def test_a_date_that_is_none_stands_in_a_text_field_where_a_browser_shows_it(staff: Client) -> None:
    page = show(staff, address(make_workspace()), from_="soon", to="2026-03-31")
    assert '<input type="text" name="from" value="soon"' in page
    assert '<input type="date" name="to" value="2026-03-31"' in page


def test_a_new_workspace_says_how_clicks_come_in(staff: Client) -> None:
    page = show(staff, address(make_workspace()))
    assert "<h2>No clicks yet</h2>" in page
    assert "curl http://testserver/api/v1/clicks/" in page
    assert figures(page) == {}


def test_a_new_workspace_leads_those_who_may_to_a_key_that_writes_clicks(staff: Client) -> None:
    workspace = make_workspace()
    link = f"/admin/stats_app/apikey/add/?workspace={workspace.pk}&amp;scopes=clicks:write"
    assert f'href="{link}"' in show(staff, address(workspace))
    assert "apikey/add" not in show(login("view_workspace"), address(workspace))
    form = show(staff, html.unescape(link))
    assert re.findall(r'name="scopes" value="([^"]*)"[^>]* checked', form) == ["clicks:write"]


def test_a_workspace_that_only_scanners_found_says_so(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-02", 2, verdict="bot")
    page = show(staff, address(workspace), **MARCH)
    assert "No clicks by people yet." in text(page)
    assert "Not counted: 2 by mail scanners, link previews and crawlers, 0 suspected ones." in text(page)


def test_a_period_without_clicks_offers_the_last_one_with_some(staff: Client) -> None:
    workspace = make_workspace()
    user, campaign = make_user(workspace), make_campaign(workspace)
    clicks(workspace, "2025-11-20", 1, "campaign", user=user, campaign=campaign)
    for shown in (workspace, user, campaign):
        page = show(staff, address(shown), period="last-7-days")
        assert 'href="?from=2025-11-14&amp;to=2025-11-20"' in page
        page = show(staff, address(shown), period="last-month")
        assert "No clicks by people in this period. Show the last one with clicks: 1–30 November 2025" in text(page)
        assert next(iter(figures(page).values())) == "0"


def test_a_campaign_without_any_click_says_so(staff: Client) -> None:
    assert "No clicks by people yet." in show(staff, address(make_campaign(make_workspace())))


def test_a_campaign_tells_its_status_days_and_target(staff: Client) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, starts_on=at("2026-03-01").date(), ends_on=at("2026-04-30").date())
    assign(campaign, make_user(workspace), make_user(workspace))
    page = show(staff, address(campaign))
    expected = "This campaign is running. First day: 1 March 2026. Last day: 30 April 2026. It leads to: https://www.example.com/"
    assert expected in text(page)
    assert figures(page) == {
        "Clicks": "0",
        "Share of all campaign clicks": "–",
        "Best day": "–",
        "Assigned users": "2",
    }


def test_a_user_tells_what_is_attached(staff: Client) -> None:
    workspace = make_workspace()
    user = make_user(workspace, email="ada@example.com", is_active=False)
    make_alias(user)
    assign(make_campaign(workspace, name="Spring launch"), user)
    page = text(show(staff, address(user)))
    assert "ada@example.com, inactive. Carries 1 campaign now: Spring launch . 1 alias." in page, page


def test_names_are_text_and_never_markup(staff: Client) -> None:
    name = "<script>alert(1)</script>"
    workspace = make_workspace(name=name)
    campaign = make_campaign(workspace, name=name)
    user = make_user(workspace, display_name=name)
    clicks(workspace, "2026-03-02", 1, "campaign", user=user, campaign=campaign)
    make_workspace(name=name)
    for url in ("/stats/", address(workspace), address(campaign), address(user)):
        assert "<script>alert" not in show(staff, url)


def test_the_list_has_search_pages_and_this_months_totals(staff: Client) -> None:
    acme, globex = make_workspace(name="Acme"), make_workspace(name="Globex", timezone="Asia/Tokyo")
    clicks(acme, "2026-02-01", 5)
    clicks(acme, "2026-02-27", 1)
    clicks(acme, "2026-02-28", 5)
    clicks(acme, "2026-03-01", 3)
    clicks(acme, "2026-03-01", 7, verdict="bot")
    clicks(acme, "2026-03-28", 4)
    record(globex, ClickInput("other", clicked_at=at("2026-02-28", "15:00")))  # the first of March in Tokyo
    page = show(staff, "/stats/")
    # Today is not over: Acme's 3 clicks of 1–27 March stand beside the 6 of 1–27 February.
    assert [row[:6] for row in table(f'id="all-title"{page}', "all")] == [
        ["Acme", "7", "▼ down −50.0% (−3)", "0", "7", "0"],
        ["Globex", "1", "–", "0", "0", "1"],
    ]
    assert ("Acme" in show(staff, "/stats/", q="GLOB"), "Globex" in show(staff, "/stats/", q="glob")) == (False, True)
    assert "Acme" in show(staff, "/stats/", q=acme.public_id)
    assert "No workspace matches." in show(staff, "/stats/", q="nothing\0")
    response = staff.get("/stats/", {"format": "csv"})
    assert response.content.decode("utf-8-sig").splitlines() == [
        "publicId,name,timezone,from,to,totalClicks,campaignClicks,vcardClicks,otherClicks,"
        "previousFrom,previousTo,previousClicks,countedTo,countedClicks,change,changePercent,noChange",
        f"{acme.public_id},Acme,UTC,2026-03-01,2026-03-28,7,0,7,0,2026-02-01,2026-02-27,6,2026-03-27,3,-3,-50.0,",
        f"{globex.public_id},Globex,Asia/Tokyo,2026-03-01,2026-03-29,1,0,0,1,"
        "2026-02-01,2026-02-28,0,2026-03-28,1,,,noData",
    ]


def test_a_search_takes_any_name_but_no_book(staff: Client) -> None:
    make_workspace(name="a b c d e f g h i j k")
    make_workspace(name="Other")
    assert "a b c d e f g h i j k</bdi></a>" in show(staff, "/stats/", q="k j i h g f e d c b a")
    assert "Search for at most 254 characters." in show(staff, "/stats/", q="a" * 255)
    with statements() as executed:
        show(staff, "/stats/", q=" ".join(f"word{number}" for number in range(1000)))
    assert not any("word7" in sql for sql in executed)


def test_who_may_see_one_workspace_only_is_led_straight_to_it(staff: Client) -> None:
    workspace = make_workspace()
    response = staff.get("/stats/")
    assert (response.status_code, response.headers["Location"]) == (302, address(workspace))
    assert "Acme" in show(staff, "/stats/", q="")
    assert [line["name"] for line in csv_lines(staff.get("/stats/", {"format": "csv"}))] == ["Acme"]
    make_workspace(name="Globex")
    assert "Globex" in show(staff, "/stats/")


def test_a_zone_that_the_machine_lacks_harms_its_own_line_only(staff: Client) -> None:
    make_workspace(name="Acme")
    make_workspace(name="Globex", timezone="Mars/Olympus")
    make_workspace(name="Initech", timezone="../etc/passwd")
    page = show(staff, "/stats/")
    assert [row[0] for row in table(f'id="all-title"{page}', "all")] == ["Acme", "Globex", "Initech"]
    assert "This server does not know the time zone Mars/Olympus." in text(page)
    lines = csv_lines(staff.get("/stats/", {"format": "csv"}))
    assert [(line["name"], line["totalClicks"]) for line in lines] == [("Acme", "0"), ("Globex", ""), ("Initech", "")]


def test_the_list_comes_in_pages(staff: Client) -> None:
    for number in range(51):
        make_workspace(name=f"Workspace {number:02}")
    first, second = show(staff, "/stats/"), show(staff, "/stats/", page="2")
    assert ("Workspace 49" in first, "Workspace 50" in first, "Workspace 50" in second) == (True, False, True)
    assert 'rel="next" href="?page=2"' in first


def test_the_first_month_may_be_another_on_the_other_side_of_the_earth(staff: Client) -> None:
    make_workspace(name="Early", timezone="Pacific/Kiritimati")
    make_workspace(name="Late", timezone="Pacific/Pago_Pago")
    with time_machine.travel(at("2026-03-31", "22:00"), tick=False):
        page = text(show(staff, "/stats/"))
    assert "1 April 2026, Pacific/Kiritimati" in page
    assert "1–31 March 2026, Pacific/Pago_Pago" in page


def test_no_page_asks_more_of_the_database_when_there_is_more(staff: Client) -> None:
    workspace, campaigns, users = busy_workspace()
    # One that has no clicks on the first day that is compared, which it may have before.
    clicks(make_workspace(), "2026-03-02", 1)
    urls = ["/stats/", address(workspace), address(campaigns[0]), address(users[0])]
    counted = []
    for _ in range(2):
        numbers = []
        for url in urls:
            with statements() as executed:
                show(staff, url, period="last-12-months")
            numbers.append(len(executed))
        counted.append(numbers)
        for _number in range(5):
            more = make_workspace()
            clicks(more, "2026-03-02", 1)
            user = make_user(workspace)
            clicks(workspace, "2026-03-02", 40, "campaign", user=user, campaign=make_campaign(workspace))
    assert counted[0] == counted[1]
    assert counted[0] == [6, 22, 14, 12]


def test_numbers_and_words_are_in_the_readers_language(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-02", 1234)
    clicks(workspace, "2026-02-01", 1000)
    page = staff.get(address(workspace), {"period": "this-month"}, headers={"Accept-Language": "fr"}).content.decode()
    assert '<html lang="fr"' in page
    assert figures(page)["Tous les clics"] == "1\u202f234"
    assert changes(page)[0] == "▲ en hausse +23,4 % (+234)"
    assert "1er–28 mars 2026" in page
    # Django's own French for “Change” means to edit.
    assert [text(head) for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page)][4] == "Évolution"
