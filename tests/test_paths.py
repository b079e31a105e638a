"""The paths of the API: they work with and without the last slash, by every method, without a redirect."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.urls import reverse

from stats_app.models import Workspace
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.rest import BASE, CAMPAIGNS, CLICKS, LINKS, OVERVIEW, USERS, get, invalid, post, problem, request

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
MARCH = "from=2026-03-01&to=2026-03-31"
IDS = {"campaignPublicId": "cp_01arz3ndektsv4rrffq69g5fav", "userPublicId": "usr_01arz3ndektsv4rrffq69g5fav"}


def described() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = get(None, f"{BASE}schema/").json()["paths"]
    return paths


def make_place() -> tuple[Workspace, str]:
    """A workspace that has what `IDS` name, and a key."""
    workspace = make_workspace()
    make_campaign(workspace, public_id=IDS["campaignPublicId"])
    make_user(workspace, public_id=IDS["userPublicId"])
    return workspace, make_key(workspace)


@pytest.fixture(params=[True, False], ids=["APPEND_SLASH", "no APPEND_SLASH"], autouse=True)
def append_slash(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.APPEND_SLASH = request.param
    return bool(request.param)


def test_every_path_answers_alike_with_and_without_its_slash(settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": None, "LIST_RATE_LIMIT": None}
    _, secret = make_place()
    seen = 0
    for template in [*described(), f"{BASE}schema/", f"{BASE}docs/"]:
        url = template.format(**IDS)
        query = MARCH if url == OVERVIEW else ""
        for method in METHODS:
            body = json.dumps({url.split("/")[-2]: []}) if method == "POST" else ""
            answers = [request(method, secret, form, query, body=body) for form in (url, url.rstrip("/"))]
            statuses = {answer.status_code for answer in answers}
            assert statuses in ({200}, {405}), (method, url)
            contents = [re.sub(rb'"generatedAt":"[^"]+"', b"", answer.content) for answer in answers]
            assert contents[0] == contents[1], (method, url)
            seen += 1
    assert seen == len(METHODS) * (len(described()) + 2)


def test_a_post_without_the_slash_is_taken() -> None:
    workspace, secret = make_place()
    response = request("POST", secret, CLICKS.rstrip("/"), body='{"kind": "other"}')
    assert (response.status_code, response.json()["accepted"]) == (200, 1)
    assert workspace.clicks.count() == 1


@pytest.mark.parametrize("tail", ["", "/"])
@pytest.mark.parametrize(
    ("url", "name", "prefix"),
    [
        (f"{CAMPAIGNS}{{}}", "campaignPublicId", "cp_"),
        (f"{CAMPAIGNS}{{}}/performance", "campaignPublicId", "cp_"),
        (f"{USERS}{{}}", "userPublicId", "usr_"),
        (f"{USERS}{{}}/metrics", "userPublicId", "usr_"),
    ],
)
@pytest.mark.parametrize("wrong", ["x", "performance", "CP_01ARZ3NDEKTSV4RRFFQ69G5FAV", "a.b", "a b", "%C3%A9", "%0A"])
def test_a_malformed_id_is_an_input_error(url: str, name: str, prefix: str, wrong: str, tail: str) -> None:
    response = get(make_key(make_workspace()), url.format(wrong) + tail)
    [error] = response.json()["errors"]
    assert (response.status_code, error["field"], error["code"]) == (400, name, "invalid")
    assert error["message"].startswith(f"{name} must be {prefix} and 26 characters of a lowercase ULID, not ")


@pytest.mark.parametrize("url", [CAMPAIGNS, USERS, CLICKS, LINKS])
def test_the_pages_of_a_list_keep_the_form_that_was_asked_for(url: str) -> None:
    workspace, secret = make_place()
    make_campaign(workspace)
    make_user(workspace)
    post(secret, {"clicks": [{"kind": "other"}] * 2})
    post(
        secret,
        {"links": [{"kind": kind, "targetUrl": "https://www.example.com/"} for kind in ("other", "vcard")]},
        LINKS,
    )
    for form in (url, url.rstrip("/")):
        first = get(secret, form, {"pageSize": 1}).json()
        assert first["next"].startswith(f"http://testserver{form}?")
        second = get(secret, *first["next"].removeprefix("http://testserver").split("?"))
        assert second.status_code == 200
        assert second.json()["results"] != first["results"]


def test_addresses_are_made_with_the_slash() -> None:
    assert reverse("stats_api:click-list") == CLICKS
    assert reverse("stats_api:docs") == f"{BASE}docs/"
    assert reverse("stats_api:campaign-performance", kwargs={"campaignPublicId": "x"}) == f"{CAMPAIGNS}x/performance/"


def test_the_document_is_about_the_same_paths_in_either_form() -> None:
    with_slash, without = get(None, f"{BASE}schema/"), get(None, f"{BASE}schema")
    assert with_slash.json() == without.json()
    assert all(url.endswith("/") for url in with_slash.json()["paths"])


@pytest.mark.parametrize("url", ["/api/v1", "/api/v1/", f"{CLICKS}x", f"{CLICKS}/", f"{CAMPAIGNS}a/b", f"{BASE}docs/x"])
def test_an_unknown_path_is_the_host_s_own_404(url: str) -> None:
    response = get(make_key(make_workspace()), url)
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


# --- a GET whose body would not be read


@pytest.mark.parametrize("tail", ["", "/"])
def test_a_get_with_a_body_is_an_input_error(tail: str) -> None:
    workspace, secret = make_place()
    message = "body is not read by this method; put the parameters into the query string."
    for template, methods in described().items():
        if "get" not in methods:
            continue
        url = template.format(**IDS).rstrip("/") + tail
        query = MARCH if template == OVERVIEW else ""
        response = request("GET", secret, url, query, body='{"status": "paused"}')
        assert (response.status_code, response.json()) == (400, invalid(("body", "unknown", message))), url
    assert set(workspace.tool_calls.values_list("outcome", flat=True)) == {"invalid_parameters"}


def test_other_methods_name_those_that_the_path_supports() -> None:
    _, secret = make_place()
    response = request("DELETE", secret, CLICKS.rstrip("/"))
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    detail = "This path does not support DELETE; it supports GET, HEAD, POST."
    assert response.json() == problem(405, "method_not_allowed", "Method not allowed", detail)
