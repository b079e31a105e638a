"""API keys: which keys are accepted, with which scopes, and how others are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse

from stats_app.keys import create_key
from stats_app.models import ApiKey, Workspace
from stats_app.models.api_keys import CLICKS_READ, CLICKS_WRITE, LINKS_READ, LINKS_WRITE, SCOPES, STATS_READ
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.rest import CAMPAIGNS, CLICKS, LINKS, NOT_AUTHENTICATED, OVERVIEW, USERS, get, problem, request, statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}

Call = Callable[[str | None, Workspace], HttpResponse]

CALLS: dict[str, tuple[str, Call]] = {
    "overview": (STATS_READ, lambda key, w: get(key, OVERVIEW, PERIOD)),
    "performance": (STATS_READ, lambda key, w: get(key, f"{CAMPAIGNS}{w.campaigns.get().public_id}/performance/")),
    "metrics": (STATS_READ, lambda key, w: get(key, f"{USERS}{w.users.get().public_id}/metrics/")),
    "campaigns": (STATS_READ, lambda key, w: get(key, CAMPAIGNS)),
    "campaign": (STATS_READ, lambda key, w: get(key, f"{CAMPAIGNS}{w.campaigns.get().public_id}/")),
    "users": (STATS_READ, lambda key, w: get(key, USERS)),
    "user": (STATS_READ, lambda key, w: get(key, f"{USERS}{w.users.get().public_id}/")),
    "clicks": (CLICKS_READ, lambda key, w: get(key, CLICKS)),
    "links": (LINKS_READ, lambda key, w: get(key, LINKS)),
    "new links": (LINKS_WRITE, lambda key, w: request("POST", key, LINKS, body='{"links": []}')),
    "ingest": (CLICKS_WRITE, lambda key, w: request("POST", key, CLICKS, body='{"clicks": []}')),
}
each_call = pytest.mark.parametrize("call", CALLS)


def workspace_with_rows(**values: Any) -> Workspace:
    workspace = make_workspace(**values)
    make_campaign(workspace)
    make_user(workspace)
    return workspace


def assert_refused(response: HttpResponse) -> None:
    assert (response.status_code, response.json()) == (401, NOT_AUTHENTICATED)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["WWW-Authenticate"] == 'ApiKey realm="stats", header="x-api-key"'
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "RateLimit" not in response.headers


@each_call
def test_its_own_key_gets_in(call: str) -> None:
    scope, ask = CALLS[call]
    workspace = workspace_with_rows()
    assert ask(make_key(workspace, [scope]), workspace).status_code == 200


@each_call
def test_a_key_without_the_scope_is_refused(call: str) -> None:
    scope, ask = CALLS[call]
    workspace = workspace_with_rows()
    key = make_key(workspace, [other for other in SCOPES if other != scope])
    response = ask(key, workspace)
    assert (response.status_code, response.json()) == (
        403,
        problem(403, "permission_denied", "Permission denied", f"This API key lacks the scope {scope}."),
    )
    assert "RateLimit" not in response.headers


@each_call
def test_without_a_key_nobody_gets_in(call: str) -> None:
    assert_refused(CALLS[call][1](None, workspace_with_rows()))


@each_call
def test_an_expired_key_is_refused(call: str) -> None:
    workspace = workspace_with_rows()
    key = make_key(workspace, expires_at=NOW)
    with time_machine.travel(NOW, tick=False):
        assert_refused(CALLS[call][1](key, workspace))


@each_call
def test_a_revoked_key_is_refused(call: str) -> None:
    workspace = workspace_with_rows()
    assert_refused(CALLS[call][1](make_key(workspace, revoked_at=NOW), workspace))


@each_call
def test_a_key_of_an_inactive_workspace_is_refused(call: str) -> None:
    workspace = workspace_with_rows(is_active=False)
    assert_refused(CALLS[call][1](make_key(workspace), workspace))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "sk_",
        "x",
        "sk_0123456789ab_" + "A" * 43,
        "é",
        "\x00",
        "日本",
        "\udcff",
        "\xff\xfe",
        "sk_" + "x" * 10_240,
        "' OR 1=1 --",
        "%s %(x)s",
    ],
    ids=ascii,
)
def test_a_wrong_key_is_refused_whatever_it_is(wrong: str) -> None:
    make_key(make_workspace())
    assert_refused(get(wrong, OVERVIEW, PERIOD))


def test_a_key_is_right_as_a_whole_only() -> None:
    key = make_key(make_workspace())
    for wrong in (key[:-1], key + "x", key.upper(), f"{key},{key}", key.split("_")[1], f" {key}"):
        assert_refused(get(wrong, OVERVIEW, PERIOD))
    assert get(key, OVERVIEW, PERIOD).status_code == 200


def test_a_key_in_another_place_is_no_key() -> None:
    key = make_key(make_workspace())
    assert_refused(get(None, OVERVIEW, PERIOD | {"x-api-key": key}))
    assert_refused(get(None, OVERVIEW, PERIOD, Authorization=f"Bearer {key}"))


def test_a_refusal_says_nothing_about_what_was_asked() -> None:
    missing = f"{CAMPAIGNS}cp_01arz3ndektsv4rrffq69g5fav/"
    for method, url in (("GET", missing), ("GET", f"{CAMPAIGNS}x/"), ("PUT", CLICKS), ("OPTIONS", CLICKS)):
        assert_refused(request(method, None, url, "nonsense=1"))


def test_a_refused_call_leaves_no_audit_row_and_writes_nothing() -> None:
    workspace = make_workspace()
    key = make_key(workspace, revoked_at=NOW)
    with statements() as queries:
        assert_refused(get(key, OVERVIEW, PERIOD))
    assert len(queries) == 1
    assert not workspace.tool_calls.exists()


def test_only_a_digest_of_the_secret_is_stored() -> None:
    workspace = make_workspace()
    key, secret = create_key(workspace, "Tests")
    row = ApiKey.objects.values().get(pk=key.pk)
    assert bytes(row["digest"]) == hashlib.sha256(secret.encode()).digest()
    prefix, public_part, random_part = secret.split("_", 2)
    assert (prefix, public_part) == ("sk", row["public_part"])
    assert len(random_part) == 43, "256 bits in base 64"
    assert random_part not in repr(row)


def test_keys_are_all_different() -> None:
    workspace = make_workspace()
    assert len({make_key(workspace) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("left", "status"), [(timedelta(microseconds=1), 200), (timedelta(0), 401), (timedelta(days=-1), 401)]
)
def test_a_key_ends_at_the_moment_that_it_names(left: timedelta, status: int) -> None:
    key = make_key(make_workspace(), expires_at=NOW + left)
    with time_machine.travel(NOW, tick=False):
        assert get(key, OVERVIEW, PERIOD).status_code == status


def test_the_last_use_is_noted_at_most_every_five_minutes() -> None:
    workspace = make_workspace()
    key = make_key(workspace)
    noted = []
    for after in (0, 1, 299, 300, 301, 302, 601, 602):
        with time_machine.travel(NOW + timedelta(seconds=after), tick=False):
            get(key, OVERVIEW, PERIOD)
        used = workspace.api_keys.get().last_used_at
        assert used is not None
        noted.append((used - NOW).total_seconds())
    assert noted == [0, 0, 0, 0, 301, 301, 301, 602]


def test_a_wrong_key_notes_no_use() -> None:
    workspace = make_workspace()
    make_key(workspace)
    get("sk_wrong", OVERVIEW, PERIOD)
    assert workspace.api_keys.get().last_used_at is None
