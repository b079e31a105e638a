"""The rate limit: how many calls pass, when the next one does, and what counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse

from stats_app import public_ids
from stats_app.models.api_keys import CLICKS_READ
from tests.factories import make_key, make_workspace
from tests.rest import CAMPAIGNS, CLICKS, OVERVIEW, USERS, get, post, problem

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
TOOL = "stats_get_workspace_overview"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Coordinates]:
    monkeypatch.setattr("stats_app.limits.USES_CLOCK_OF_DATABASE", False)
    with time_machine.travel(START, tick=False) as coordinates:
        yield coordinates


def at(clock: time_machine.Coordinates, seconds: float) -> None:
    clock.move_to(START + timedelta(seconds=seconds))


def overview(key: str) -> HttpResponse:
    return get(key, OVERVIEW, PERIOD)


def assert_limited(response: HttpResponse, retry_after: int, name: str = TOOL, limit: int = 30) -> None:
    detail = f"More than {limit} calls in 60 seconds to {name}; the next one is allowed in {retry_after} s."
    assert (response.status_code, response.json()) == (429, problem(429, "rate_limited", "Too many calls", detail))
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == str(retry_after)
    assert response.headers["RateLimit-Policy"] == f'"{name}";q={limit};w=60'
    assert response.headers["RateLimit"] == f'"{name}";r=0;t={retry_after}'


def test_thirty_calls_pass_and_say_how_many_are_left(clock: time_machine.Coordinates) -> None:
    key = make_key(make_workspace())
    answers = [overview(key) for _ in range(30)]
    assert [answer.status_code for answer in answers] == [200] * 30
    assert [answer.headers["RateLimit"] for answer in answers] == [
        f'"{TOOL}";r={left};t=60' for left in range(29, -1, -1)
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {f'"{TOOL}";q=30;w=60'}
    assert_limited(overview(key), 60)


def test_the_window_slides(clock: time_machine.Coordinates) -> None:
    key = make_key(make_workspace())
    for second in range(30):
        at(clock, second)
        assert overview(key).status_code == 200
    at(clock, 29.5)
    assert_limited(overview(key), 31)
    at(clock, 59.999)
    assert_limited(overview(key), 1)
    # Each call that leaves the window lets one pass, however many were refused meanwhile.
    for second in (60, 61, 62):
        at(clock, second)
        assert overview(key).status_code == 200
        assert_limited(overview(key), 1)
    # With counters for fixed minutes 60 calls would pass here.
    at(clock, 89)
    assert [overview(key).status_code for _ in range(28)] == [200] * 27 + [429]
    at(clock, 119.9)
    assert_limited(overview(key), 1)


def test_retry_after_says_when_the_next_call_passes(clock: time_machine.Coordinates) -> None:
    key = make_key(make_workspace())
    for second in (0, *[40] * 29):
        at(clock, second)
        overview(key)
    for second in (40, 41.2, 59.4):
        at(clock, second)
        wait = int(overview(key).headers["Retry-After"])
        at(clock, second + wait - 1)
        assert overview(key).status_code == 429
    at(clock, second + wait)
    assert overview(key).status_code == 200
    assert_limited(overview(key), 40)


def test_a_clock_that_goes_back_does_not_open_the_window(clock: time_machine.Coordinates) -> None:
    key = make_key(make_workspace())
    for _ in range(29):
        overview(key)
    at(clock, -300)
    assert overview(key).status_code == 200
    assert overview(key).status_code == 429
    at(clock, 59)
    assert_limited(overview(key), 1)


def test_each_key_and_each_tool_has_its_own(clock: time_machine.Coordinates, settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": 1}
    workspace = make_workspace()
    keys = [make_key(workspace), make_key(workspace)]
    for key in keys:
        assert [overview(key).status_code for _ in range(2)] == [200, 429]
        for url in (f"{CAMPAIGNS}{public_ids.new_campaign_id()}/performance/", f"{USERS}x/metrics/"):
            assert [get(key, url).status_code == 429 for _ in range(2)] == [False, True]


def test_calls_that_fail_count_too(clock: time_machine.Coordinates, settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": 3}
    key = make_key(make_workspace())
    url = f"{CAMPAIGNS}{public_ids.new_campaign_id()}/performance/"
    replies = [get(key, url), get(key, url, "x=1"), get(key, f"{CAMPAIGNS}x/performance/"), get(key, url)]
    assert [reply.status_code for reply in replies] == [404, 400, 400, 429]
    name = "stats_get_campaign_performance"
    assert [reply.headers["RateLimit"] for reply in replies] == [f'"{name}";r={left};t=60' for left in (2, 1, 0, 0)]


def test_a_call_without_the_scope_does_not_count(clock: time_machine.Coordinates, settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": 1}
    workspace = make_workspace()
    key = make_key(workspace, [CLICKS_READ])
    assert [overview(key).status_code for _ in range(2)] == [403, 403]
    workspace.api_keys.update(scopes=["stats:read"])
    assert [overview(key).status_code for _ in range(2)] == [200, 429]


def test_the_limit_comes_before_what_is_wrong_with_the_call(clock: time_machine.Coordinates, settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": 1, "LIST_RATE_LIMIT": 1, "INGEST_RATE_LIMIT": 1}
    workspace = make_workspace()
    key = make_key(workspace)
    overview(key)
    for query in ("", "nonsense=1", f"from=2026-03-01&to=2026-03-02&workspacePublicId={public_ids.new_workspace_id()}"):
        assert_limited(get(key, OVERVIEW, query), 60, limit=1)
    get(key, CLICKS)
    for url in (f"{CLICKS}?x=1", f"{CAMPAIGNS}x/", f"{USERS}{public_ids.new_user_id()}/"):
        assert_limited(get(key, url.partition("?")[0], url.partition("?")[2]), 60, "lists", 1)
    post(key, {"clicks": []})
    assert_limited(post(key, "not json"), 60, "ingest", 1)
    workspace.api_keys.update(revoked_at=START)
    assert overview(key).status_code == 401


def test_the_limit_is_a_setting(clock: time_machine.Coordinates, settings: Any) -> None:
    key = make_key(make_workspace())
    settings.STATS_APP = {"RATE_LIMIT": 40}
    assert [overview(key).status_code for _ in range(41)] == [200] * 40 + [429]
    settings.STATS_APP = {"RATE_LIMIT": 10}
    assert_limited(overview(key), 60, limit=10)
    settings.STATS_APP = {"RATE_LIMIT": 41}
    assert [overview(key).status_code for _ in range(2)] == [200, 429]
    at(clock, 60)
    settings.STATS_APP = {"RATE_LIMIT": 2}
    assert [overview(key).status_code for _ in range(3)] == [200, 200, 429]


def test_without_a_limit_all_calls_pass(settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMIT": None, "LIST_RATE_LIMIT": None}
    key = make_key(make_workspace())
    for url, query in ((OVERVIEW, PERIOD), (CAMPAIGNS, {})):
        answers = [get(key, url, query) for _ in range(40)]
        assert {answer.status_code for answer in answers} == {200}
        assert "RateLimit" not in answers[0].headers
        assert "RateLimit-Policy" not in answers[0].headers


def test_lists_share_300_requests(clock: time_machine.Coordinates, settings: Any) -> None:
    key = make_key(make_workspace())
    assert get(key, CAMPAIGNS).headers["RateLimit-Policy"] == '"lists";q=300;w=60'
    settings.STATS_APP = {"LIST_RATE_LIMIT": 5}
    urls = [USERS, CLICKS, f"{CAMPAIGNS}x/", f"{USERS}{public_ids.new_user_id()}/"]
    assert [get(key, url).status_code for url in urls] == [200, 200, 400, 404]
    assert_limited(get(key, CAMPAIGNS), 60, "lists", 5)


def test_ingest_is_not_limited_unless_set(clock: time_machine.Coordinates, settings: Any) -> None:
    key = make_key(make_workspace())
    assert "RateLimit" not in post(key, {"clicks": []}).headers
    settings.STATS_APP = {"INGEST_RATE_LIMIT": 1}
    assert [post(key, {"clicks": []}).headers["RateLimit"] for _ in range(2)] == ['"ingest";r=0;t=60'] * 2
    assert_limited(post(key, {"clicks": []}), 60, "ingest", 1)


@pytest.mark.django_db(transaction=True)
def test_a_call_runs_outside_of_the_hosts_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    workspace = make_workspace()
    key = make_key(workspace)
    in_transaction: list[bool] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        # What the tool answers is read in a transaction of ours, which begins after the call was let pass.
        if "stats_app_callwindow" in sql or "stats_app_toolcall" in sql:
            in_transaction.append(context["connection"].in_atomic_block)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert get(key, f"{CAMPAIGNS}{public_ids.new_campaign_id()}/performance/").status_code == 404
        assert get(key, CLICKS).status_code == 200
    assert set(in_transaction) == {False}
    assert workspace.tool_calls.count() == 1
