"""From a name to an id: campaign_find and user_find."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stats_app.erasures import erase_user
from tests.factories import make_alias, make_campaign, make_key, make_user, make_workspace
from tests.mcp.calls import answer, call, failure

pytestmark = pytest.mark.django_db

SIXTY_NINES = "9" * 60


def names(secret: str, tool: str, **arguments: Any) -> list[str]:
    [items] = answer(secret, tool, arguments).values()
    return [item.get("name", item.get("displayName")) for item in items]


def test_it_finds_campaigns_as_they_are_today() -> None:
    workspace = make_workspace(timezone="Asia/Tokyo")
    campaign = make_campaign(workspace, name="Spring launch", starts_on=date(2026, 3, 1), ends_on=date(2026, 4, 30))
    endless = make_campaign(workspace, name="Company news", is_paused=True)
    secret = make_key(workspace, ["stats:read"])
    assert answer(secret, "campaign_find") == {
        "campaigns": [
            {
                "publicId": endless.public_id,
                "name": "Company news",
                "status": "paused",
                "startDate": None,
                "endDate": None,
            },
            {
                "publicId": campaign.public_id,
                "name": "Spring launch",
                "status": "completed",
                "startDate": "2026-03-01",
                "endDate": "2026-04-30",
            },
        ]
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Summer 100% offer", "Spring launch 2026", "Spring launch 2025"]),
        (" ", ["Summer 100% offer", "Spring launch 2026", "Spring launch 2025"]),
        ("SPRING", ["Spring launch 2026", "Spring launch 2025"]),
        ("launch spring", ["Spring launch 2026", "Spring launch 2025"]),
        ("2025 spr", ["Spring launch 2025"]),
        ("100%", ["Summer 100% offer"]),
        ("s%r", []),
        ("s_ring", []),
        ("autumn", []),
    ],
)
def test_it_finds_campaigns_by_words_of_their_name(query: str, expected: list[str]) -> None:
    workspace = make_workspace()
    for name in ("Spring launch 2025", "Spring launch 2026", "Summer 100% offer"):
        make_campaign(workspace, name=name)
    assert names(make_key(workspace, ["stats:read"]), "campaign_find", query=query) == expected


def test_it_finds_campaigns_by_their_status_in_the_workspace_s_zone() -> None:
    workspace = make_workspace(timezone="Pacific/Kiritimati")
    today = workspace.today(datetime.now(UTC))
    make_campaign(workspace, name="planned", starts_on=today + timedelta(days=1))
    make_campaign(workspace, name="running", starts_on=today, ends_on=today)
    make_campaign(workspace, name="paused", is_paused=True)
    make_campaign(workspace, name="completed", ends_on=today - timedelta(days=1))
    secret = make_key(workspace, ["stats:read"])
    for status in ("planned", "running", "paused", "completed"):
        assert names(secret, "campaign_find", status=status) == [status]
    assert names(secret, "campaign_find", status="running", query="pau") == []


def test_it_finds_ten_at_most_newest_first() -> None:
    workspace = make_workspace()
    for number in range(12):
        made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        make_campaign(workspace, name=f"Campaign {number}", created_at=made)
        make_user(workspace, display_name=f"User {number:02}")
    secret = make_key(workspace, ["stats:read"])
    assert names(secret, "campaign_find") == [f"Campaign {number}" for number in range(11, 1, -1)]
    assert names(secret, "campaign_find", limit=2) == ["Campaign 11", "Campaign 10"]
    assert names(secret, "campaign_find", limit=1.0) == ["Campaign 11"]
    assert names(secret, "campaign_find", limit="1") == ["Campaign 11"]
    assert names(secret, "user_find") == [f"User {number:02}" for number in range(10)]
    assert names(secret, "user_find", limit=1) == ["User 00"]


def test_it_finds_users_by_name_email_and_alias() -> None:
    workspace = make_workspace()
    ada = make_user(workspace, display_name="Ada Lovelace", email="ada@acme.example")
    bob = make_user(workspace, display_name="Bob Baker", email="b.baker@acme.example", is_active=False)
    make_alias(ada, email="Countess@acme.example")
    make_alias(ada, email="a.lovelace@acme.example")
    secret = make_key(workspace, ["stats:read"])
    user = {"publicId": ada.public_id, "displayName": "Ada Lovelace", "email": "ada@acme.example"}
    for query in ("ada", "LOVELACE ada", "countess", "ada@acme.example", "countess ada"):
        assert answer(secret, "user_find", {"query": query}) == {"users": [user]}
    assert names(secret, "user_find", query="acme.example") == ["Ada Lovelace", "Bob Baker"]
    assert names(secret, "user_find", query="b.baker") == [bob.display_name]
    assert names(secret, "user_find", query="eve") == []


def test_people_who_were_erased_come_last() -> None:
    workspace = make_workspace()
    for number in range(12):
        erase_user(make_user(workspace, display_name=f"Aaron {number}"), now=datetime(2026, 3, 1, tzinfo=UTC))
    make_user(workspace, display_name="Zoe")
    make_user(workspace, display_name="", email="nameless@acme.example")
    secret = make_key(workspace, ["stats:read"])
    users = answer(secret, "user_find", {})["users"]
    assert users[0]["email"] == "nameless@acme.example"
    assert [user["displayName"] for user in users] == ["", "Zoe", *[""] * 8]


def test_it_hides_other_workspaces() -> None:
    theirs = make_workspace(name="Globex")
    make_campaign(theirs, name="Secret plan")
    make_alias(make_user(theirs, display_name="Eve"), email="secret@globex.example")
    secret = make_key(make_workspace(), ["stats:read"])
    assert names(secret, "campaign_find") == []
    assert names(secret, "user_find") == []
    assert names(secret, "user_find", query="secret") == []


@pytest.mark.parametrize(
    ("arguments", "field", "code", "text"),
    [
        ({"limit": 0}, "limit", "out_of_range", "limit must be a whole number from 1 to 10, not 0."),
        ({"limit": 11}, "limit", "out_of_range", "limit must be a whole number from 1 to 10, not 11."),
        ({"limit": 2.5}, "limit", "invalid", "limit must be a whole number from 1 to 10, not 2.5."),
        ({"limit": "11"}, "limit", "out_of_range", 'limit must be a whole number from 1 to 10, not "11".'),
        (
            {"limit": "9" * 5000},
            "limit",
            "out_of_range",
            f'limit must be a whole number from 1 to 10, not "{SIXTY_NINES}…".',
        ),
        ({"limit": "5.0"}, "limit", "invalid", 'limit must be a whole number from 1 to 10, not "5.0".'),
        ({"limit": "٣"}, "limit", "invalid", 'limit must be a whole number from 1 to 10, not "٣".'),
        ({"limit": "null"}, "limit", "invalid", 'limit must be a whole number from 1 to 10, not "null".'),
        ({"limit": [5]}, "limit", "invalid", "limit must be a whole number from 1 to 10, not [5]."),
        ({"limit": {"a": None}}, "limit", "invalid", 'limit must be a whole number from 1 to 10, not {"a": null}.'),
        ({"limit": True}, "limit", "invalid", "limit must be a whole number from 1 to 10, not true."),
        ({"query": 7}, "query", "invalid", "query must be text without control characters, not 7."),
        ({"query": "a\u0000b"}, "query", "invalid", 'query must be text without control characters, not "a\\u0000b".'),
        (
            {"query": "x" * 255},
            "query",
            "too_long",
            f'query must have at most 254 characters, not "{"x" * 60}…".',
        ),
    ],
)
def test_it_says_what_is_wrong(arguments: dict[str, Any], field: str, code: str, text: str) -> None:
    secret = make_key(make_workspace(), ["stats:read"])
    for tool in ("campaign_find", "user_find"):
        expected = failure(text, "invalid_parameters", errors=[{"field": field, "code": code, "message": text}])
        assert call(secret, tool, arguments) == expected


def test_an_unknown_status_is_told_the_known_ones() -> None:
    text = 'status must be one of planned, running, paused, completed, not "active".'
    assert call(make_key(make_workspace(), ["stats:read"]), "campaign_find", {"status": "active"}) == failure(
        text, "invalid_parameters", errors=[{"field": "status", "code": "invalid", "message": text}]
    )
