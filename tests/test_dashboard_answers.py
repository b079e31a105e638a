"""More questions of marketing: a campaign's whole run, who carries it, who had no clicks, which weekdays."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client, override_settings

from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace
from tests.dashboard_cast import address, at, figures, list_address, list_rows, show, table, text
from tests.factories import assign, make_campaign, make_user, make_workspace, record, record_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

MARCH = {"from_": "2026-03-01", "to": "2026-03-31"}


def clicks(workspace: Workspace, day: str, number: int = 1, **values: Any) -> None:
    kind = "campaign" if "campaign" in values else "vcard"
    record_all(workspace, [ClickInput(kind, clicked_at=at(day), **values) for _ in range(number)])


def when(page: str) -> str:
    return text(page[page.index('<p class="stats-when">') : page.index('<div class="stats-controls">')])


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("2026-02-01", "2026-02-10"), "1–10 February 2026 , UTC. Compared with 22–31 January 2026."),
        (("2026-03-20", None), "20–28 March 2026 , UTC. Still running"),
        (("2026-03-20", "2026-04-30"), "20–28 March 2026 , UTC. Still running"),
        ((None, "2026-02-10"), "8 January – 10 February 2026 , UTC. Compared with"),
        ((None, None), "8 January – 28 March 2026 , UTC. Still running"),
        (("1999-01-01", "2026-02-10"), "4 February 2016 – 10 February 2026 , UTC."),
        (("2026-03-20", "2099-12-31"), "20–28 March 2026 , UTC. Still running"),
        (("1999-01-01", "2099-12-31"), "21 March 2016 – 28 March 2026 , UTC."),
    ],
)
def test_a_campaign_has_its_whole_run(staff: Client, dates: tuple[str | None, str | None], expected: str) -> None:
    workspace = make_workspace()
    first, last = (date.fromisoformat(day) if day else None for day in dates)
    campaign = make_campaign(workspace, starts_on=first, ends_on=last)
    clicks(workspace, "2026-01-08", campaign=campaign)
    page = show(staff, address(campaign), period="whole-run")
    assert when(page).startswith(expected)
    assert '<a href="?period=whole-run" aria-current="true">Whole run</a>' in page
    # Other pages have no such preset, and get its dates.
    assert f'href="{address(workspace)}?from=' in page


def test_what_has_not_begun_has_no_run_yet(staff: Client) -> None:
    workspace = make_workspace()
    for campaign in (make_campaign(workspace, starts_on=date(2026, 4, 1)), make_campaign(workspace)):
        page = show(staff, address(campaign), period="whole-run")
        assert "whole-run" not in page
        assert 'aria-current="true">Last 28 days' in page
    assert "whole-run" not in show(staff, address(workspace), period="whole-run")


def carried_campaign() -> tuple[Workspace, Campaign]:
    workspace = make_workspace()
    campaign = make_campaign(workspace, name="Spring")
    people = [make_user(workspace, display_name=f"P{number:02}") for number in range(12)]
    assign(campaign, *people)
    clicks(workspace, "2026-03-02", 3, user=people[11])
    clicks(workspace, "2026-03-02", 2, user=people[10], campaign=campaign)
    clicks(workspace, "2026-03-02", 9, user=make_user(workspace, display_name="Somebody else"))
    return workspace, campaign


def test_a_campaign_names_the_people_who_carry_it(staff: Client) -> None:
    workspace, campaign = carried_campaign()
    page = show(staff, address(campaign), **MARCH)
    rows = table(page, "carriers")
    assert (len(rows), rows[:2], rows[2][1]) == (10, [["P11", "3"], ["P10", "2"]], "0")
    link = f"{list_address(workspace, 'users')}?from=2026-03-01&to=2026-03-31&breakdown=day"
    link = f"{link}&campaign={campaign.public_id}".replace("&", "&amp;")
    assert f'<a href="{link}">All 12 people who carry it</a>' in page
    with override_settings(STATS_APP={"PERSON_FIGURES": 3}):
        rows = table(show(staff, address(campaign), **MARCH), "carriers")
        assert (rows[0], {row[1] for row in rows[1:]}) == (["P11", "3"], {"–"})
    with override_settings(STATS_APP={"PERSON_FIGURES": "totals"}):
        page = show(staff, address(campaign), **MARCH)
        assert table(page, "carriers") == [[f"P{number:02}"] for number in range(10)]
        assert "All their clicks" not in page
    assert "carriers-title" not in show(staff, address(make_campaign(workspace)), **MARCH)


def test_a_user_names_the_campaigns(staff: Client) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    assert "Carries no campaign now." in show(staff, address(user))
    for number in range(12):
        assign(make_campaign(workspace, name=f"C{number:02}"), user)
    page = show(staff, address(user), **MARCH)
    names = " , ".join(f"C{number:02}" for number in range(11, 1, -1))
    assert f"Carries 12 campaigns now: {names} , and 2 more ." in text(page)
    assert f'href="{address(workspace.campaigns.get(name="C11"))}?from=2026-03-01' in page
    assert f'href="{list_address(workspace, "campaigns")}?user={user.public_id}&amp;from=2026-03-01' in page
    with override_settings(STATS_APP={"PERSON_FIGURES": "totals"}):
        assert "Carries 12 campaigns now: C11" in text(show(staff, address(user)))


def test_charts_mark_where_campaigns_begin_and_end(staff: Client) -> None:
    workspace = make_workspace()
    spring = make_campaign(workspace, name="Spring", starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 4))
    make_campaign(workspace, name="<b>", starts_on=date(2026, 3, 4), ends_on=date(2026, 6, 1))
    make_campaign(workspace, name="Old", starts_on=date(2026, 2, 2), ends_on=date(2026, 2, 28))
    user = make_user(workspace)
    assign(spring, user)
    clicks(workspace, "2026-03-02", campaign=spring, user=user)
    week = {"from_": "2026-03-02", "to": "2026-03-05"}
    page = show(staff, address(workspace), **week)
    marks = ["Spring begins", "", "Spring ends, <b> begins", ""]
    assert [row[-1] for row in table(page, "stats-clicks")] == marks
    assert [row[-1] for row in table(page, "stats-campaigns")] == marks
    assert "<b> begins" not in page
    for shown in (spring, user):
        assert [row[-1] for row in table(show(staff, address(shown), **week), "stats-clicks")] == [
            "Spring begins", "", "Spring ends", "",
        ]  # fmt: skip
    assert [row[-1] for row in table(show(staff, address(workspace), **week, compare="none"), "stats-clicks")] == marks
    assert "stats-marks" not in show(staff, address(workspace), from_="2026-03-06", to="2026-03-07")
    for number in range(4):
        make_campaign(workspace, name=f"C{number}", starts_on=date(2026, 3, 3))
    month = show(staff, address(workspace), from_="2026-03-01", to="2026-04-30", breakdown="month")
    assert table(month, "stats-clicks")[0][-1] == "Spring begins, Spring ends, <b> begins and 4 more"


def test_the_overview_says_how_many_had_a_click_and_lists_who_had_none(staff: Client) -> None:
    workspace = make_workspace()
    people = [make_user(workspace, display_name=f"P{number}") for number in range(3)]
    idle = make_user(workspace, display_name="Idle")
    gone = make_user(workspace, display_name="Gone", is_active=False)
    for user in (*people, gone):
        clicks(workspace, "2026-03-02", user=user)
    clicks(workspace, "2026-01-02", user=idle)
    record(workspace, ClickInput("vcard", user=idle, clicked_at=at("2026-03-02"), verdict="bot"))
    page = show(staff, address(workspace), **MARCH)
    assert "3 of 4 active users had a click. 1 had none ." in text(page)
    link = (
        f"{list_address(workspace, 'users')}?from=2026-03-01&to=2026-03-31&breakdown=day"
        "&status=active&clicks=none&sort=name"
    )
    assert link.replace("&", "&amp;") in page
    assert [row[0] for row in list_rows(show(staff, link))] == ["Idle"]
    year = show(staff, address(workspace), from_="2026-01-01", to="2026-12-31", breakdown="month")
    assert "4 of 4 active users had a click." in text(year)
    assert "had none" not in year
    with override_settings(STATS_APP={"PERSON_FIGURES": 3}):
        assert "had a click" not in show(staff, address(workspace), **MARCH)
    assert "had a click" not in show(staff, address(workspace), from_="2026-05-01", to="2026-05-31")


def test_clicks_stand_by_weekday(staff: Client) -> None:
    workspace = make_workspace()
    clicks(workspace, "2026-03-02", 4)  # a Monday
    clicks(workspace, "2026-03-09", 3)
    clicks(workspace, "2026-03-15", 2)
    page = show(staff, address(workspace), from_="2026-03-02", to="2026-03-16")
    rows = page[page.index('<table class="stats-weekdays">') :]
    cells = [text(row).split() for row in rows[: rows.index("</table>")].split("<tr")[1:]]
    assert cells[0][-7:] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert [row[-7:] for row in cells[2:]] == [
        ["7", "0", "0", "0", "0", "0", "2"],
        ["2.3", "0.0", "0.0", "0.0", "0.0", "0.0", "1.0"],
    ]
    assert figures(page)["All clicks"] == "9"
    assert "stats-weekdays" not in show(staff, address(workspace), from_="2026-03-02", to="2026-03-05")
