"""`GET links/` and `POST links/`: what is made, item by item, and what is listed for signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import include, path

from stats_app import public_ids
from stats_app.links import LinkInput, create_links
from stats_app.models import TrackedLink, Workspace
from tests.factories import make_alias, make_campaign, make_key, make_user, make_workspace
from tests.rest import LINKS, assert_answer, get, invalid, post, problem, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, 0, 250_000, tzinfo=UTC)
TARGET = "https://www.example.com/ada.vcf"
FIELDS = "kind, targetUrl, campaignPublicId, userPublicId, alias"
MIB = 1024 * 1024

# For test_without_the_redirect_no_link_has_an_address.
urlpatterns = [path("api/v1/", include("stats_app.api.urls"))]


def item_of(link: TrackedLink, **values: Any) -> dict[str, Any]:
    item = {
        "token": link.token,
        "url": f"http://testserver/c/{link.token}",
        "kind": link.kind,
        "targetUrl": "",
        "campaignPublicId": None,
        "userPublicId": None,
        "alias": None,
        "isActive": True,
        "createdAt": "2026-03-28T10:25:00+00:00",
    }
    return item | values


def made(
    created: int, unchanged: int, rejected: list[tuple[int, str, str, str]], results: list[dict[str, Any]]
) -> dict[str, Any]:
    names = ("index", "field", "code", "message")
    errors = [dict(zip(names, error, strict=True)) for error in rejected]
    return {"created": created, "unchanged": unchanged, "rejected": errors, "results": results}


def make_links(workspace: Workspace, *inputs: LinkInput) -> list[TrackedLink]:
    """One after the other, so that it is known which are newer."""
    results = [create_links(workspace, [one]) for one in inputs]
    assert [result.rejected for result in results] == [[]] * len(inputs)
    return [link for result in results for link in result.links if link is not None]


def tokens(key: str, query: Any = None) -> list[str]:
    response = get(key, LINKS, query)
    assert response.status_code == 200, response.json()
    return [item["token"] for item in response.json()["results"]]


# --- making


def test_one_link_as_an_object_which_the_same_again_gives_again() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    body = {"kind": "campaign", "campaignPublicId": campaign.public_id, "userPublicId": user.public_id}
    response = post(make_key(workspace), body, LINKS)
    link = workspace.links.get()
    item = item_of(link, campaignPublicId=campaign.public_id, userPublicId=user.public_id)
    assert_answer(response, made(1, 0, [], [{"index": 0, **item}]))
    assert response.headers["Cache-Control"] == "private, no-store"
    assert_answer(post(make_key(workspace), body, LINKS), made(0, 1, [], [{"index": 0, **item}]))
    # As REST names it, and as it is named when nothing is given.
    again = body | {"targetUrl": None, "alias": None}
    assert_answer(post(make_key(workspace), again, LINKS), made(0, 1, [], [{"index": 0, **item}]))
    assert_answer(post(make_key(workspace), again | {"targetUrl": ""}, LINKS), made(0, 1, [], [{"index": 0, **item}]))
    followed = Client().get(f"/c/{link.token}")
    assert (followed.status_code, followed.headers["Location"]) == (302, "https://www.example.com/")


def test_a_batch_is_made_in_its_order_and_each_link_once() -> None:
    workspace = make_workspace()
    alias = make_alias(make_user(workspace), email="ada@example.com")
    vcard = {"kind": "vcard", "targetUrl": TARGET, "alias": "Ada@Example.com"}
    response = post(make_key(workspace), {"links": [vcard, {"kind": "other", "targetUrl": TARGET}, vcard]}, LINKS)
    first, second = workspace.links.get(kind="vcard"), workspace.links.get(kind="other")
    one = item_of(first, targetUrl=TARGET, userPublicId=alias.user.public_id, alias="ada@example.com")
    other = item_of(second, targetUrl=TARGET)
    results = [{"index": 0, **one}, {"index": 1, **other}, {"index": 2, **one}]
    assert_answer(response, made(2, 1, [], results))


def test_a_link_that_is_switched_off_is_said_to_be() -> None:
    workspace = make_workspace()
    [link] = make_links(workspace, LinkInput("other", TARGET))
    workspace.links.update(is_active=False)
    body = {"kind": "other", "targetUrl": TARGET}
    item = item_of(link, targetUrl=TARGET, isActive=False)
    assert_answer(post(make_key(workspace), body, LINKS), made(0, 1, [], [{"index": 0, **item}]))


def test_wrong_items_are_reported_and_the_right_ones_made() -> None:
    workspace, foreign = make_workspace(), make_workspace()
    theirs, their_user = make_campaign(foreign).public_id, make_user(foreign).public_id
    make_alias(make_user(foreign), email="theirs@example.com")
    ours, bob = make_campaign(workspace).public_id, make_user(workspace)
    make_alias(make_user(workspace), email="ada@example.com")
    wrong: list[tuple[Any, tuple[str, str, str]]] = [
        ({}, ("kind", "required", "kind is required: one of campaign, vcard, other.")),
        ({"kind": "fax"}, ("kind", "invalid", 'kind must be one of campaign, vcard, other, not "fax".')),
        (
            {"kind": "campaign"},
            (
                "campaignPublicId",
                "required",
                "campaignPublicId is required for a link of the kind campaign: cp_ and 26 characters of a lowercase "
                "ULID, such as cp_01jzk3f8q2v6x9w4r7t5n0m1ab.",
            ),
        ),
        (
            {"kind": "vcard", "targetUrl": TARGET, "campaignPublicId": ours},
            (
                "campaignPublicId",
                "not_allowed",
                "campaignPublicId is not allowed: only a link of the kind campaign has one.",
            ),
        ),
        (
            {"kind": "campaign", "campaignPublicId": theirs},
            ("campaignPublicId", "not_found", f'campaignPublicId "{theirs}" is not in this workspace.'),
        ),
        (
            {"kind": "campaign", "campaignPublicId": "cp_X"},
            (
                "campaignPublicId",
                "invalid",
                'campaignPublicId must be cp_ and 26 characters of a lowercase ULID, not "cp_X".',
            ),
        ),
        (
            {"kind": "other", "targetUrl": TARGET, "userPublicId": their_user},
            ("userPublicId", "not_found", f'userPublicId "{their_user}" is not in this workspace.'),
        ),
        (
            {"kind": "other", "targetUrl": TARGET, "userPublicId": 7},
            ("userPublicId", "invalid", "userPublicId must be usr_ and 26 characters of a lowercase ULID, not 7."),
        ),
        (
            {"kind": "other", "targetUrl": TARGET, "alias": "theirs@example.com"},
            ("alias", "not_found", 'alias "theirs@example.com" is not in this workspace.'),
        ),
        (
            {"kind": "other", "targetUrl": TARGET, "alias": "ada@example.com", "userPublicId": bob.public_id},
            ("alias", "invalid", 'alias "ada@example.com" does not belong to the user.'),
        ),
        (
            {"kind": "other"},
            (
                "targetUrl",
                "required",
                "targetUrl is required: an address such as https://www.example.com/. Only a campaign link can do "
                "without.",
            ),
        ),
        (
            {"kind": "other", "targetUrl": "javascript:alert(1)"},
            ("targetUrl", "invalid", 'targetUrl must be an http or https address, not "javascript:alert(1)".'),
        ),
        (
            {"kind": "other", "targetUrl": "https://www.example.com/" + "x" * 2000},
            (
                "targetUrl",
                "too_long",
                "targetUrl must have at most 2000 characters as it is sent, with é as %C3%A9, not 2024.",
            ),
        ),
        (
            {"kind": "other", "targetUrl": "https://www.example.com/" + "é" * 330},
            (
                "targetUrl",
                "too_long",
                "targetUrl must have at most 2000 characters as it is sent, with é as %C3%A9, not 2004.",
            ),
        ),
        (
            {"kind": "other", "target_url": TARGET},
            ("target_url", "unknown", f"target_url is not a field of a link; the fields are {FIELDS}."),
        ),
        ("other", ("link", "invalid", 'link must be an object, not "other".')),
        (None, ("link", "invalid", "link must be an object, not null.")),
    ]
    right = {"kind": "other", "targetUrl": TARGET}
    response = post(make_key(workspace), {"links": [*(item for item, _ in wrong), right]}, LINKS)
    result = {"index": len(wrong), **item_of(workspace.links.get(), targetUrl=TARGET)}
    assert_answer(response, made(1, 0, [(index, *error) for index, (_, error) in enumerate(wrong)], [result]))
    # Alone, a wrong one is a rejection, too.
    for item, error in wrong[:-2]:
        assert_answer(post(make_key(workspace), item, LINKS), made(0, 0, [(0, *error)], []))


def test_an_empty_list_is_fine() -> None:
    assert_answer(post(make_key(make_workspace()), {"links": []}, LINKS), made(0, 0, [], []))


def test_letters_that_cannot_be_stored_are_an_error_of_their_item() -> None:
    body = r'{"links": [{"kind": "other", "targetUrl": "https://e.com/\ud800"}]}'
    message = r'targetUrl must be an http or https address, not "https://e.com/\ud800".'
    error = (0, "targetUrl", "invalid", message)
    assert_answer(post(make_key(make_workspace()), body, LINKS), made(0, 0, [error], []))


def test_a_repeated_key_is_an_error_of_its_item() -> None:
    error = (0, "kind", "repeated", "kind is given 2 times; give it once.")
    assert_answer(
        post(make_key(make_workspace()), '{"links": [{"kind": "other", "kind": "vcard"}]}', LINKS),
        made(0, 0, [error], []),
    )


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ([], [("body", "invalid", 'body must be one link as an object, or {"links": [...]}.')]),
        (
            b"",
            [
                (
                    "body",
                    "required",
                    'body is required: one link as an object, or {"links": [...]}, such as {"kind": "vcard", '
                    '"targetUrl": "https://www.example.com/ada.vcf"}.',
                )
            ],
        ),
        ({"links": None}, [("links", "invalid", "links must be a list, not null.")]),
        ({"links": [], "kind": "other"}, [("kind", "unknown", '"kind" is not a parameter; the only one is links.')]),
        ('{"links": [], "links": []}', [("links", "repeated", "links is given 2 times; give it once.")]),
    ],
)
def test_a_body_of_another_form_is_an_input_error(body: Any, errors: list[tuple[str, str, str]]) -> None:
    response = post(make_key(make_workspace()), body, LINKS)
    assert (response.status_code, response.json()) == (400, invalid(*errors))
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_query_beside_a_body_is_an_input_error() -> None:
    response = post(make_key(make_workspace()), {"links": []}, LINKS, query={"kind": "other"})
    assert [error["field"] for error in response.json()["errors"]] == ["kind"]


def test_1000_links_are_made_and_1001_are_not() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    many = [{"kind": "other", "targetUrl": f"{TARGET}?{number}"} for number in range(1_001)]
    response = post(key, {"links": many}, LINKS)
    detail = "links has 1001 items; send at most 1000 at once."
    expected = problem(413, "payload_too_large", "Payload too large", detail)
    assert (response.status_code, response.json()) == (413, expected)
    assert not workspace.links.exists()
    answer = post(key, {"links": many[1:]}, LINKS).json()
    assert (answer["created"], len(answer["results"])) == (1_000, 1_000)
    targets = {link.token: link.target_url for link in workspace.links.all()}
    assert [targets[item["token"]] for item in answer["results"]] == [item["targetUrl"] for item in many[1:]]
    detail = f"The body has more than {5 * MIB} bytes; send it in parts."
    expected = problem(413, "payload_too_large", "Payload too large", detail)
    assert post(key, b'{"links": []}' + b" " * (5 * MIB), LINKS).json() == expected


def test_all_links_of_1000_users_are_made_by_as_many_statements_as_those_of_ten() -> None:
    workspace = make_workspace()
    campaign, key = make_campaign(workspace), make_key(workspace)
    post(key, {"links": []}, LINKS)  # notes the last use of the key
    counts = []
    for number in (10, 1_000):
        users = [make_user(workspace).public_id for _ in range(number)]
        body = [{"kind": "campaign", "campaignPublicId": campaign.public_id, "userPublicId": user} for user in users]
        with statements() as executed:
            answer = post(key, {"links": body}, LINKS).json()
        assert (answer["created"], [item["userPublicId"] for item in answer["results"]]) == (number, users)
        counts.append(len(executed))
    # On SQLite Django writes some hundred rows by one statement.
    assert counts[1] == counts[0] if connection.vendor == "postgresql" else counts[1] <= counts[0] + 10
    assert counts[0] <= 10


# --- listing


def test_links_are_listed_newest_first_with_exactly_these_keys() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias = make_alias(user)
    first, second = make_links(
        workspace, LinkInput("campaign", campaign=campaign), LinkInput("vcard", TARGET, alias=alias)
    )
    make_links(make_workspace(), LinkInput("other", TARGET))
    TrackedLink.objects.filter(pk=first.pk).update(is_active=False)
    results = [
        item_of(second, targetUrl=TARGET, userPublicId=user.public_id, alias=alias.email),
        item_of(first, campaignPublicId=campaign.public_id, isActive=False),
    ]
    page = {"results": results, "next": None, "previous": None, "count": 2}
    assert_answer(get(make_key(workspace), LINKS), page)


def test_no_links_are_an_empty_list() -> None:
    assert_answer(get(make_key(make_workspace()), LINKS), {"results": [], "next": None, "previous": None, "count": 0})


def test_links_are_filtered() -> None:
    workspace, foreign = make_workspace(), make_workspace()
    campaigns, users = [make_campaign(workspace) for _ in range(2)], [make_user(workspace) for _ in range(2)]
    links = make_links(
        workspace,
        LinkInput("campaign", campaign=campaigns[0], user=users[0]),
        LinkInput("campaign", campaign=campaigns[1], user=users[0]),
        LinkInput("vcard", TARGET, user=users[1]),
        LinkInput("other", TARGET),
    )
    their_campaign, their_user = make_campaign(foreign), make_user(foreign)
    make_links(foreign, LinkInput("campaign", campaign=their_campaign, user=their_user))
    key = make_key(workspace)
    for query, expected in (
        ({"kind": "campaign"}, [1, 0]),
        ({"kind": "other"}, [3]),
        ({"campaignPublicId": campaigns[1].public_id}, [1]),
        ({"userPublicId": users[0].public_id}, [1, 0]),
        ({"userPublicId": users[0].public_id, "campaignPublicId": campaigns[0].public_id, "kind": "campaign"}, [0]),
        ({"userPublicId": users[1].public_id, "kind": "campaign"}, []),
        ({"campaignPublicId": their_campaign.public_id}, []),
        ({"userPublicId": their_user.public_id}, []),
        ({"userPublicId": public_ids.new_user_id()}, []),
    ):
        assert tokens(key, query) == [links[number].token for number in expected], query


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("kind=fax", "kind", "invalid"),
        ("kind=", "kind", "invalid"),
        ("kind=other&kind=other", "kind", "repeated"),
        ("userPublicId=x", "userPublicId", "invalid"),
        ("campaignPublicId=usr_01arz3ndektsv4rrffq69g5fav", "campaignPublicId", "invalid"),
        ("verdict=human", "verdict", "unknown"),
        ("token=x", "token", "unknown"),
        ("pageSize=201", "pageSize", "out_of_range"),
        ("page=0", "page", "out_of_range"),
    ],
)
def test_a_wrong_query_is_an_input_error(query: str, field: str, code: str) -> None:
    response = get(make_key(make_workspace()), LINKS, query)
    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]


def test_pages_hold_each_link_once_by_the_same_number_of_statements() -> None:
    workspace = make_workspace()
    users = [make_user(workspace) for _ in range(7)]
    links = make_links(workspace, *(LinkInput("other", TARGET, user=user) for user in users))
    key = make_key(workspace)
    tokens(key)
    counts, listed = [], []
    for page, size in ((1, 3), (2, 3), (3, 3), (1, 1)):
        with statements() as executed:
            listed.append(tokens(key, {"page": page, "pageSize": size}))
        counts.append(len(executed))
    assert listed[0] + listed[1] + listed[2] == [link.token for link in reversed(links)]
    assert len(set(counts)) == 1


def test_listing_and_making_share_the_limit_of_lists(settings: Any) -> None:
    settings.STATS_APP = {"LIST_RATE_LIMIT": 2}
    key = make_key(make_workspace())
    answers = [get(key, LINKS), post(key, {"links": []}, LINKS), get(key, LINKS), post(key, {"links": []}, LINKS)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[0].headers["RateLimit"] == '"lists";r=1;t=60'
    assert answers[3].headers["Retry-After"] == "60"


# --- addresses


def test_an_address_can_be_of_another_site(settings: Any) -> None:
    settings.STATS_APP = {"LINK_BASE_URL": "https://go.example.com/c/"}
    workspace = make_workspace()
    [link] = make_links(workspace, LinkInput("other", TARGET))
    [item] = get(make_key(workspace), LINKS).json()["results"]
    assert item["url"] == f"https://go.example.com/c/{link.token}"


@pytest.mark.urls(__name__)
def test_without_the_redirect_no_link_has_an_address() -> None:
    workspace = make_workspace()
    make_links(workspace, LinkInput("other", TARGET))
    [item] = get(make_key(workspace), LINKS).json()["results"]
    assert item["url"] is None
