"""The tests inside the hostile project. They are not collected: `tests/test_hostile_host.py` runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from django.utils import translation
from rest_framework.settings import api_settings

from stats_app.ingest import ClickInput
from tests.factories import make_campaign, make_key, make_user, make_workspace, record
from tests.hostile import settings as own_settings
from tests.hostile.accounts.models import Account
from tests.hostile.dialect import HostError
from tests.mcp import calls
from tests.rest import (
    CAMPAIGNS,
    CLICKS,
    NOT_AUTHENTICATED,
    OVERVIEW,
    USERS,
    assert_answer,
    get,
    invalid,
    not_found,
    post,
    problem,
    request,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
FRENCH = {"Accept-Language": "fr", "Accept": "application/xml; version=9.9"}


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def person(number: int = 1) -> Account:
    return Account.objects.create(email=f"p{number}@example.com", full_name=f"Person {number}", password="secret")


# --- ours, by the contract


def test_the_project_is_as_hostile_as_meant() -> None:
    assert translation.get_language() == "fr"
    assert settings.DATABASES["default"]["ATOMIC_REQUESTS"]
    assert api_settings.PAGE_SIZE == 7
    # Without APPEND_SLASH nothing leads from their paths to the form with a slash; ours answer in both.
    with pytest.raises(Resolver404):
        resolve("/api/v1/accounts")
    assert get(None, "/api/v1/campaigns").status_code == 401


def test_the_tools_answer_in_json() -> None:
    workspace = make_workspace(timezone="UTC")
    campaign, user = make_campaign(workspace), make_user(workspace)
    record(workspace, *[ClickInput("campaign", campaign=campaign, user=user, clicked_at=NOW)] * 1200)
    key = make_key(workspace)
    assert_answer(
        get(key, OVERVIEW, PERIOD | {"breakdown": "month"}, **FRENCH),
        {
            "workspace": {"name": "Acme"},
            "period": PERIOD,
            "totals": {"campaignClicks": 1200, "vcardClicks": 0, "totalClicks": 1200},
            "breakdown": {
                "chart": {
                    "datasets": {
                        "current": [1200],
                        "previous": [0],
                        "campaigns": [{"publicId": campaign.public_id, "name": campaign.name, "data": [1200]}],
                    },
                    "labels": {"current": ["2026-03"], "previous": ["2026-02"]},
                }
            },
            "signals": [{"type": "campaign_clicks", "count": 1200}],
            "generatedAt": "2026-03-28T10:25:00+00:00",
        },
    )
    assert_answer(
        get(key, f"{CAMPAIGNS}{campaign.public_id}/performance/", PERIOD, **FRENCH),
        {
            "campaign": {"publicId": campaign.public_id, "name": campaign.name, "status": "running"},
            "period": PERIOD,
            "metrics": {
                "clicks": 1200,
                "shareOfCampaignClicks": 1.0,
                "bestDay": {"date": "2026-03-28", "clicks": 1200},
                "assignedUsers": 0,
            },
            "trend": None,
            "generatedAt": "2026-03-28T10:25:00+00:00",
        },
    )
    response = get(key, f"{USERS}{user.public_id}/metrics/", PERIOD, **FRENCH)
    assert (response.status_code, response.json()["metrics"]["totalClicks"]) == (200, 1200)
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("url", [CAMPAIGNS, USERS])
def test_lists_have_their_own_pages_and_filters(url: str) -> None:
    workspace = make_workspace()
    for _ in range(8):
        make_campaign(workspace)
        make_user(workspace)
    body = get(make_key(workspace), url, "search=a&pageSize=8", **FRENCH).json()
    assert (len(body["results"]), body["next"], body["count"]) == (8, None, 8)
    assert body["results"][0]["createdAt"] == "2026-03-28T10:25:00+00:00"


def test_clicks_come_in_whatever_the_upload_limits() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    response = post(key, {"clicks": [{"kind": "other"}] * 1000}, **FRENCH)
    assert_answer(response, {"accepted": 1000, "duplicates": 0, "rejected": []})
    assert len(get(key, CLICKS).json()["results"]) == 50
    # STRICT_JSON is off for the project's own API.
    response = post(key, '{"id": NaN}')
    assert response.json() == invalid(("body", "invalid", "body is not JSON: NaN is not a JSON number."))


def test_errors_are_problems_in_english() -> None:
    workspace = make_workspace()
    key, blind = make_key(workspace), make_key(workspace, ["links:read"])
    missing = "cp_01arz3ndektsv4rrffq69g5fav"
    unsupported = 'Content-Type must be application/json in UTF-8, not "application/x-www-form-urlencoded".'
    for response, body in (
        (get(None, OVERVIEW, PERIOD, **FRENCH), NOT_AUTHENTICATED),
        (get("sk_wrong", CLICKS, **FRENCH), NOT_AUTHENTICATED),
        (
            get(blind, OVERVIEW, PERIOD, **FRENCH),
            problem(403, "permission_denied", "Permission denied", "This API key lacks the scope stats:read."),
        ),
        (
            get(key, OVERVIEW, "from=1999-01-01&format=xml", **FRENCH),
            invalid(
                ("from", "out_of_range", 'from must be between 2000-01-01 and 2099-12-31, not "1999-01-01".'),
                ("to", "required", "to is required: a date as Y-m-d, such as 2026-03-31."),
                (
                    "format",
                    "unknown",
                    '"format" is not a parameter; the parameters are from, to, breakdown, workspacePublicId.',
                ),
            ),
        ),
        (
            get(key, OVERVIEW, {"from": "2010-01-01", "to": "2026-03-31"}, **FRENCH),
            invalid(("to", "out_of_range", "to 2026-03-31 makes a period of 5934 days; the limit is 3660.")),
        ),
        (get(key, f"{CAMPAIGNS}{missing}/", **FRENCH), not_found("campaign", missing)),
        (
            get(key, CLICKS, {"kind": "x"}, **FRENCH),
            invalid(("kind", "invalid", 'kind must be one of campaign, vcard, other, not "x".')),
        ),
        (
            request("PUT", key, CLICKS, **FRENCH),
            problem(
                405,
                "method_not_allowed",
                "Method not allowed",
                "This path does not support PUT; it supports GET, HEAD, POST.",
            ),
        ),
        (
            request("OPTIONS", key, CLICKS, **FRENCH),
            problem(
                405,
                "method_not_allowed",
                "Method not allowed",
                "This path does not support OPTIONS; it supports GET, HEAD, POST.",
            ),
        ),
        (
            post(key, "kind=other", content_type="application/x-www-form-urlencoded", **FRENCH),
            problem(415, "unsupported_media_type", "Unsupported media type", unsupported),
        ),
    ):
        assert (response.status_code, response.json()) == (body["status"], body)
        assert response.headers["Content-Type"] == "application/problem+json"
    [rejected] = post(key, {"kind": "x"}, **FRENCH).json()["rejected"]
    assert rejected["message"] == 'kind must be one of campaign, vcard, other, not "x".'


def test_a_failed_call_is_audited_and_counted() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    response = get(key, f"{USERS}usr_01arz3ndektsv4rrffq69g5fav/metrics/")
    assert (response.status_code, response.headers["RateLimit"]) == (404, '"stats_get_user_metrics";r=49;t=60')
    assert [call.outcome for call in workspace.tool_calls.all()] == ["not_found"]


def test_a_session_opens_nothing_of_ours() -> None:
    client = Client()
    client.force_login(person())
    response = client.get(OVERVIEW, query_params=PERIOD)
    assert (response.status_code, response.json()) == (401, NOT_AUTHENTICATED)


def test_a_key_needs_no_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    key = make_key(make_workspace())
    response = client.post(CLICKS, '{"clicks": []}', "application/json", headers={"x-api-key": key})
    assert response.status_code == 200


def addresses(patterns: list[Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Each address that the patterns lead to, and its view."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, f"{at}{pattern.pattern}")
        else:
            yield f"{at}{pattern.pattern}", pattern.callback


def test_the_project_s_login_is_not_asked_for_where_ours_is() -> None:
    ours = [(address, view) for address, view in addresses(get_resolver().url_patterns) if is_ours(view)]
    assert len(ours) >= 15
    assert [address for address, view in ours if getattr(view, "login_required", True)] == []


def is_ours(view: Any) -> bool:
    return str(view.__module__).startswith("stats_app.")


def test_it_answers_callers_whom_the_project_would_send_to_its_login() -> None:
    assert [Client().get(f"/api/v1/{name}/").status_code for name in ("schema", "docs")] == [200, 200]
    assert Client().get("/mcp").status_code == 405
    assert Client().post("/mcp", "{}", "application/json").status_code == 401
    assert len(calls.ask(make_key(make_workspace()), "tools/list").json()["result"]["tools"]) == 5


# --- theirs, as before


def ask(url: str, *, login: bool = True, **headers: str) -> Any:
    client = Client()
    if login:
        client.force_login(Account.objects.first() or person())
    return client.get(url, headers=headers)


def test_their_lists_have_seven_items_in_xml() -> None:
    people = [person(number) for number in range(8)]
    response = ask("/api/v1/accounts/")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    items = "".join(f"<item><full_name>{one.full_name}</full_name></item>" for one in people[:7])
    assert response.content.decode() == (
        "<answer><count>8</count><next>http://testserver/api/v1/accounts/?page=2</next><previous></previous>"
        f"<results>{items}</results></answer>"
    )


def test_their_versions_come_from_the_header() -> None:
    response = ask("/api/v1/version/", Accept="application/xml; version=1.0")
    assert response.content == b"<answer><version>1.0</version><user>Person 1</user></answer>"


def test_their_errors_go_through_their_handler() -> None:
    get(make_key(make_workspace()), f"{CAMPAIGNS}x/")
    for url, login, headers, name in (
        ("/api/v1/version/", False, {}, "NotAuthenticated"),
        ("/api/v1/version/", True, {"Accept": "application/xml; version=9.9"}, "NotAcceptable"),
        ("/api/v1/accounts/?page=9", True, {}, "NotFound"),
    ):
        with pytest.raises(HostError) as error:
            ask(url, login=login, **headers)
        assert str(error.value) == name


def test_their_settings_are_as_they_were() -> None:
    get(make_key(make_workspace()), OVERVIEW, PERIOD)
    assert settings.REST_FRAMEWORK == own_settings.REST_FRAMEWORK
    assert api_settings.user_settings == own_settings.REST_FRAMEWORK
    assert api_settings.DEFAULT_RENDERER_CLASSES[0].__name__ == "XmlRenderer"


# --- commands


def output_of(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_project_passes_its_checks_and_needs_no_migration() -> None:
    call_command("check")
    assert output_of("makemigrations", "stats_app", "--check", "--dry-run") == (
        "No changes detected in app 'stats_app'\n"
    )


def test_the_demo_makes_a_login_of_their_model() -> None:
    lines = output_of("seed_demo", "--clicks", "30").splitlines()
    assert "Staff login  demo@example.com, password demo-signatures" in lines
    account = Account.objects.get()
    assert (account.full_name, account.is_superuser, account.check_password("demo-signatures")) == ("demo", True, True)
    [line] = [line for line in lines if line.startswith("API key")]
    body = get(line.split()[2], OVERVIEW, PERIOD).json()
    assert json.dumps(body["workspace"]) == '{"name": "Acme"}'
