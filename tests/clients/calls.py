"""Calls a running server with the generated Python client, and reads its replies with the generated models.

Run by `run` in an environment of its own.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any

import httpx
import stats_models
from stats_client import AuthenticatedClient
from stats_client.api.campaigns import campaign_get, campaign_list
from stats_client.api.clicks import click_ingest, click_list
from stats_client.api.statistics import stats_get_campaign_performance, stats_get_workspace_overview
from stats_client.models import (
    IngestAnswer,
    InvalidParametersProblem,
    NewClick,
    NewClickKind,
    NewClicks,
    NotAuthenticatedProblem,
    NotFoundProblem,
    PermissionDeniedOrWorkspaceMismatchProblem,
    PermissionDeniedProblem,
    StatsGetWorkspaceOverviewBreakdown,
)

URL = sys.argv[1]
SECRET, NARROW = os.environ["STATS_API_KEY"], os.environ["NARROW_KEY"]
MISSING = "cp_01jzk3f8q2v6x9w4r7t5n0m1ab"
DAYS = {"from_": date(2026, 3, 1), "to": date(2026, 3, 31)}


def client(secret: str) -> AuthenticatedClient:
    return AuthenticatedClient(
        URL, token=secret, prefix="", auth_header_name="x-api-key", raise_on_unexpected_status=True
    )


def reply(operation: Any, *path: str, secret: str = SECRET, **parameters: Any) -> tuple[HTTPStatus, Any]:
    with client(secret) as connected:
        response = operation.sync_detailed(*path, client=connected, **parameters)
    return response.status_code, response.parsed


def errors_are_known() -> None:
    status, problem = reply(stats_get_workspace_overview, from_=date(2026, 4, 2), to=date(2026, 3, 31))
    assert (status, type(problem)) == (400, InvalidParametersProblem)
    assert [(wrong.field, wrong.code.value) for wrong in problem.errors] == [("from", "invalid")]
    status, problem = reply(stats_get_workspace_overview, secret="sk_wrong", **DAYS)
    assert (status, type(problem), problem.code) == (401, NotAuthenticatedProblem, "not_authenticated")
    status, problem = reply(campaign_list, secret=NARROW)
    assert (status, type(problem), problem.status) == (403, PermissionDeniedProblem, 403)
    status, problem = reply(stats_get_workspace_overview, workspace_public_id=MISSING[3:], **DAYS)
    assert (status, type(problem)) == (403, PermissionDeniedOrWorkspaceMismatchProblem)
    assert problem.code.value == "workspace_mismatch"
    status, problem = reply(campaign_get, MISSING)
    assert (status, type(problem), problem.code) == (404, NotFoundProblem, "not_found")
    assert MISSING in problem.detail


def answers_are_known() -> None:
    _, page = reply(campaign_list, page_size=1)
    assert len(page.results) == 1
    [campaign] = page.results
    _, performance = reply(stats_get_campaign_performance, campaign.public_id)
    assert performance.campaign.name == campaign.name
    assert performance.trend is None
    _, overview = reply(stats_get_workspace_overview, breakdown=StatsGetWorkspaceOverviewBreakdown.DAY, **DAYS)
    assert len(overview.breakdown.chart.labels.current) == 31


def clicks_go_in_and_come_out() -> None:
    click = NewClick(
        kind=NewClickKind.OTHER, id="01ARZ3NDEKTSV4RRFFQ69G5FAV", clicked_at=datetime(2026, 3, 9, 12, tzinfo=UTC)
    )
    status, answer = reply(click_ingest, body=NewClicks(clicks=[click, NewClick(kind=NewClickKind.CAMPAIGN)]))
    assert (status, type(answer), answer.accepted) == (200, IngestAnswer, 1)
    assert [(item.index, item.field, item.code.value) for item in answer.rejected] == [
        (1, "campaignPublicId", "required")
    ]
    _, again = reply(click_ingest, body=click)
    assert (again.accepted, again.duplicates) == (0, 1)
    _, page = reply(click_list, from_=date(2026, 3, 9), to=date(2026, 3, 9))
    assert click.id.lower() in [listed.id for listed in page.results]


def the_models_read_what_is_sent() -> None:
    headers = {"x-api-key": SECRET}
    with httpx.Client(base_url=f"{URL}/api/v1", headers=headers) as http:
        problem = stats_models.InvalidParametersProblem.model_validate_json(http.get("/clicks/?kind=x").content)
        assert problem.errors[0].field == "kind"
        page = stats_models.ClickPage.model_validate_json(http.get("/clicks/").content)
        assert page.results
        missing = http.get(f"/campaigns/{MISSING}/")
        assert stats_models.NotFoundProblem.model_validate_json(missing.content).status == 404


errors_are_known()
answers_are_known()
clicks_go_in_and_come_out()
the_models_read_what_is_sent()
sys.stdout.write("Three generators made clients without a warning; they know the answers and the errors.\n")
