"""The overview inside the admin: the figures of the staff pages and of the tool, under the admin's own frame."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from ulid import ULID

from stats_app.ingest import ClickInput
from tests.admin_cast import NOON, address, login, make_tenant, page, superuser
from tests.factories import make_key, make_user, make_workspace, record_all

pytestmark = pytest.mark.django_db

MARCH = {"from": "2026-03-01", "to": "2026-03-31", "breakdown": "day"}


def test_a_workspace_has_a_button_that_leads_to_it() -> None:
    tenant = make_tenant()
    url = address("workspace", "overview", tenant.workspace)
    staff = login("view_workspace")
    assert f'<a href="{url}">Overview</a>' in page(staff, address("workspace", "change", tenant.workspace))
    assert "Acme" in page(staff, url)


def test_it_has_the_figures_of_the_staff_page_and_of_the_tool() -> None:
    tenant = make_tenant()
    clicks = [ClickInput("vcard", ULID(), clicked_at=NOON) for _ in range(3)]
    record_all(
        tenant.workspace, [*clicks, ClickInput("other", ULID(), clicked_at=NOON, verdict="bot", reason="scanner")]
    )
    staff = superuser()
    admin = staff.get(address("workspace", "overview", tenant.workspace), MARCH)
    dashboard = staff.get(f"/stats/{tenant.workspace.public_id}/", MARCH)
    tool = Client().get("/api/v1/workspace/overview/", MARCH, headers={"x-api-key": make_key(tenant.workspace)}).json()
    answers = [_timeless(response.context["report"].answer) for response in (admin, dashboard)]
    assert answers == [_timeless(tool)] * 2
    assert tool["totals"] == {"campaignClicks": 1, "vcardClicks": 3, "totalClicks": 4}
    assert _body(admin) == _body(dashboard)


def _timeless(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "generatedAt"}


def _body(response: Any) -> str:
    """The report on the page, without the time of its making."""
    text = response.content.decode()
    body = text[text.index('<div class="stats-controls"') : text.index('<footer class="stats-away"')]
    return re.sub(r"\s+", " ", body)


def test_its_files_are_those_of_the_staff_page() -> None:
    tenant = make_tenant()
    response = superuser().get(address("workspace", "overview", tenant.workspace), MARCH | {"format": "csv"})
    place = f"/stats/{tenant.workspace.public_id}/?from=2026-03-01&to=2026-03-31&breakdown=day&format=csv"
    assert (response.status_code, response.headers["Location"]) == (302, place)


@override_settings(ROOT_URLCONF="tests.admin_only_urls")
def test_it_offers_no_files_where_the_host_left_the_staff_pages_out() -> None:
    tenant = make_tenant()
    staff = superuser()
    for query in (MARCH, MARCH | {"format": "csv"}):
        assert "format=csv" not in page(staff, address("workspace", "overview", tenant.workspace), **query)
    for model in ("campaign", "workspaceuser"):
        assert "Figures" not in page(staff, address(model, "change", getattr(tenant, model)))


def test_a_preset_stays_one_when_its_breakdown_is_changed() -> None:
    url, staff = address("workspace", "overview", make_workspace()), superuser()
    sent = dict(re.findall(r'name="(period|from|to)" value="([^"]*)"', page(staff, url, period="this-month")))
    response = staff.get(url, sent | {"breakdown": "week"})
    assert (response.status_code, response.headers["Location"]) == (302, "?period=this-month&breakdown=week")


def test_wrong_dates_are_named_and_kept() -> None:
    url = address("workspace", "overview", make_workspace())
    text = html.unescape(page(superuser(), url, **{"from": "2026-02-30", "to": "2026-03-31"}))
    assert ('value="2026-02-30"' in text, "stats-error" in text) == (True, True)


@pytest.mark.parametrize("key", ["0", "x", "99999999999999999999"])
def test_a_workspace_that_is_none_has_none(key: str) -> None:
    assert superuser().get(f"{address('workspace')}{key}/overview/").status_code == 404


def test_it_asks_the_same_number_of_queries_however_many_rows_there_are() -> None:
    tenant = make_tenant()
    staff = superuser()
    url = address("workspace", "overview", tenant.workspace)
    numbers = []
    for _round in range(2):
        page(staff, url, **MARCH)
        with CaptureQueriesContext(connection) as queries:
            page(staff, url, **MARCH)
        numbers.append(len(queries))
        users = [make_user(tenant.workspace) for _ in range(15)]
        record_all(tenant.workspace, [ClickInput("other", ULID(), user=user, clicked_at=NOON) for user in users])
    assert numbers[0] == numbers[1]
