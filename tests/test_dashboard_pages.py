"""What the staff pages show: the numbers of the tools, beside those of the previous period."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace, WorkspaceUser
from tests.admin_cast import login, superuser
from tests.dashboard_cast import NOW, address, at, changes, csv_lines, figures, show, table, text
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import CAMPAIGNS, OVERVIEW, USERS, get, statements

pytestmark = pytest.mark.django_db

MARCH = {"from_": "2026-03-01", "to": "2026-03-31"}
FEBRUARY = {"from_": "2026-02-01", "to": "2026-02-28"}


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def staff() -> Client:
    return superuser()


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
        moment = NOW - timedelta(minutes=rng.randrange(150 * 24 * 60))
        verdict = rng.choice(["human"] * 8 + ["bot", "suspected"])
        drawn.append(ClickInput(kind, campaign=campaign, user=user, clicked_at=moment, verdict=verdict))
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
    clicks(workspace, "2026-01-10", 8)
    clicks(workspace, "2026-02-10", 10)
    clicks(workspace, "2026-02-11", 2, "other")
    page = show(staff, address(workspace), **FEBRUARY)
    assert "1–28 February 2026 , UTC. Compared with 1–31 January 2026." in text(page)
    assert figures(page) == {"All clicks": "12", "Campaign clicks": "0", "vCard clicks": "10", "Other clicks": "2"}
    assert changes(page) == ["▲ up +50.0% (+4)", "= unchanged 0", "▲ up +25.0% (+2)", "▲ up +2"]


def test_a_running_period_is_compared_with_the_same_days_so_far(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-02-01", 1)
    clicks(workspace, "2026-02-27", 3)
    clicks(workspace, "2026-02-28", 5)
    clicks(workspace, "2026-03-28", 2)
    with time_machine.travel(at("2026-03-27", "23:59"), tick=False):
        page = show(staff, address(workspace), **MARCH)
    expected = (
        "Still running: 1–27 March 2026 so far, compared with the same days of the previous period, 1–27 February"
    )
    assert expected in text(page)
    # The click of the 28th lies ahead of the clock: the figures are the tool's, which counts it.
    assert changes(page)[0] == "▼ down −50.0% (−2)"
    page = show(staff, address(workspace), **MARCH)
    assert "compared with the same days of the previous period, 1–28 February 2026." in text(page)
    assert changes(page)[0] == "▼ down −77.8% (−7)"


def test_a_bucket_that_is_not_over_says_so(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-28", 2)
    rows = table(show(staff, address(workspace), from_="2026-03-27", to="2026-03-29"), "stats-clicks")
    assert rows == [
        ["Fri 27 March 2026", "0", "Tue 24 March 2026", "0", "0"],
        ["Sat 28 March 2026 (so far)", "2", "Wed 25 March 2026", "0", "+2"],
        ["Sun 29 March 2026 (to come)", "0", "Thu 26 March 2026", "0", ""],
    ]
    page = show(staff, address(workspace), period="this-month", breakdown="week")
    # What the script draws: the labels on the axis, and which bucket is not over.
    drawn = re.findall(r'<tr data-label="(.*?)"(?: class="(.*?)")?[^>]*><th scope="row">.*?</th><td>(.*?)</td>', page)
    weeks = [("1 March", "cut", "0"), ("2 March", "", "0"), ("9 March", "", "0"), ("16 March", "", "0")]
    assert drawn == [*weeks, ("23 March", "filling", "2"), ("30 March", "future cut", "0")]


def test_a_period_that_has_not_begun_has_no_change(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-28", 2)
    page = show(staff, address(workspace), from_="2026-04-01", to="2026-04-30")
    assert "This period has not begun." in text(page)
    assert changes(page) == ["–"] * 4


def test_today_is_the_workspaces(staff: Client) -> None:
    workspace = make_workspace(timezone="Pacific/Auckland")
    with time_machine.travel(at("2026-03-28", "11:30"), tick=False):
        assert "23–29 March 2026 , Pacific/Auckland." in text(show(staff, address(workspace), period="last-7-days"))


def test_what_is_not_counted_is_shown_apart(staff: Client) -> None:
    workspace = make_workspace()
    for verdict, number in (("human", 3), ("suspected", 2), ("bot", 1)):
        clicks(workspace, "2026-03-02", number, verdict=verdict)
    page = show(staff, address(workspace), **MARCH)
    assert figures(page)["All clicks"] == "3"
    assert "Not counted: 1 by scanners and crawlers, 2 suspected repeats." in text(page)
    lines = csv_lines(staff.get(address(workspace), {"period": "this-month", "format": "csv", "table": "notCounted"}))
    assert [(line["name"], line["clicks"]) for line in lines] == [("suspected", "2"), ("bot", "1")]


def test_top_tables_have_shares_changes_links_and_the_rest(staff: Client) -> None:
    workspace = make_workspace()
    ada, bob = make_user(workspace, display_name="Ada"), make_user(workspace, display_name="", email="bob@example.com")
    clicks(workspace, "2026-02-02", 4, user=bob)
    clicks(workspace, "2026-03-02", 6, user=ada)
    clicks(workspace, "2026-03-03", 3, user=bob)
    clicks(workspace, "2026-03-03", 1)
    page = show(staff, address(workspace), **MARCH)
    assert table(page, "users") == [
        ["Ada", "6", "60.0%", "▲ up +6"],
        ["bob@example.com", "3", "30.0%", "▼ down −25.0% (−1)"],
    ]
    assert "All others, and clicks without a user 1 10.0%" in text(page)
    assert (
        f'<a href="{address(ada)}?from=2026-03-01&amp;to=2026-03-31&amp;breakdown=day"><bdi dir="auto">Ada</bdi></a>'
        in page
    )


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
    page = show(staff, address(workspace), users=order, **MARCH)
    assert "".join(row[0] for row in table(page, "users")) == names


@pytest.mark.parametrize(
    ("preset", "days"),
    [
        ("last-7-days", "22–28 March 2026"),
        ("last-30-days", "27 February – 28 March 2026"),
        ("last-90-days", "29 December 2025 – 28 March 2026"),
        ("this-month", "1–31 March 2026"),
        ("last-month", "1–28 February 2026"),
        ("this-year", "1 January – 31 December 2026"),
        ("last-12-months", "1 April 2025 – 31 March 2026"),
    ],
)
def test_every_preset_has_an_address_and_is_marked(staff: Client, preset: str, days: str) -> None:
    workspace = make_workspace()
    for shown in (workspace, make_campaign(workspace), make_user(workspace)):
        page = show(staff, address(shown), period=preset)
        assert f"<strong>{days}</strong>" in page
        assert re.findall(r'<a href="\?period=([^"]*)" aria-current="true">', page) == [preset]


def test_a_preset_stays_one_when_its_breakdown_is_changed(staff: Client) -> None:
    workspace = make_workspace()
    sent = {"period": "this-month", "from": "2026-03-01", "to": "2026-03-31", "breakdown": "week"}
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


def test_without_a_choice_it_is_the_last_30_days(staff: Client) -> None:
    page = show(staff, address(make_workspace()))
    assert "27 February – 28 March 2026" in page
    assert show(staff, address(Workspace.objects.get()), period="nonsense").count("27 February – 28 March 2026") == 1


def test_the_link_to_the_dates_shows_the_same_on_a_later_day(staff: Client) -> None:
    workspace, _, _ = busy_workspace()
    page = show(staff, address(workspace), period="last-7-days")
    assert '<a href="?from=2026-03-22&amp;to=2026-03-28&amp;breakdown=day">Link to these dates</a>' in page
    with time_machine.travel(at("2026-04-05"), tick=False):
        later = show(staff, address(workspace), from_="2026-03-22", to="2026-03-28", breakdown="day")
    assert figures(later) == figures(page)
    assert table(later, "users") == table(page, "users")


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"from": "31/03/2026", "to": "2026-03-31"}, "from", "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "2026-02-30", "to": "2026-03-31"}, "from", "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "<b>", "to": "2026-03-31"}, "from", "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "2026-03-01", "to": ""}, "to", "Enter a date."),
        ({"from": "2026-03-01"}, "to", "Enter a date."),
        ({"from": "1999-12-31", "to": "2026-03-31"}, "from", "Enter a date from 2000-01-01 to 2099-12-31."),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to", "Enter a date that is not before the first."),
        ({"from": "2010-01-01", "to": "2026-03-01"}, "to", "Enter at most 3660 days; these are 5904."),
        ({"breakdown": "hour"}, "breakdown", "Choose days, weeks or months."),
        (
            {"from": "2024-01-01", "to": "2026-03-01", "breakdown": "day"},
            "breakdown",
            "Choose weeks or months: this period has more than 400 of these.",
        ),
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
    assert "No clicks yet." in text(page)
    assert "Not counted: 2 by scanners and crawlers, 0 suspected repeats." in text(page)


def test_a_period_without_clicks_offers_the_last_one_with_some(staff: Client) -> None:
    workspace = make_workspace()
    user, campaign = make_user(workspace), make_campaign(workspace)
    clicks(workspace, "2025-11-20", 1, "campaign", user=user, campaign=campaign)
    for shown in (workspace, user, campaign):
        page = show(staff, address(shown), period="last-7-days")
        assert 'href="?from=2025-11-14&amp;to=2025-11-20"' in page
        page = show(staff, address(shown), period="last-month")
        assert "No clicks in this period. Show the last one with clicks: 1–30 November 2025" in text(page)
        assert next(iter(figures(page).values())) == "0"


def test_a_campaign_without_any_click_says_so(staff: Client) -> None:
    assert "No clicks yet." in show(staff, address(make_campaign(make_workspace())))


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
    assign(make_campaign(workspace), user)
    assert "ada@example.com, inactive. Carries 1 campaign now. 1 alias." in text(show(staff, address(user)))


def test_names_are_text_and_never_markup(staff: Client) -> None:
    name = "<script>alert(1)</script>"
    workspace = make_workspace(name=name)
    campaign = make_campaign(workspace, name=name)
    user = make_user(workspace, display_name=name)
    clicks(workspace, "2026-03-02", 1, "campaign", user=user, campaign=campaign)
    for url in ("/stats/", address(workspace), address(campaign), address(user)):
        assert "<script>alert" not in show(staff, url)


def test_the_list_has_search_pages_and_this_months_totals(staff: Client) -> None:
    acme, globex = make_workspace(name="Acme"), make_workspace(name="Globex", timezone="Asia/Tokyo")
    clicks(acme, "2026-02-28", 5)
    clicks(acme, "2026-03-01", 2)
    clicks(acme, "2026-03-01", 7, verdict="bot")
    record(globex, ClickInput("other", clicked_at=at("2026-02-28", "15:00")))  # the first of March in Tokyo
    page = show(staff, "/stats/")
    assert [row[:5] for row in table(f'id="all-title"{page}', "all")] == [
        ["Acme", "2", "0", "2", "0"],
        ["Globex", "1", "0", "0", "1"],
    ]
    assert ("Acme" in show(staff, "/stats/", q="GLOB"), "Globex" in show(staff, "/stats/", q="glob")) == (False, True)
    assert "Acme" in show(staff, "/stats/", q=acme.public_id)
    assert "No workspace matches." in show(staff, "/stats/", q="nothing\0")
    lines = csv_lines(staff.get("/stats/", {"format": "csv", "q": "acme"}))
    assert [(line["publicId"], line["from"], line["totalClicks"]) for line in lines] == [
        (acme.public_id, "2026-03-01", "2")
    ]


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
    assert "1–30 April 2026, Pacific/Kiritimati" in page
    assert "1–31 March 2026, Pacific/Pago_Pago" in page


def test_no_page_asks_more_of_the_database_when_there_is_more(staff: Client) -> None:
    workspace, campaigns, users = busy_workspace()
    urls = ["/stats/", address(workspace), address(campaigns[0]), address(users[0])]
    counted = []
    for _ in range(2):
        numbers = []
        for url in urls:
            with statements() as found:
                show(staff, url, period="last-12-months")
            numbers.append(len(found))
        counted.append(numbers)
        for _number in range(5):
            more = make_workspace()
            clicks(more, "2026-03-02", 1)
            user = make_user(workspace)
            clicks(workspace, "2026-03-02", 40, "campaign", user=user, campaign=make_campaign(workspace))
    assert counted[0] == counted[1]
    assert max(counted[0]) <= 22, counted


def test_numbers_and_words_are_in_the_readers_language(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-02", 1234)
    clicks(workspace, "2026-02-02", 1000)
    page = staff.get(address(workspace), {"period": "this-month"}, headers={"Accept-Language": "fr"}).content.decode()
    assert '<html lang="fr"' in page
    assert figures(page)["Tous les clics"] == "1\u202f234"
    assert changes(page)[0] == "▲ en hausse +23,4 % (+234)"
    assert "1er–31 mars 2026" in page
    # Django's own French for “Change” means to edit.
    assert [text(head) for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page)][4] == "Évolution"
