"""The lists of all campaigns and of all users: each row once, with its clicks, searched, filtered and sorted."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace, WorkspaceUser
from stats_app.reports import lists
from stats_app.sql import listings
from tests.admin_cast import login
from tests.dashboard_cast import address, at, csv_lines, list_address, list_rows, show, text
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record, record_all
from tests.rest import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

TODAY = date(2026, 3, 28)
MARCH = {"from_": "2026-03-01", "to": "2026-03-31"}
WEEKS = {"from_": "2026-03-02", "to": "2026-03-15"}


def test_all_campaigns_stand_with_what_there_is_to_know(staff: Client) -> None:
    workspace = make_workspace()
    spring = make_campaign(workspace, name="Spring", starts_on=date(2026, 2, 1), ends_on=date(2026, 3, 31))
    make_campaign(workspace, name="Autumn", starts_on=date(2026, 9, 1))
    old = make_campaign(workspace, name="Old", ends_on=date(2026, 1, 31))
    make_campaign(workspace, name="Paused", is_paused=True)
    make_campaign(make_workspace(name="Globex"), name="Foreign")
    people = [make_user(workspace) for _ in range(4)]
    assign(spring, *people)
    assign(old, people[0])
    for campaign, day, number in (
        (spring, "2026-02-16", 4),
        (spring, "2026-03-02", 6),
        (old, "2026-02-17", 1),
        (old, "2026-03-03", 2),
        (old, "2026-01-03", 1),
    ):
        record_all(workspace, [ClickInput("campaign", campaign=campaign, clicked_at=at(day)) for _ in range(number)])
    page = show(staff, list_address(workspace, "campaigns"), **WEEKS)
    assert list_rows(page) == [
        ["Spring", "6", "1.5", "75.0%", "▲ up +50.0% (+2)", "4", "running", "1 Feb 2026", "31 March 2026"],
        ["Old", "2", "2.0", "25.0%", "▲ up +100.0% (+1)", "1", "completed", "–", "31 Jan 2026"],
        *sorted(
            [
                ["Autumn", "0", "–", "–", "= unchanged 0", "0", "planned", "1 Sept 2026", "–"],
                ["Paused", "0", "–", "–", "= unchanged 0", "0", "paused", "–", "–"],
            ],
            key=lambda row: Campaign.objects.get(name=row[0]).public_id,
        ),
    ]
    assert "1–4 of 4" in page
    assert f'href="{address(spring)}?from=2026-03-02&amp;to=2026-03-15"' in page
    lines = csv_lines(staff.get(list_address(workspace, "campaigns"), {"format": "csv", **query(WEEKS)}))
    assert lines[0] == {
        "publicId": spring.public_id,
        "name": "Spring",
        "status": "running",
        "firstDay": "2026-02-01",
        "lastDay": "2026-03-31",
        "assignedUsers": "4",
        "clicksPerUser": "1.5",
        "from": "2026-03-02",
        "to": "2026-03-15",
        "clicks": "6",
        "share": "0.75",
        "previousFrom": "2026-02-16",
        "previousTo": "2026-03-01",
        "previousClicks": "4",
        "countedTo": "2026-03-15",
        "countedClicks": "6",
        "change": "2",
        "changePercent": "50.0",
        "noChange": "",
    }
    assert [line["name"] for line in lines] == [row[0] for row in list_rows(page)]


def test_all_users_stand_with_what_there_is_to_know(staff: Client) -> None:
    workspace = make_workspace()
    ada = make_user(workspace, display_name="Ada", email="ada@example.com")
    make_user(workspace, display_name="", email="bob@example.com", is_active=False)
    assign(make_campaign(workspace), ada)
    record(workspace, ClickInput("vcard", user=ada, clicked_at=at("2026-03-02")))
    record(
        workspace, ClickInput("other", clicked_at=at("2026-03-02")), ClickInput("other", clicked_at=at("2026-02-01"))
    )
    url = list_address(workspace, "users")
    assert list_rows(show(staff, url, **WEEKS)) == [
        ["Ada", "1", "50.0%", "▲ up +1", "1", "active", "ada@example.com"],
        ["bob@example.com", "0", "–", "= unchanged 0", "0", "inactive", "bob@example.com"],
    ]
    assert list_rows(show(staff, url, **WEEKS, compare="none", sort="name")) == [
        ["bob@example.com", "0", "–", "0", "inactive", "bob@example.com"],
        ["Ada", "1", "50.0%", "1", "active", "ada@example.com"],
    ]
    lines = csv_lines(staff.get(url, {"format": "csv", **query(WEEKS)}))
    assert [(line["name"], line["email"], line["isActive"], line["clicks"]) for line in lines] == [
        ("Ada", "ada@example.com", "true", "1"),
        ("bob@example.com", "bob@example.com", "false", "0"),
    ]


def query(days: dict[str, str]) -> dict[str, str]:
    return {name.rstrip("_"): value for name, value in days.items()}


class Traffic:
    """Fifty-five campaigns or users with clicks over three years, counted plainly."""

    def __init__(self, kind: str) -> None:
        self.kind, self.workspace = kind, make_workspace()
        rng = random.Random(kind)
        make = make_campaign if kind == "campaigns" else make_user
        name = "name" if kind == "campaigns" else "display_name"
        self.rows: list[Any] = [make(self.workspace, **{name: f"{rng.choice('äbcÉ')} {n}"}) for n in range(55)]
        other = make_user if kind == "campaigns" else make_campaign
        others: list[Any] = [other(self.workspace) for _ in range(5)]
        self.assigned: Counter[Any] = Counter()
        for row in self.rows:
            few = rng.sample(others, rng.randrange(4))
            self.assigned[row] = len(few)
            for one in few:
                assign(row, one) if kind == "campaigns" else assign(one, row)
        self.clicks: Counter[tuple[Any, date]] = Counter()
        inputs = []
        for _ in range(400):
            row, day = rng.choice(self.rows[: rng.randint(1, 50)]), TODAY - timedelta(days=rng.randrange(1100))
            self.clicks[row, day] += 1
            named = {"campaign": row} if kind == "campaigns" else {"user": row}
            word = "campaign" if kind == "campaigns" else "vcard"
            inputs.append(ClickInput(word, **named, clicked_at=at(str(day))))
        record_all(self.workspace, inputs)

    def number(self, row: Any, start: str, end: str) -> int:
        days = date.fromisoformat(start), date.fromisoformat(end)
        return sum(number for (one, day), number in self.clicks.items() if one == row and days[0] <= day <= days[1])


PERIODS = [
    ("2026-03-01", "2026-03-10"),
    ("2025-03-29", "2026-03-28"),
    ("2025-01-01", "2025-12-31"),
    ("2024-02-10", "2026-03-31"),
    ("2025-01-03", "2025-12-30"),
]


@pytest.mark.parametrize("kind", ["campaigns", "users"])
@pytest.mark.parametrize(("start", "end"), PERIODS)
def test_every_order_is_over_all_rows(staff: Client, kind: str, start: str, end: str) -> None:
    traffic = Traffic(kind)
    url = list_address(traffic.workspace, kind)
    over = min(date.fromisoformat(end), TODAY - timedelta(days=1))
    lines = csv_lines(staff.get(url, {"format": "csv", "from": start, "to": end}))
    assert sum(int(line["clicks"]) for line in lines) == sum(traffic.number(row, start, end) for row in traffic.rows)
    before = (lines[0]["previousFrom"], lines[0]["previousTo"])
    keys = {
        "clicks": lambda row: traffic.number(row, start, end),
        "share": lambda row: traffic.number(row, start, end),
        "assigned": lambda row: traffic.assigned[row],
        "change": lambda row: traffic.number(row, start, str(over)) - traffic.number(row, *before),
        "each": lambda row: traffic.number(row, start, end) / traffic.assigned[row] if traffic.assigned[row] else None,
    }
    sortable = {link for link in ("change", "each") if f"sort=-{link}" in show(staff, url, from_=start, to=end)}
    assert sortable == {*(["each"] if kind == "campaigns" else []), *(["change"] if not lines[0]["noChange"] else [])}
    for sort, key in keys.items():
        if sort in ("change", "each") and sort not in sortable:
            continue
        for sign in ("", "-"):
            ids = [
                line["publicId"]
                for line in csv_lines(
                    staff.get(url, {"format": "csv", "from": start, "to": end, "sort": f"{sign}{sort}"})
                )
            ]
            ordered = sorted(traffic.rows, key=lambda row: row.public_id)
            ordered.sort(key=lambda row: (key(row) is None, (key(row) or 0) * (-1 if sign else 1)))
            assert ids == [row.public_id for row in ordered], (sort, sign)
            pages = [show(staff, url, from_=start, to=end, sort=f"{sign}{sort}", page=page) for page in (1, 2, 9)]
            assert [row[0] for page in pages[:2] for row in list_rows(page)] == [str(row) for row in ordered]
            assert list_rows(pages[2]) == list_rows(pages[1])


@pytest.mark.parametrize("kind", ["campaigns", "users"])
@pytest.mark.parametrize(("start", "end"), PERIODS)
@pytest.mark.parametrize("many", [0, 25], ids=["nothing ranked", "first pages ranked"])
def test_many_rows_are_in_the_same_order_as_few(
    staff: Client, monkeypatch: pytest.MonkeyPatch, many: int, kind: str, start: str, end: str
) -> None:
    monkeypatch.setattr(listings, "MANY", many)
    monkeypatch.setattr(lists, "PAGE_SIZE", 10)
    traffic = Traffic(kind)
    url = list_address(traffic.workspace, kind)
    pages = [list_rows(show(staff, url, from_=start, to=end, page=page)) for page in range(1, 7)]
    ordered = sorted(traffic.rows, key=lambda row: (-traffic.number(row, start, end), row.public_id))
    assert [row[:2] for page in pages for row in page] == [
        [str(row), str(traffic.number(row, start, end))] for row in ordered
    ]


@pytest.mark.parametrize("sort", ["name", "-name", "status", "first", "-first", "last", "-last"])
def test_rows_are_sorted_by_what_they_hold(staff: Client, sort: str) -> None:
    workspace = make_workspace()
    facts = [
        ("Zoë", date(2026, 1, 1), None, False),
        ("Émile", None, date(2026, 3, 1), False),
        ("eva", date(2026, 6, 1), None, False),
        ("Adam", date(2025, 1, 1), date(2026, 12, 31), True),
    ]
    for name, first, last, is_paused in facts:
        make_campaign(workspace, name=name, starts_on=first, ends_on=last, is_paused=is_paused)
    names = [row[0] for row in list_rows(show(staff, list_address(workspace, "campaigns"), sort=sort))]
    assert (
        names
        == {
            "name": ["Adam", "Émile", "eva", "Zoë"],
            "-name": ["Zoë", "eva", "Émile", "Adam"],
            "status": ["eva", "Zoë", "Adam", "Émile"],
            "first": ["Adam", "Zoë", "eva", "Émile"],
            "-first": ["eva", "Zoë", "Adam", "Émile"],
            "last": ["Émile", "Adam", "Zoë", "eva"],
            "-last": ["Adam", "Émile", "eva", "Zoë"],
        }[sort]
    )


def test_rows_are_searched_and_filtered(staff: Client) -> None:
    workspace = make_workspace()
    ada = make_user(workspace, display_name="Ada Lovelace")
    make_alias(ada, email="countess@example.com")
    bob = make_user(workspace, display_name="Bob", is_active=False)
    eve = make_user(workspace, display_name="Eve")
    spring = make_campaign(workspace, name="Spring launch", starts_on=date(2026, 1, 1))
    make_campaign(workspace, name="Autumn", starts_on=date(2027, 1, 1))
    assign(spring, ada, bob)
    record(workspace, ClickInput("campaign", campaign=spring, user=ada, clicked_at=at("2026-03-02")))

    def names(kind: str, **asked: str) -> list[str]:
        return [row[0] for row in list_rows(show(staff, list_address(workspace, kind), sort="name", **MARCH, **asked))]

    assert names("users") == ["Ada Lovelace", "Bob", "Eve"]
    assert names("users", q="LOVE ada") == ["Ada Lovelace"]
    assert names("users", q="countess") == ["Ada Lovelace"]
    assert names("users", status="active") == ["Ada Lovelace", "Eve"]
    assert names("users", status="inactive") == ["Bob"]
    assert names("users", status="nonsense", sorts="x", page="x") == ["Ada Lovelace", "Bob", "Eve"]
    assert names("users", clicks="none") == ["Bob", "Eve"]
    assert names("users", clicks="none", status="active", q="e") == ["Eve"]
    assert names("users", campaign=spring.public_id) == ["Ada Lovelace", "Bob"]
    assert names("users", campaign=make_campaign(make_workspace()).public_id) == []
    assert names("users", campaign="nonsense") == []
    assert names("campaigns", user=ada.public_id) == ["Spring launch"]
    assert names("campaigns", user=eve.public_id) == []
    assert names("campaigns", clicks="none") == ["Autumn"]
    assert names("campaigns", status="planned") == ["Autumn"]
    assert names("campaigns", q="LAUNCH") == ["Spring launch"]
    page = show(staff, list_address(workspace, "users"), campaign=spring.public_id, **MARCH)
    assert "Only the people who carry Spring launch." in text(page)


def test_the_choice_stays_in_every_link_and_form(staff: Client) -> None:
    workspace = make_workspace()
    make_campaign(workspace)
    url = list_address(workspace, "campaigns")
    asked = {"period": "last-month", "q": "spring", "status": "running", "clicks": "none", "sort": "name"}
    page = show(staff, url, **asked)
    kept = "q=spring&amp;status=running&amp;clicks=none"
    assert f'href="?period=this-year&amp;{kept}&amp;sort=name"' in page
    assert f'href="?period=last-month&amp;{kept}&amp;sort=-name"' in page
    assert f'href="?period=last-month&amp;{kept}&amp;sort=-clicks"' in page
    assert f"?from=2026-02-01&amp;to=2026-02-28&amp;{kept}&amp;sort=name&amp;format=csv" in page
    assert "Days" not in page  # a list has no steps
    dates = staff.get(url, asked | {"from": "2026-02-01", "to": "2026-02-28", "breakdown": "week"})
    assert dates.status_code == 302
    assert dates.headers["Location"] == "?period=last-month&q=spring&status=running&clicks=none&sort=name"


def test_what_is_wrong_is_said(staff: Client) -> None:
    workspace = make_workspace()
    make_campaign(workspace)
    url = list_address(workspace, "campaigns")
    page = show(staff, url, from_="soon", to="2026-03-01", q="x", user="nonsense")
    assert "Enter a date as year-month-day" in page
    assert "<tbody>" not in page
    too_long = "a" * 255
    assert "Search for at most 254 characters." in show(staff, url, q=too_long)
    for wrong, said in (({"from": "soon", "to": "2026-03-01"}, "from: Enter"), ({"q": too_long}, "q: Search for")):
        response = staff.get(url, wrong | {"format": "csv"})
        assert (response.status_code, response.content.decode().startswith(said)) == (400, True)
    assert "There is no user yet." in show(staff, list_address(workspace, "users"))
    assert "No campaign matches." in show(staff, url, q="nothing")


def test_they_are_for_those_who_may_see_the_workspace() -> None:
    workspace, other = make_workspace(), make_workspace(name="Globex")
    for page in ("campaigns", "users"):
        url = list_address(other, page)
        assert Client().get(url).status_code == 302
        assert login().get(url).status_code == 403
        assert login("view_workspace").get(url).status_code == 200
        with override_settings(STATS_APP={"WORKSPACES_FOR": "tests.admin_cast.first_workspace"}):
            assert login("view_workspace").get(url).status_code == 404
            assert login("view_workspace").get(list_address(workspace, page)).status_code == 200


def test_names_that_a_spreadsheet_would_compute_are_text(staff: Client) -> None:
    workspace = make_workspace()
    make_user(workspace, display_name="=1+1")
    [line] = csv_lines(staff.get(list_address(workspace, "users"), {"format": "csv"}))
    assert line["name"] == "'=1+1"


@pytest.mark.parametrize("page", ["campaigns", "users"])
def test_the_number_of_statements_does_not_grow(staff: Client, page: str) -> None:
    workspace = make_workspace()
    url = list_address(workspace, page)

    def asked(sort: str) -> int:
        with statements() as executed:
            show(staff, url, sort=sort)
        return len(executed)

    def fill() -> None:
        for number in range(20):
            campaign, user = make_campaign(workspace, name=f"C{number}"), make_user(workspace)
            assign(campaign, user)
            record(workspace, ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-03-02")))

    fill()
    before = {sort: asked(sort) for sort in ("name", "-clicks", "-change", "assigned")}
    fill()
    assert {sort: asked(sort) for sort in before} == before
    assert max(before.values()) <= 14


@pytest.mark.parametrize("sort", ["name", "-clicks", "assigned"])
@pytest.mark.parametrize(
    "asked", [{}, {"q": "row"}, {"clicks": "none"}, {"q": "row", "clicks": "none"}, {"q": "nobody"}], ids=str
)
def test_a_page_after_the_last_is_the_last_one_and_costs_no_more(
    staff: Client, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], sort: str
) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 4)
    workspace = make_workspace()
    url = list_address(workspace, "users")
    users = [make_user(workspace, display_name=f"Row {number}") for number in range(9)]
    for user in users[:4]:
        record(workspace, ClickInput("vcard", user=user, clicked_at=at("2026-03-02")))

    def shown(page: int) -> tuple[list[list[str]], int]:
        with statements() as executed:
            html = show(staff, url, **MARCH, **asked, sort=sort, page=str(page))
        return list_rows(html), len(executed)

    total = {"{}": 9, "{'q': 'row'}": 9, "{'q': 'nobody'}": 0}.get(str(asked), 5)
    last = max(1, -(-total // 4))
    pages = [shown(page) for page in range(1, last + 1)]
    assert [len(rows) for rows, _ in pages] == [4] * (total // 4) + ([total % 4] if total % 4 or not total else [])
    for page in (last + 1, last + 5, 10**6):
        assert shown(page) == pages[-1]
    assert len({number for rows, number in pages if rows}) <= 1


@pytest.mark.parametrize("kind", ["campaigns", "users"])
@pytest.mark.parametrize("sort", ["name", "clicks", "-clicks", "change", "-change"])
def test_rows_without_clicks_are_the_same_in_every_order(staff: Client, kind: str, sort: str) -> None:
    """Also on the last day of the period, which today is, and whose clicks are not compared yet."""
    workspace = make_workspace()
    campaigns = [make_campaign(workspace, name=name) for name in ("Clicked", "Never", "Before")]
    users = [make_user(workspace, display_name=name) for name in ("Clicked", "Never", "Before")]
    for number, day in ((0, TODAY), (2, TODAY - timedelta(days=10)), (0, TODAY - timedelta(days=60))):
        record(
            workspace,
            ClickInput("campaign", campaign=campaigns[number], user=users[number], clicked_at=at(str(day))),
        )
    days = {"from_": str(TODAY - timedelta(days=6)), "to": str(TODAY)}
    rows = list_rows(show(staff, list_address(workspace, kind), **days, clicks="none", sort=sort))
    assert {row[0] for row in rows} == {"Never", "Before"}
    if sort.endswith("change"):
        assert [row[0] for row in rows] == (["Before", "Never"] if sort == "change" else ["Never", "Before"])


def test_a_file_of_many_rows_is_sent_in_parts(staff: Client) -> None:
    workspace = make_workspace()
    WorkspaceUser.objects.bulk_create(
        WorkspaceUser(workspace=workspace, email=f"u{number}@example.com", display_name=f"U{number:04}")
        for number in range(1_203)
    )
    user = workspace.users.get(display_name="U1202")
    record(workspace, ClickInput("vcard", user=user, clicked_at=at("2026-03-02")))
    response: Any = staff.get(list_address(workspace, "users"), {"format": "csv", "sort": "name", **query(MARCH)})
    assert response.streaming
    parts = [part.decode() for part in response.streaming_content]
    assert len(parts) == 3
    names = [line.split(",")[1] for line in "".join(parts).splitlines()]
    assert names == ["name", *(f"U{number:04}" for number in range(1_203))]
    assert "".join(parts).splitlines()[-1].split(",")[7] == "1"


def test_the_overview_leads_to_them(staff: Client) -> None:
    workspace = make_workspace()
    for number in range(12):
        make_campaign(workspace, name=f"C{number}")
    make_user(workspace)
    record(workspace, ClickInput("campaign", campaign=workspace.campaigns.earliest("pk"), clicked_at=at("2026-03-02")))
    page = show(staff, address(workspace), period="this-month")
    assert (
        f'<a href="{list_address(workspace, "campaigns")}?period=this-month&amp;breakdown=day">All 12 campaigns</a>'
        in page
    )
    assert f'<a href="{list_address(workspace, "users")}?period=this-month&amp;breakdown=day">All users, 1</a>' in page


def many_figures(workspace: Workspace) -> list[WorkspaceUser]:
    users = [make_user(workspace, display_name=f"P{number}") for number in (0, 2, 3, 9)]
    for user, number in zip(users, (0, 2, 3, 9), strict=True):
        record_all(workspace, [ClickInput("vcard", user=user, clicked_at=at("2026-03-02")) for _ in range(number)])
    record(workspace, ClickInput("other", clicked_at=at("2026-01-02")))
    return users


def test_persons_figures_can_be_withheld(staff: Client) -> None:
    workspace = make_workspace()
    many_figures(workspace)
    url = list_address(workspace, "users")
    with override_settings(STATS_APP={"PERSON_FIGURES": 3}):
        page = show(staff, url, **WEEKS)
        rows = {row[0]: row[1:4] for row in list_rows(page)}
        assert rows == {
            "P9": ["9", "64.3%", "–"],
            "P3": ["3", "21.4%", "–"],
            "P2": ["–", "–", "–"],
            "P0": ["–", "–", "–"],
        }
        assert "Figures of persons with fewer than 3 clicks in a period are withheld" in text(page)
        assert "Without clicks" not in page
        assert "sort=-change" not in page
        assert len(list_rows(show(staff, url, **WEEKS, clicks="none"))) == 4
        # Withheld figures give no order away.
        assert [row[0] for row in list_rows(page)][2:] == [
            str(user) for user in workspace.users.filter(display_name__in=["P0", "P2"]).order_by("public_id")
        ]
        lines = csv_lines(staff.get(url, {"format": "csv", **query(WEEKS)}))
        assert [line["clicks"] for line in lines] == ["9", "3", "", ""]
        assert {line["share"] for line in lines[2:]} == {""}
        assert {line["previousClicks"] for line in lines} == {""}


def test_nobodys_clicks_are_listed_where_none_are_shown(staff: Client) -> None:
    workspace = make_workspace()
    many_figures(workspace)
    url = list_address(workspace, "users")
    with override_settings(STATS_APP={"PERSON_FIGURES": "totals"}):
        page = show(staff, url, **WEEKS, sort="-clicks", clicks="none")
        assert [row[:3] for row in list_rows(page)] == [[f"P{n}", "0", "active"] for n in (0, 2, 3, 9)]
        assert "This site does not show clicks by person." in page
        assert "Change" not in page
        [line, *_] = csv_lines(staff.get(url, {"format": "csv"}))
        assert line.keys() == {"publicId", "name", "email", "isActive", "assignedCampaigns"}
        assert list_rows(show(staff, list_address(workspace, "campaigns"), **WEEKS)) == []
