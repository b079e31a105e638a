"""The lists of campaigns, users and clicks: items, filters, order and pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import time_machine
from ulid import ULID

from stats_app import public_ids
from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace, WorkspaceUser
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import CAMPAIGNS, CLICKS, USERS, assert_answer, get, invalid, not_found, statements
from tests.sqlite_steps import steps_of_sqlite

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
MOMENT = datetime(2026, 3, 9, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_limit(settings: Any) -> None:
    settings.STATS_APP = {"LIST_RATE_LIMIT": None}


def ids(key: str, url: str, query: Any = None) -> list[str]:
    """The public ids that a list shows."""
    response = get(key, url, query)
    assert response.status_code == 200, response.json()
    return [item["publicId"] for item in response.json()["results"]]


def follow(key: str, url: str) -> dict[str, Any]:
    """What a link of a page leads to."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "http://testserver"
    response = get(key, parts.path, parts.query)
    assert response.status_code == 200, response.json()
    return response.json()


# --- campaigns


def campaign_item(campaign: Campaign, **values: Any) -> dict[str, Any]:
    item = {
        "publicId": campaign.public_id,
        "name": "Spring launch",
        "status": "running",
        "startDate": None,
        "endDate": None,
        "targetUrl": "https://www.example.com/",
        "assignedUsers": 0,
        "createdAt": "2026-01-02T03:04:05+00:00",
    }
    return item | values


CREATED = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)


def test_campaigns_are_listed_newest_first_with_exactly_these_keys() -> None:
    workspace = make_workspace()
    old = make_campaign(workspace, created_at=CREATED - timedelta(days=1))
    new = make_campaign(
        workspace, name="Été", starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 27), created_at=CREATED, target_url=""
    )
    assign(new, make_user(workspace), make_user(workspace, is_active=False))
    make_campaign(make_workspace())
    with time_machine.travel(NOW):
        response = get(make_key(workspace), CAMPAIGNS)
    dates = {"startDate": "2026-03-01", "endDate": "2026-03-27"}
    assert_answer(
        response,
        {
            "results": [
                campaign_item(new, name="Été", status="completed", **dates, targetUrl="", assignedUsers=2),
                campaign_item(old, createdAt="2026-01-01T03:04:05+00:00"),
            ],
            "next": None,
            "previous": None,
            "count": 2,
        },
    )
    assert response.headers["Cache-Control"] == "private, no-store"


def test_one_campaign_is_the_item_of_the_list() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, created_at=CREATED)
    assign(campaign, make_user(workspace))
    response = get(make_key(workspace), f"{CAMPAIGNS}{campaign.public_id}/")
    assert_answer(response, campaign_item(campaign, assignedUsers=1))


def test_campaigns_are_filtered() -> None:
    workspace = make_workspace()
    ada, bob = make_user(workspace), make_user(workspace)
    paused = make_campaign(workspace, name="Paused 100%", is_paused=True).public_id
    planned = make_campaign(workspace, name="Planned", starts_on=date(2026, 3, 29)).public_id
    completed = make_campaign(workspace, name="Completed", ends_on=date(2026, 3, 27)).public_id
    running = make_campaign(workspace, name="Running_", ends_on=date(2026, 3, 28))
    assign(running, ada, bob)
    key = make_key(workspace)
    with time_machine.travel(NOW):
        for status, public_id in (
            ("paused", paused), ("planned", planned), ("completed", completed), ("running", running.public_id)
        ):  # fmt: skip
            assert ids(key, CAMPAIGNS, {"status": status}) == [public_id]
        assert ids(key, CAMPAIGNS, {"status": "running", "search": "plan"}) == []
    assert ids(key, CAMPAIGNS, {"search": "PLAN"}) == [planned]
    assert ids(key, CAMPAIGNS, {"search": "%"}) == [paused]
    assert ids(key, CAMPAIGNS, {"search": "_"}) == [running.public_id]
    assert len(ids(key, CAMPAIGNS, {"search": ""})) == 4
    [item] = get(key, CAMPAIGNS, {"userPublicId": ada.public_id}).json()["results"]
    assert (item["publicId"], item["assignedUsers"]) == (running.public_id, 2)
    assert ids(key, CAMPAIGNS, {"userPublicId": public_ids.new_user_id()}) == []


def test_campaigns_are_ordered() -> None:
    workspace = make_workspace()
    made = {
        name: make_campaign(workspace, name=name, created_at=CREATED + timedelta(days=day)).public_id
        for name, day in (("B", 3), ("A", 2), ("C", 1))
    }
    key = make_key(workspace)
    for ordering, order in (("name", "ABC"), ("-name", "CBA"), ("createdAt", "CAB"), ("-createdAt", "BAC")):
        assert ids(key, CAMPAIGNS, {"ordering": ordering}) == [made[name] for name in order]
    assert ids(key, CAMPAIGNS) == [made[name] for name in "BAC"]


@pytest.mark.parametrize("ordering", ["name", "-name", "createdAt", "-createdAt"])
def test_pages_never_overlap_where_rows_are_alike(ordering: str) -> None:
    workspace = make_workspace()
    made = {make_campaign(workspace, created_at=CREATED).public_id for _ in range(7)}
    key = make_key(workspace)
    pages = [ids(key, CAMPAIGNS, {"ordering": ordering, "page": page, "pageSize": 2}) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert {public_id for page in pages for public_id in page} == made


def test_pages_have_links_and_a_count() -> None:
    workspace = make_workspace()
    for _ in range(5):
        make_campaign(workspace)
    key = make_key(workspace)

    def link(page: int) -> str:
        return f"http://testserver{CAMPAIGNS}?page={page}&pageSize=2&search=Spring"

    first = get(key, CAMPAIGNS, "search=Spring&pageSize=2").json()
    assert (first["count"], first["previous"], first["next"]) == (5, None, link(2))
    second = follow(key, first["next"])
    assert (second["previous"], second["next"]) == (link(1), link(3))
    third = follow(key, second["next"])
    assert (len(third["results"]), third["previous"], third["next"]) == (1, link(2), None)
    beyond = get(key, CAMPAIGNS, "search=Spring&pageSize=2&page=9").json()
    assert beyond == {"results": [], "next": None, "previous": link(3), "count": 5}


def test_a_page_has_50_items_unless_asked_and_200_at_most() -> None:
    workspace = make_workspace()
    Campaign.objects.bulk_create(Campaign(workspace=workspace, name="x", target_url="") for _ in range(201))
    key = make_key(workspace)
    assert len(ids(key, CAMPAIGNS)) == 50
    assert len(ids(key, CAMPAIGNS, {"pageSize": 200})) == 200
    assert len(ids(key, CAMPAIGNS, {"pageSize": 1})) == 1


# --- users


def user_item(user: WorkspaceUser, **values: Any) -> dict[str, Any]:
    item = {
        "publicId": user.public_id,
        "displayName": "Ada Lovelace",
        "email": user.email,
        "isActive": True,
        "aliases": 0,
        "createdAt": "2026-01-02T03:04:05+00:00",
    }
    return item | values


def test_users_are_listed_newest_first_with_exactly_these_keys() -> None:
    workspace = make_workspace()
    old = make_user(workspace, display_name="", is_active=False, created_at=CREATED - timedelta(seconds=1))
    new = make_user(workspace, created_at=CREATED)
    make_alias(new)
    make_alias(new)
    make_user(make_workspace())
    results = [
        user_item(new, aliases=2),
        user_item(old, displayName="", isActive=False, createdAt="2026-01-02T03:04:04+00:00"),
    ]
    key = make_key(workspace)
    assert_answer(get(key, USERS), {"results": results, "next": None, "previous": None, "count": 2})
    assert_answer(get(key, f"{USERS}{new.public_id}/"), results[0])


def test_users_are_filtered_and_ordered() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    ada = make_user(workspace, display_name="Ada", email="first@example.com", created_at=CREATED)
    bob = make_user(workspace, display_name="Bob", email="b@example.com", is_active=False)
    cyd = make_user(workspace, display_name="Cyd", email="c@other.example")
    make_alias(ada, email="countess@example.com")
    make_alias(ada, email="countess2@example.com")
    assign(campaign, ada, cyd)
    key = make_key(workspace)
    a, b, c = (user.public_id for user in (ada, bob, cyd))
    for query, expected in (
        ({"search": "bo"}, [b]),
        ({"search": "FIRST@"}, [a]),
        ({"search": "countess"}, [a]),
        ({"search": "example.com"}, [b, a]),
        ({"isActive": "true"}, [c, a]),
        ({"isActive": "false"}, [b]),
        ({"campaignPublicId": campaign.public_id}, [c, a]),
        ({"campaignPublicId": public_ids.new_campaign_id()}, []),
        ({"ordering": "name"}, [a, b, c]),
        ({"ordering": "-name"}, [c, b, a]),
        ({"ordering": "createdAt"}, [a, b, c]),
        ({"ordering": "-createdAt"}, [c, b, a]),
        ({}, [c, b, a]),
        ({"search": "e", "isActive": "true", "ordering": "name", "pageSize": "1"}, [a]),
    ):
        assert ids(key, USERS, query) == expected, query
    [item] = get(key, USERS, {"search": "countess"}).json()["results"]
    assert item["aliases"] == 2


# --- clicks


def test_clicks_are_listed_newest_first_with_exactly_these_keys() -> None:
    workspace = make_workspace(timezone="Asia/Kathmandu")
    campaign, user = make_campaign(workspace), make_user(workspace)
    low, high = ULID.from_str("01ARZ3NDEKTSV4RRFFQ69G5FAA"), ULID.from_str("01ARZ3NDEKTSV4RRFFQ69G5FAB")
    record(
        workspace,
        ClickInput("other", id=low, clicked_at=MOMENT, verdict="bot", reason="mail-scanner"),
        ClickInput("campaign", id=high, campaign=campaign, user=user, clicked_at=MOMENT),
        ClickInput("vcard", id="7ZZZZZZZZZZZZZZZZZZZZZZZZZ", clicked_at=MOMENT - timedelta(microseconds=123_000)),
    )
    theirs = make_workspace()
    record(theirs, ClickInput("other", clicked_at=MOMENT))
    results = [
        {
            "id": "01arz3ndektsv4rrffq69g5fab",
            "kind": "campaign",
            "clickedAt": "2026-03-09T12:00:00.123000+00:00",
            "campaignPublicId": campaign.public_id,
            "userPublicId": user.public_id,
            "verdict": "human",
            "reason": "",
        },
        {
            "id": "01arz3ndektsv4rrffq69g5faa",
            "kind": "other",
            "clickedAt": "2026-03-09T12:00:00.123000+00:00",
            "campaignPublicId": None,
            "userPublicId": None,
            "verdict": "bot",
            "reason": "mail-scanner",
        },
        {
            "id": "7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "kind": "vcard",
            "clickedAt": "2026-03-09T12:00:00+00:00",
            "campaignPublicId": None,
            "userPublicId": None,
            "verdict": "human",
            "reason": "",
        },
    ]
    assert_answer(get(make_key(workspace), CLICKS), {"results": results, "next": None, "previous": None})


def test_clicks_are_filtered() -> None:
    workspace = make_workspace()
    campaigns, users = [make_campaign(workspace) for _ in range(2)], [make_user(workspace) for _ in range(2)]
    numbers = [str(ULID.from_int(number)) for number in range(5)]
    for number, values in enumerate(
        (
            {"kind": "campaign", "campaign": campaigns[0], "user": users[0]},
            {"kind": "campaign", "campaign": campaigns[1], "user": users[0]},
            {"kind": "vcard", "user": users[1]},
            {"kind": "other", "verdict": "suspected"},
            {"kind": "other", "verdict": "bot"},
        )
    ):
        record(workspace, ClickInput(id=numbers[number], clicked_at=MOMENT, **values))
    key = make_key(workspace)
    foreign = make_workspace()
    for query, expected in (
        ({"kind": "campaign"}, [1, 0]),
        ({"kind": "other"}, [4, 3]),
        ({"verdict": "human"}, [2, 1, 0]),
        ({"verdict": "bot"}, [4]),
        ({"campaignPublicId": campaigns[1].public_id}, [1]),
        ({"userPublicId": users[0].public_id}, [1, 0]),
        ({"userPublicId": users[0].public_id, "campaignPublicId": campaigns[0].public_id, "kind": "campaign"}, [0]),
        ({"userPublicId": users[1].public_id, "kind": "campaign"}, []),
        ({"campaignPublicId": make_campaign(foreign).public_id}, []),
        ({"userPublicId": make_user(foreign).public_id}, []),
        ({"userPublicId": public_ids.new_user_id()}, []),
    ):
        listed = [item["id"].upper() for item in get(key, CLICKS, query).json()["results"]]
        assert listed == [numbers[number] for number in expected], query


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("UTC", "2026-03-09", "2026-03-09T00:00:00", "2026-03-09T23:59:59.999999"),
        ("Asia/Kathmandu", "2026-03-09", "2026-03-08T18:15:00", "2026-03-09T18:14:59.999999"),
        ("America/St_Johns", "2026-03-08", "2026-03-08T03:30:00", "2026-03-09T02:29:59.999999"),
        ("Europe/Paris", "2025-10-26", "2025-10-25T22:00:00", "2025-10-26T22:59:59.999999"),
        ("Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00", "2026-01-01T09:59:59.999999"),
    ],
)
def test_days_of_clicks_are_the_workspaces(zone: str, day: str, first: str, last: str) -> None:
    workspace = make_workspace(timezone=zone)
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    tick = timedelta(microseconds=1)
    moments = [end + tick, end, start, start - tick]
    record(workspace, *(ClickInput("other", clicked_at=time) for time in moments))
    key = make_key(workspace)

    def listed(**query: str) -> list[datetime]:
        results = get(key, CLICKS, query).json()["results"]
        return [datetime.fromisoformat(item["clickedAt"]) for item in results]

    assert listed(**{"from": day, "to": day}) == moments[1:3]
    assert listed(**{"from": day}) == moments[:3]
    assert listed(to=day) == moments[1:]
    assert listed(**{"from": "2000-01-01", "to": "2099-12-31"}) == moments
    assert listed(**{"from": "2030-01-01"}) == []


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("query", "pages"),
    [
        ({}, []),
        ({"verdict": "bot"}, []),
        ({"from": "2025-01-01", "to": "2027-01-01"}, []),
        ({"from": "2025-01-01", "kind": "vcard"}, []),
        ({}, ["next"]),
        ({}, ["next", "next", "previous"]),
        ({"from": "2025-01-01", "to": "2027-01-01"}, ["next"] * 10),
        ({"from": "2025-01-01", "to": "2027-01-01"}, ["next", "next", "previous"]),
    ],
)
def test_on_sqlite_a_page_of_clicks_costs_the_same_however_many_there_are(
    query: dict[str, str], pages: list[str]
) -> None:
    steps = []
    for days in (20, 200):
        workspace = make_workspace()
        key, start = make_key(workspace), datetime(2026, 3, 1, 12, tzinfo=UTC)
        record_all(
            workspace,
            [
                ClickInput("vcard", clicked_at=start - timedelta(days=day, seconds=second), verdict=verdict)
                for day in range(days)
                for second in range(8)
                for verdict in ("human", "bot")
            ],
        )
        url = f"{CLICKS}?{urlencode({'pageSize': 20, **query})}"
        for name in pages:
            url = get(key, url).json()[name]
        steps.append(steps_of_sqlite(partial(get, key, url)))
    assert steps[1] < 2 * steps[0], steps


def test_5000_clicks_of_one_instant_are_each_listed_once_while_others_come_in() -> None:
    workspace = make_workspace()
    record_all(workspace, [ClickInput("other", clicked_at=MOMENT)] * 5000)
    before = {str(click.id).lower() for click in workspace.clicks.all()}
    key = make_key(workspace)
    page = get(key, CLICKS, {"pageSize": "200", "kind": "other"}).json()
    newest = page["results"]
    seen = [item["id"] for item in newest]
    while page["next"]:
        # Newer ones, and one of the same instant, whose id is higher than all of them.
        record(workspace, ClickInput("other", clicked_at=MOMENT + timedelta(seconds=1)))
        record(workspace, ClickInput("other", clicked_at=MOMENT))
        page = follow(key, page["next"])
        seen += [item["id"] for item in page["results"]]
    assert len(seen) == len(set(seen)) == 5000
    assert set(seen) == before
    assert seen == sorted(seen, reverse=True)
    # And back again: all of them, and those that came in meanwhile.
    back = [item["id"] for item in page["results"]]
    while page["previous"]:
        page = follow(key, page["previous"])
        back = [item["id"] for item in page["results"]] + back
    assert len(back) == len(set(back)) == workspace.clicks.count() == 5048
    assert [click_id for click_id in back if click_id in before] == seen


def test_pages_of_clicks_lead_forth_and_back() -> None:
    workspace = make_workspace()
    record(workspace, *(ClickInput("other", clicked_at=MOMENT - timedelta(days=day)) for day in range(5)))
    key = make_key(workspace)
    first = get(key, CLICKS, {"pageSize": "2", "to": "2026-03-09"}).json()
    second = follow(key, first["next"])
    third = follow(key, second["next"])
    assert [len(page["results"]) for page in (first, second, third)] == [2, 2, 1]
    assert (first["previous"], third["next"]) == (None, None)
    assert follow(key, third["previous"])["results"] == second["results"]
    back = follow(key, second["previous"])
    assert (back["results"], back["previous"]) == (first["results"], None)
    assert follow(key, back["next"]) == second


def test_a_page_that_ends_with_the_last_click_has_no_next() -> None:
    workspace = make_workspace()
    record(workspace, *(ClickInput("other", clicked_at=MOMENT) for _ in range(2)))
    page = get(make_key(workspace), CLICKS, {"pageSize": "2"}).json()
    assert (len(page["results"]), page["next"], page["previous"]) == (2, None, None)


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "%FF", "%00", "W10", "bnVsbA", "WzEsMSwxXQ", "eyJhIjoxfQ", "W" * 3000,
        # [1, time, id] with a time without offset, out of range or none, and with ids that are none.
        "WzEsIjIwMjYtMDMtMDlUMTI6MDA6MDAiLCIwMUFSWjNOREVLVFNWNFJSRkZRNjlHNUZBViJd",
        "WzEsIjk5OTktMTItMzFUMjM6NTk6NTkrMDA6MDAiLCIwMUFSWjNOREVLVFNWNFJSRkZRNjlHNUZBViJd",
        "WzEsIjIwMjYtMDMtMDlUMTI6MDA6MDArMDA6MDAiLCIhISEhISEhISEhISEhISEhISEhISEhISEhISJd",
        "WzEsIjIwMjYtMDMtMDlUMTI6MDA6MDArMDA6MDAiLCJaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWiJd",
        "WzEsIjIwMjYtMDMtMDlUMTI6MDA6MDArMDA6MDAiLDFd",
        "WzEsIjAwMDEtMDEtMDFUMDA6MDA6MDArMjM6NTkiLCIwMUFSWjNOREVLVFNWNFJSRkZRNjlHNUZBViJd",
    ],
)  # fmt: skip
def test_a_cursor_of_ones_own_making_is_an_error(cursor: str) -> None:
    workspace = make_workspace()
    record(workspace, ClickInput("other", clicked_at=MOMENT))
    response = get(make_key(workspace), CLICKS, f"cursor={cursor}")
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("cursor", "invalid")
    assert error["message"].startswith('cursor must be the value in next or previous of another page, not "')


# --- all of them

SIXTY_XS = "x" * 60

LISTS = {
    CAMPAIGNS: ("search, status, userPublicId, ordering, page, pageSize", "cp_", "campaignPublicId"),
    USERS: ("search, isActive, campaignPublicId, ordering, page, pageSize", "usr_", "userPublicId"),
    CLICKS: ("kind, verdict, campaignPublicId, userPublicId, from, to, cursor, pageSize", "", ""),
}


@pytest.mark.parametrize(
    ("url", "query", "errors"),
    [
        *(
            (url, "x=1", [("x", "unknown", f'"x" is not a parameter; the parameters are {LISTS[url][0]}.')])
            for url in LISTS
        ),
        *(
            (url, f"{name}={value}", [(name, code, message)])
            for url in LISTS
            for name, value, code, message in (
                ("pageSize", "0", "out_of_range", 'pageSize must be between 1 and 200, not "0".'),
                ("pageSize", "201", "out_of_range", 'pageSize must be between 1 and 200, not "201".'),
                ("pageSize", "", "invalid", 'pageSize must be a whole number, not "".'),
                ("pageSize", "-1", "invalid", 'pageSize must be a whole number, not "-1".'),
                ("pageSize", "1.5", "invalid", 'pageSize must be a whole number, not "1.5".'),
                ("pageSize", "%D9%A3", "invalid", 'pageSize must be a whole number, not "٣".'),
                ("pageSize", "1&pageSize=1", "repeated", "pageSize is given 2 times; give it once."),
            )
        ),
        (CAMPAIGNS, "page=0", [("page", "out_of_range", 'page must be between 1 and 1000000, not "0".')]),
        (
            CAMPAIGNS,
            "page=" + "9" * 30,
            [("page", "out_of_range", 'page must be between 1 and 1000000, not "999999999999999999999999999999".')],
        ),
        (CLICKS, "page=1", [("page", "unknown", f'"page" is not a parameter; the parameters are {LISTS[CLICKS][0]}.')]),
        (CLICKS, "cursor=x&cursor=y", [("cursor", "repeated", "cursor is given 2 times; give it once.")]),
        (
            CAMPAIGNS,
            "status=Running",
            [("status", "invalid", 'status must be one of planned, running, paused, completed, not "Running".')],
        ),
        (
            CAMPAIGNS,
            "status=",
            [("status", "invalid", 'status must be one of planned, running, paused, completed, not "".')],
        ),
        (CAMPAIGNS, "status=paused&status=paused", [("status", "repeated", "status is given 2 times; give it once.")]),
        (CAMPAIGNS, "search=a&search=b", [("search", "repeated", "search is given 2 times; give it once.")]),
        (
            CAMPAIGNS,
            "search=%00",
            [("search", "invalid", 'search must be text without control characters, not "\\u0000".')],
        ),
        (
            CAMPAIGNS,
            "search=" + "x" * 255,
            [
                (
                    "search",
                    "too_long",
                    f'search must have at most 254 characters, not "{SIXTY_XS}…".',
                )
            ],
        ),
        (
            CAMPAIGNS,
            "ordering=id",
            [("ordering", "invalid", 'ordering must be one of name, createdAt, -name, -createdAt, not "id".')],
        ),
        (
            CAMPAIGNS,
            "userPublicId=usr_X",
            [
                (
                    "userPublicId",
                    "invalid",
                    'userPublicId must be usr_ and 26 characters of a lowercase ULID, not "usr_X".',
                )
            ],
        ),
        (USERS, "isActive=True", [("isActive", "invalid", 'isActive must be one of true, false, not "True".')]),
        (
            USERS,
            "campaignPublicId=",
            [
                (
                    "campaignPublicId",
                    "invalid",
                    'campaignPublicId must be cp_ and 26 characters of a lowercase ULID, not "".',
                )
            ],
        ),
        (CLICKS, "kind=banner", [("kind", "invalid", 'kind must be one of campaign, vcard, other, not "banner".')]),
        (CLICKS, "verdict=", [("verdict", "invalid", 'verdict must be one of human, suspected, bot, not "".')]),
        (CLICKS, "from=", [("from", "invalid", 'from must be a date as Y-m-d, not "".')]),
        (CLICKS, "to=20260301", [("to", "invalid", 'to must be a date as Y-m-d, not "20260301".')]),
        (
            CLICKS,
            "to=2100-01-01",
            [("to", "out_of_range", 'to must be between 2000-01-01 and 2099-12-31, not "2100-01-01".')],
        ),
        (
            CLICKS,
            "from=2026-03-02&to=2026-03-01",
            [("from", "invalid", "from 2026-03-02 is after to 2026-03-01; swap them.")],
        ),
        (
            CLICKS,
            "from=2026-03-02&from=2026-03-01&kind=x&y=1",
            [
                ("kind", "invalid", 'kind must be one of campaign, vcard, other, not "x".'),
                ("from", "repeated", "from is given 2 times; give it once."),
                ("y", "unknown", f'"y" is not a parameter; the parameters are {LISTS[CLICKS][0]}.'),
            ],
        ),
    ],
)
def test_it_names_what_is_wrong(url: str, query: str, errors: list[tuple[str, str, str]]) -> None:
    response = get(make_key(make_workspace()), url, query)
    assert (response.status_code, response.json()) == (400, invalid(*errors))
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", [CAMPAIGNS, USERS])
def test_foreign_missing_and_malformed_ids(url: str) -> None:
    theirs = make_workspace()
    foreign = {CAMPAIGNS: make_campaign(theirs), USERS: make_user(theirs)}[url].public_id
    missing = public_ids.new_id(LISTS[url][1])
    key = make_key(make_workspace())
    get(key, url)  # notes the key's use
    numbers = []
    for public_id in (foreign, missing):
        with statements() as queries:
            response = get(key, f"{url}{public_id}/")
        assert (response.status_code, response.json()) == (404, not_found(LISTS[url][2][:-8], public_id))
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
    response = get(key, f"{url}{missing.upper()}/", "x=1")
    _, prefix, name = LISTS[url]
    wrong = f'{name} must be {prefix} and 26 characters of a lowercase ULID, not "{missing.upper()}".'
    assert (response.status_code, response.json()) == (
        400,
        invalid(("x", "unknown", '"x" is not a parameter; there are none.'), (name, "invalid", wrong)),
    )


def _filled(rows: int) -> Workspace:
    workspace = make_workspace()
    campaigns, users = [make_campaign(workspace) for _ in range(rows)], [make_user(workspace) for _ in range(rows)]
    for campaign, user in zip(campaigns, users, strict=True):
        assign(campaign, *users)
        make_alias(user)
        record(workspace, ClickInput("campaign", campaign=campaign, user=user, clicked_at=MOMENT))
    return workspace


@pytest.mark.parametrize("url", LISTS)
def test_the_number_of_queries_never_changes(url: str) -> None:
    numbers = []
    for rows in (0, 1, 12):
        workspace = _filled(rows)
        key = make_key(workspace)
        get(key, url)  # notes the key's use
        with statements() as queries:
            assert len(get(key, url).json()["results"]) == rows
        numbers.append(len(queries))
    # The key and the rows; where there is a count, that too.
    assert numbers == [2 if url == CLICKS else 3] * 3
