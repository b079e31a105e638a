"""The CSV of the staff pages: every number once, in a form that spreadsheets and programs both read."""

from __future__ import annotations

import pytest
from django.test import Client

from stats_app.ingest import ClickInput
from tests.dashboard_cast import address, at, csv_lines
from tests.factories import make_campaign, make_user, make_workspace, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

QUERY = {"from": "2026-03-01", "to": "2026-03-31", "breakdown": "month", "format": "csv"}


def test_a_workspace_is_one_table_of_all_numbers(staff: Client) -> None:
    workspace = make_workspace(name="Acme & Co")
    campaign, user = make_campaign(workspace, name="Spring"), make_user(workspace, display_name="Ada")
    record(
        workspace,
        ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-02-02")),
        ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-03-02")),
        ClickInput("vcard", user=user, clicked_at=at("2026-03-03")),
        ClickInput("other", clicked_at=at("2026-03-03"), verdict="bot"),
    )
    response = staff.get(address(workspace), QUERY)
    assert response.headers["Content-Disposition"] == 'attachment; filename="acme---co-2026-03-01-2026-03-31.csv"'
    march, february = "2026-03-01,2026-03-31", "2026-02-01,2026-02-27"
    assert response.content.decode("utf-8-sig").splitlines() == [
        "table,from,to,publicId,name,clicks,previousFrom,previousTo,previousClicks,state,"
        "countedTo,countedClicks,change,changePercent,noChange",
        f"totals,{march},,total,2,{february},1,filling,2026-03-27,2,,,noData",
        f"totals,{march},,campaign,1,{february},1,filling,2026-03-27,1,,,noData",
        f"totals,{march},,vcard,1,{february},0,filling,2026-03-27,1,,,noData",
        f"totals,{march},,other,0,{february},0,filling,2026-03-27,0,,,noData",
        f"notCounted,{march},,suspected,0,,,,filling,,,,,",
        f"notCounted,{march},,bot,1,,,,filling,,,,,",
        f"notCountedReasons,{march},,bot: ,1,,,,filling,,,,,",
        f"chart,{march},,2026-03,2,2026-02-01,2026-02-28,1,filling,,,,,notOver",
        f"campaignChart,{march},{campaign.public_id},Spring,1,,,,filling,,,,,",
        f"campaigns,{march},{campaign.public_id},Spring,1,{february},1,filling,2026-03-27,1,,,noData",
        f"users,{march},{user.public_id},Ada,2,{february},1,filling,2026-03-27,2,,,noData",
    ]


def test_changes_stand_where_the_page_has_them(staff: Client) -> None:
    workspace = make_workspace()
    for day, number in (("2026-02-16", 1), ("2026-02-23", 3), ("2026-03-02", 4), ("2026-03-10", 1)):
        record(workspace, *(ClickInput("vcard", clicked_at=at(day)) for _ in range(number)))
    query = {"from": "2026-03-02", "to": "2026-03-12", "breakdown": "week", "format": "csv"}
    lines = csv_lines(staff.get(address(workspace), query | {"table": "chart"}))
    columns = ("clicks", "previousClicks", "countedTo", "countedClicks", "change", "changePercent", "noChange")
    assert [tuple(line[name] for name in columns) for line in lines] == [
        ("4", "0", "2026-03-08", "4", "", "", "unlikeDays"),
        ("1", "3", "2026-03-12", "1", "", "", "unlikeDays"),
    ]
    query |= {"to": "2026-03-15", "table": "totals"}
    [total, *_] = csv_lines(staff.get(address(workspace), query))
    assert tuple(total[name] for name in columns) == ("5", "4", "2026-03-15", "5", "1", "25.0", "")


def test_files_are_for_the_spreadsheets_of_the_language(staff: Client) -> None:
    workspace = make_workspace()
    for day, number in (("2026-02-16", 3), ("2026-03-02", 4)):
        record(workspace, *(ClickInput("vcard", clicked_at=at(day)) for _ in range(number)))
    query = {"from": "2026-03-02", "to": "2026-03-15", "format": "csv", "table": "totals"}
    response = staff.get(address(workspace), query, headers={"Accept-Language": "fr"})
    lines = response.content.decode().splitlines()
    assert lines[0].startswith("\ufefftable;from;to;")
    assert lines[1] == "totals;2026-03-02;2026-03-15;;total;4;2026-02-16;2026-03-01;3;;2026-03-15;4;1;33,3333;"


@pytest.mark.parametrize("table", ["totals", "notCounted", "chart", "campaignChart", "campaigns", "users"])
def test_one_table_can_be_had_alone(staff: Client, table: str) -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    record(workspace, ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-03-02")))
    lines = csv_lines(staff.get(address(workspace), QUERY | {"table": table}))
    assert {line["table"] for line in lines} == {table}


def test_names_that_a_spreadsheet_would_compute_are_text(staff: Client) -> None:
    workspace = make_workspace(name="=1+1")
    campaign = make_campaign(workspace, name='=HYPERLINK("http://evil.example","x")')
    user = make_user(workspace, display_name="@SUM(A1)")
    record(workspace, ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-03-02")))
    lines = csv_lines(staff.get(address(workspace), QUERY))
    names = {line["name"] for line in lines if line["publicId"]}
    assert names == {'\'=HYPERLINK("http://evil.example","x")', "'@SUM(A1)"}
    [line] = csv_lines(staff.get("/stats/", {"format": "csv"}))
    assert line["name"] == "'=1+1"
