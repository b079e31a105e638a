"""`POST users/` and `POST campaigns/`: who may, what is taken and what is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse

from stats_app.models import Campaign, Workspace, WorkspaceUser
from stats_app.models.api_keys import DIRECTORY_WRITE, SCOPES
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.rest import (
    CAMPAIGNS,
    NOT_AUTHENTICATED,
    USERS,
    assert_answer,
    get,
    invalid,
    post,
    problem,
    statements,
)

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.com"}
SPRING = {"name": "Spring", "targetUrl": "https://www.example.com/"}
BOTH = [(USERS, "users", ADA, WorkspaceUser), (CAMPAIGNS, "campaigns", SPRING, Campaign)]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def key(workspace: Workspace) -> str:
    return make_key(workspace, [DIRECTORY_WRITE])


def save(secret: str | None, url: str, body: object, **more: Any) -> HttpResponse:
    return post(secret, body, url, **more)


def test_users_are_saved_and_wrong_ones_are_named(workspace: Workspace, key: str) -> None:
    bob = make_user(workspace, email="bob@example.com", display_name="Bob")
    carol = make_user(workspace, email="carol@example.com", external_id="7", display_name="Carol")
    body = {
        "users": [
            {"email": "Ada@Example.com", "displayName": "Ada", "aliases": ["al@example.com"]},
            {"email": "bob@example.com", "displayName": "Robert"},
            {"externalId": "7", "displayName": "Carol"},
            {"email": "dave"},
        ]
    }
    response = save(key, USERS, body)
    ada = WorkspaceUser.objects.get(email="ada@example.com")
    assert_answer(
        response,
        {
            "created": 1,
            "updated": 1,
            "unchanged": 1,
            "rejected": [
                {
                    "index": 3,
                    "field": "email",
                    "code": "invalid",
                    "message": 'email must be an e-mail address, not "dave".',
                }
            ],
            "results": [
                {"index": 0, "publicId": ada.public_id},
                {"index": 1, "publicId": bob.public_id},
                {"index": 2, "publicId": carol.public_id},
            ],
        },
    )
    again = save(key, USERS, body).json()
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    listed = get(make_key(workspace), f"{USERS}{ada.public_id}/").json()
    assert (listed["displayName"], listed["email"], listed["aliases"]) == ("Ada", "ada@example.com", 1)


def test_campaigns_are_saved_with_who_carries_them(workspace: Workspace, key: str) -> None:
    make_user(workspace, email="ada@example.com")
    body = SPRING | {"externalId": "s", "endDate": "2026-03-31", "assignedUsers": ["ada@example.com"]}
    response = save(key, CAMPAIGNS, body)
    spring = Campaign.objects.get()
    saved = [{"index": 0, "publicId": spring.public_id}]
    assert_answer(response, {"created": 1, "updated": 0, "unchanged": 0, "rejected": [], "results": saved})
    listed = get(make_key(workspace), f"{CAMPAIGNS}{spring.public_id}/").json()
    assert (listed["name"], listed["endDate"], listed["assignedUsers"]) == ("Spring", "2026-03-31", 1)
    assert_answer(
        save(key, CAMPAIGNS, {"campaigns": [body | {"endDate": None}, {"externalId": "s"}]}),
        {
            "created": 0,
            "updated": 1,
            "unchanged": 0,
            "rejected": [
                {
                    "index": 1,
                    "field": "externalId",
                    "code": "repeated",
                    "message": 'externalId "s" names a campaign that an earlier item already names.',
                }
            ],
            "results": saved,
        },
    )


@pytest.mark.parametrize(("url", "many", "item", "model"), BOTH)
def test_one_wrong_item_alone_and_none_at_all_are_a_200(key: str, url: str, many: str, item: Any, model: Any) -> None:
    nothing = {"created": 0, "updated": 0, "unchanged": 0, "rejected": [], "results": []}
    assert_answer(save(key, url, {many: []}), nothing)
    answer = save(key, url, item | {"colour": "red"}).json()
    assert answer["results"] == []
    [wrong] = answer["rejected"]
    assert (wrong["index"], wrong["field"], wrong["code"]) == (0, "colour", "unknown")
    assert not model.objects.exists()


@pytest.mark.parametrize(("url", "many", "item", "model"), BOTH)
def test_a_body_of_another_form_is_a_400(key: str, url: str, many: str, item: Any, model: Any) -> None:
    one = many.removesuffix("s")
    form = f'body must be one {one} as an object, or {{"{many}": [...]}}'
    for body in ([], [item], "text", None, 5):
        response = save(key, url, body if not isinstance(body, str) else '"text"')
        assert (response.status_code, response.json()) == (400, invalid(("body", "invalid", f"{form}.")))
    response = save(key, url, b"")
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "required"
    assert save(key, url, {many: {}}).json()["errors"][0]["field"] == many
    assert save(key, url, {many: [], "more": 1}).json()["errors"][0]["code"] == "unknown"
    assert save(key, f"{url}?dryRun=1", item).json()["errors"][0]["code"] == "unknown"
    assert not model.objects.exists()


@pytest.mark.parametrize(("url", "many", "item", "model"), BOTH)
def test_a_repeated_key_is_never_lost(key: str, url: str, many: str, item: Any, model: Any) -> None:
    name, value = next(iter(item.items()))
    twice = f'{{"{name}": "other", {json.dumps(item)[1:]}'
    [wrong] = save(key, url, twice).json()["rejected"]
    assert wrong == {
        "index": 0,
        "field": name,
        "code": "repeated",
        "message": f"{name} is given 2 times; give it once.",
    }
    response = save(key, url, f'{{"{many}": [], "{many}": [{json.dumps(item)}]}}')
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "repeated")
    assert value
    assert not model.objects.exists()


@pytest.mark.parametrize(("url", "many", "item", "model"), BOTH)
def test_only_a_key_with_the_scope_may(workspace: Workspace, url: str, many: str, item: Any, model: Any) -> None:
    others = make_key(workspace, [scope for scope in SCOPES if scope != DIRECTORY_WRITE])
    response = save(others, url, item)
    detail = "This API key lacks the scope directory:write."
    assert (response.status_code, response.json()) == (
        403,
        problem(403, "permission_denied", "Permission denied", detail),
    )
    for secret in (None, "sk_wrong"):
        response = save(secret, url, item)
        assert (response.status_code, response.json()) == (401, NOT_AUTHENTICATED)
        assert response["WWW-Authenticate"]
    assert not model.objects.exists()


def test_another_workspaces_rows_are_not_found(key: str) -> None:
    elsewhere = make_workspace(name="Globex")
    user, campaign = make_user(elsewhere), make_campaign(elsewhere)
    for url, item in (
        (USERS, {"publicId": user.public_id, "email": "x@example.com"}),
        (CAMPAIGNS, {"publicId": campaign.public_id, "name": "Mine"}),
        (CAMPAIGNS, SPRING | {"assignedUsers": [user.public_id]}),
        (CAMPAIGNS, SPRING | {"assignedUsers": [user.email]}),
    ):
        answer = save(key, url, item).json()
        assert [wrong["code"] for wrong in answer["rejected"]] == ["not_found"]
    user.refresh_from_db()
    campaign.refresh_from_db()
    assert (user.email, campaign.name) != ("x@example.com", "Mine")


@pytest.mark.parametrize(("url", "many", "item", "model"), BOTH)
def test_more_than_a_thousand_items_or_five_mebibytes_are_a_413(
    key: str, url: str, many: str, item: Any, model: Any
) -> None:
    response = save(key, url, {many: [item] * 1_001})
    assert response.status_code == 413
    assert response.json()["detail"] == f"{many} has 1001 items; send at most 1000 at once."
    assert save(key, url, json.dumps(item) + " " * 5 * 1024 * 1024).status_code == 413
    assert save(key, url, item, content_type="text/plain").status_code == 415
    assert not model.objects.exists()


def test_a_thousand_users_cost_a_handful_of_statements(key: str) -> None:
    def cost(number: int) -> int:
        users = [{"email": f"{number}user{n}@example.com", "aliases": [f"{number}a{n}@x.org"]} for n in range(number)]
        with statements() as executed:
            assert save(key, USERS, {"users": users}).json()["created"] == number
        return len(executed)

    save(key, USERS, {"users": []})
    assert cost(1) == cost(1_000) < 20


def test_they_are_not_limited_unless_the_setting_says_so(workspace: Workspace, settings: Any) -> None:
    key = make_key(workspace, [DIRECTORY_WRITE])
    response = save(key, USERS, ADA)
    assert "RateLimit" not in response
    settings.STATS_APP = {"DIRECTORY_RATE_LIMIT": 1}
    assert save(key, USERS, ADA)["RateLimit-Policy"] == '"directory";q=1;w=60'
    refused = save(key, CAMPAIGNS, SPRING)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert not Campaign.objects.exists()
