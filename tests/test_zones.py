"""A workspace in an unknown time zone: only what needs the zone fails, and never another tenant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone as django_timezone

from stats_app.errors import UnknownZone
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import Click, ToolCall, Workspace
from stats_app.rollups import change_timezone
from tests.admin_cast import MODELS, NOON, Tenant, make_tenant, superuser
from tests.admin_cast import address as admin_address
from tests.dashboard_cast import address
from tests.factories import make_key
from tests.import_files import write
from tests.mcp.calls import call
from tests.rest import CAMPAIGNS, CLICKS, OVERVIEW, USERS, post, request
from tests.test_commands import refusal

pytestmark = pytest.mark.django_db

UNKNOWN = "Mars/Olympus"
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
SENTENCE = (
    f'This server does not know the time zone "{UNKNOWN}" of the workspace: choose another one, or update the '
    "package tzdata."
)
PAGE_TEXT = f"This server does not know the time zone {UNKNOWN}"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 28, 10, tzinfo=UTC), tick=False):
        yield


def lose_zone(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(timezone=UNKNOWN)
    workspace.refresh_from_db()


def good_answers(place: Tenant, key: str, staff: Client) -> dict[str, tuple[int, Any]]:
    """What every page, list and tool of a tenant answers."""
    answers: dict[str, tuple[int, Any]] = {}
    metrics = f"{USERS}{place.workspaceuser.public_id}/metrics/"
    performance = f"{CAMPAIGNS}{place.campaign.public_id}/performance/"
    for url in (
        OVERVIEW,
        CAMPAIGNS,
        f"{CAMPAIGNS}?status=running",
        USERS,
        CLICKS,
        f"{CLICKS}?from=2026-03-01",
        metrics,
    ):
        response = request("GET", key, url, PERIOD if url == OVERVIEW else None)
        answers[url] = (response.status_code, response.json())
    response = request("GET", key, performance)
    answers[performance] = (response.status_code, response.json())
    for tool, arguments in (
        ("stats_get_workspace_overview", PERIOD),
        ("stats_get_campaign_performance", {"campaignPublicId": place.campaign.public_id}),
        ("stats_get_user_metrics", {"userPublicId": place.workspaceuser.public_id}),
        ("campaign_find", {}),
        ("user_find", {}),
    ):
        answers[tool] = (200, call(key, tool, arguments))
    for shown in (place.workspace, place.campaign, place.workspaceuser):
        for query in ({}, {"format": "csv"}):
            page = staff.get(address(shown), query)
            answers[f"{address(shown)} {query}"] = (page.status_code, None)
    for model in MODELS:
        narrowed = {} if model == "workspace" else {"workspace": place.workspace.pk}
        answers[f"{model} list"] = (staff.get(admin_address(model), narrowed).status_code, None)
        row = staff.get(admin_address(model, "change", getattr(place, model)))
        answers[f"{model} row"] = (row.status_code, None)
    overview = admin_address("workspace", "overview", place.workspace)
    answers[overview] = (staff.get(overview).status_code, None)
    return answers


def test_the_others_never_notice() -> None:
    good, lost = make_tenant("Acme"), make_tenant("Globex")
    key, staff = make_key(good.workspace), superuser()
    before = good_answers(good, key, staff)
    assert {url: status for url, (status, _) in before.items() if status != 200} == {}
    lose_zone(lost.workspace)
    assert good_answers(good, key, staff) == before
    # Lists of all tenants go on, and name the one.
    page = staff.get("/stats/")
    assert (page.status_code, PAGE_TEXT in page.content.decode()) == (200, True)
    file = staff.get("/stats/", {"format": "csv"})
    assert file.status_code == 200
    [row] = [line for line in file.content.decode("utf-8-sig").splitlines() if "Globex" in line]
    assert UNKNOWN in row
    for model in MODELS:
        assert staff.get(admin_address(model)).status_code == 200, model
    for status in ("planned", "running", "paused", "completed"):
        listed = staff.get(admin_address("campaign"), {"status": status}).context["cl"].result_list
        assert [row.name for row in listed] == (["Acme spring"] if status == "running" else [])
    assert "unknown time zone" in staff.get(admin_address("campaign")).content.decode()


def test_its_own_answers_say_what_is_wrong() -> None:
    lost = make_tenant("Globex")
    key, staff = make_key(lost.workspace), superuser()
    lose_zone(lost.workspace)
    performance = f"{CAMPAIGNS}{lost.campaign.public_id}/performance/"
    for url in (CAMPAIGNS, performance, f"{CLICKS}?from=2026-03-01"):
        response = request("GET", key, url)
        assert (response.status_code, response.json()["code"]) == (503, "unavailable"), url
        assert response.json()["detail"].startswith(SENTENCE)
        assert int(response.headers["Retry-After"]) > 0
    result = call(key, "campaign_find", {})
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith(SENTENCE)
    assert ToolCall.objects.filter(tool="campaign_find").latest("pk").outcome == "unavailable"
    # What needs no zone is answered.
    for url in (USERS, CLICKS):
        assert request("GET", key, url).status_code == 200
    assert request("GET", key, OVERVIEW, PERIOD).status_code == 200
    for shown in (lost.workspace, lost.campaign, lost.workspaceuser):
        page = staff.get(address(shown))
        assert (page.status_code, PAGE_TEXT in page.content.decode()) == (503, True)
    overview = staff.get(admin_address("workspace", "overview", lost.workspace), follow=True)
    assert overview.redirect_chain == [(admin_address("workspace", "change", lost.workspace), 302)]
    assert PAGE_TEXT in overview.content.decode()
    assert "UTC" in staff.get(admin_address("clickrecord"), {"workspace": lost.workspace.pk}).content.decode()


def test_no_click_is_lost() -> None:
    lost = make_tenant("Globex").workspace
    key = make_key(lost)
    lose_zone(lost)
    stored = Click.objects.count()
    body = {"clicks": [{"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "kind": "vcard"}]}
    response = post(key, body)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert UNKNOWN in response.json()["detail"]
    with pytest.raises(UnknownZone):
        record_clicks(lost, [ClickInput("vcard")])
    assert Click.objects.count() == stored
    change_timezone(lost, "Europe/Paris")
    assert post(key, body).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert Click.objects.count() == stored + 1


@pytest.mark.parametrize("command", ["import_clicks", "export_clicks"])
def test_commands_about_it_end_with_one_line(command: str, tmp_path: Path) -> None:
    lost = make_tenant("Globex").workspace
    file = write(tmp_path, "kind,clickedAt\nvcard,2026-03-01T09:00:00Z\n")
    lose_zone(lost)
    options = {"import_clicks": [file], "export_clicks": ["--from", "2026-03-01"]}[command]
    said = refusal(command, *options, "--workspace", lost.public_id)
    assert (UNKNOWN in said, said.count("\n")) == (True, 0)


@pytest.mark.parametrize(
    ("command", "end"),
    [
        ("check_rollups", "1 workspace(s) could not be checked."),
        ("rebuild_rollups", "1 workspace(s) could not be recounted."),
    ],
)
def test_commands_go_on_with_the_others_and_name_it(command: str, end: str) -> None:
    lost, good = make_tenant("Globex").workspace, make_tenant("Acme").workspace
    lose_zone(lost)
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command(command, stdout=out)
    assert str(error.value).endswith(end)
    assert f"{lost.public_id} Globex: {SENTENCE}" in out.getvalue()
    if command == "rebuild_rollups":
        assert f"{good.public_id} Acme: " in out.getvalue()
        call_command(command, workspace=good.public_id, stdout=out)


@pytest.mark.parametrize("hours", [-9.5, 0, 5.75])
def test_calls_are_filtered_by_day_in_a_zone_without_a_name(hours: float) -> None:
    """A host may activate any offset for its pages."""
    make_tenant()
    staff = superuser()
    local = NOON + timedelta(hours=hours)
    with django_timezone.override(timezone(timedelta(hours=hours))):
        pages = []
        for day in (local.date(), local.date() + timedelta(days=1)):
            days = {"from": day.isoformat(), "to": day.isoformat()}
            response = staff.get(admin_address("toolcall"), days)
            pages.append((response.status_code, len(response.context["cl"].result_list)))
    assert pages == [(200, 1), (200, 0)]
