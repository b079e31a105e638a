"""On every surface, answers are consistent even if clicks come in while they are made."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse

from stats_app import store
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import Campaign, Workspace, WorkspaceUser
from stats_app.reports import overview_context
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.rest import CAMPAIGNS, OVERVIEW, USERS, get

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
PATIENCE = 60


def elsewhere(work: Callable[[], object]) -> None:
    """Does the work in a thread, which has a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE)


class Cast:
    """A workspace with a campaign and a user, and a click of them recorded elsewhere before each read of the counts."""

    def __init__(self) -> None:
        self.workspace: Workspace = make_workspace()
        self.campaign: Campaign = make_campaign(self.workspace)
        self.user: WorkspaceUser = make_user(self.workspace)
        self.recorded = 0
        self.record()

    def record(self) -> None:
        click = ClickInput("campaign", campaign=self.campaign, user=self.user, clicked_at=NOON)
        elsewhere(lambda: record_clicks(self.workspace, [click]))
        self.recorded += 1

    @contextmanager
    def clicks_between_reads(self) -> Iterator[None]:
        def before(execute: Any, sql: str, *args: Any) -> Any:
            if sql.lstrip().startswith(("SELECT", "WITH")) and "stats_app_rollup" in sql:
                self.record()
            return execute(sql, *args)

        started = self.recorded
        with connection.execute_wrapper(before):
            yield
        assert self.recorded > started


@pytest.fixture
def cast() -> Cast:
    return Cast()


def test_an_overview_has_no_part_above_its_whole(cast: Cast) -> None:
    key = make_key(cast.workspace)
    for breakdown in ("day", "week", "month"):
        with cast.clicks_between_reads():
            answer = get(key, OVERVIEW, MARCH | {"breakdown": breakdown}).json()
        datasets = answer["breakdown"]["chart"]["datasets"]
        whole = answer["totals"]
        assert sum(datasets["current"]) == whole["totalClicks"] == sum(part["count"] for part in answer["signals"])
        assert sum(datasets["campaigns"][0]["data"]) == whole["campaignClicks"]


def test_a_campaign_has_no_more_clicks_than_all_campaigns(cast: Cast) -> None:
    with cast.clicks_between_reads():
        metrics = get(make_key(cast.workspace), f"{CAMPAIGNS}{cast.campaign.public_id}/performance/", MARCH).json()
    assert metrics["metrics"]["shareOfCampaignClicks"] == 1.0
    assert metrics["metrics"]["bestDay"]["clicks"] == metrics["metrics"]["clicks"]


def test_a_users_kinds_add_up(cast: Cast) -> None:
    with cast.clicks_between_reads():
        metrics = get(make_key(cast.workspace), f"{USERS}{cast.user.public_id}/metrics/", MARCH).json()["metrics"]
    assert metrics["campaignClicks"] == metrics["totalClicks"]


def test_a_list_has_as_many_rows_as_it_says(cast: Cast) -> None:
    key, made = make_key(cast.workspace), []

    def before(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("SELECT") and 'FROM "stats_app_workspaceuser"' in sql:
            elsewhere(lambda: made.append(make_user(cast.workspace)))
        return execute(sql, *args)

    with connection.execute_wrapper(before):
        answer = get(key, USERS).json()
    assert (len(answer["results"]), len(made)) == (answer["count"], 2)


each_way = pytest.mark.parametrize("atomic_requests", [False, True], ids=["autocommit", "ATOMIC_REQUESTS"])


def superuser() -> Client:
    staff = Client()
    staff.force_login(User.objects.create_superuser("ada"))
    return staff


@each_way
def test_the_overview_in_the_admin_says_one_thing(
    cast: Cast, atomic_requests: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = superuser()
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    for breakdown in ("day", "week", "month"):
        with cast.clicks_between_reads():
            response = staff.get(
                reverse("admin:stats_app_workspace_overview", args=[cast.workspace.pk]),
                MARCH | {"breakdown": breakdown, "compare": "none"},
            )
        report = response.context["report"]
        whole = report.answer["totals"]["totalClicks"]
        assert whole > 0
        assert [figure.clicks for figure in report.figures] == [whole, whole, 0, 0]
        assert sum(report.chart.current) == whole == sum(report.campaigns_chart.series[0].data)
        for ranking in (report.campaigns, report.users):
            assert [rank.clicks for rank in ranking.rows] == [whole]


@each_way
def test_a_page_and_its_file_say_one_thing(cast: Cast, atomic_requests: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    staff = superuser()
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    pages = {
        f"/stats/{cast.workspace.public_id}/": {"total", "campaign"},
        f"/stats/{cast.workspace.public_id}/campaigns/{cast.campaign.public_id}/": {"campaign"},
        f"/stats/{cast.workspace.public_id}/users/{cast.user.public_id}/": {"total", "campaign"},
    }
    for url, figures in pages.items():
        with cast.clicks_between_reads():
            response = staff.get(url, MARCH | {"breakdown": "day", "compare": "none", "format": "csv"})
        assert response.status_code == 200, url
        text = b"".join(response).decode("utf-8-sig")
        rows = list(csv.DictReader(text.splitlines()))
        totals = {row["name"]: int(row["clicks"]) for row in rows if row["table"] == "totals"}
        [whole] = {totals[name] for name in figures}
        for table in ("chart", "campaignChart", "campaigns", "users", "kindChart"):
            numbers = [int(row["clicks"]) for row in rows if row["table"] == table and row["clicks"]]
            assert not numbers or sum(numbers) == whole, (url, table)


# --- a host's own view, as docs/dashboards.md describes it


def figures_of_view(cast: Cast) -> list[int]:
    """Three figures of two calls: the total, the chart and the table of the overview."""
    query = MARCH | {"breakdown": "day", "compare": "none"}
    reports = [overview_context(cast.workspace, query, NOON)["report"] for _ in range(2)]
    return [
        number
        for report in reports
        for number in (
            report.answer["totals"]["totalClicks"],
            sum(report.chart.current),
            *(rank.clicks for rank in report.users.rows),
        )
    ]


def test_a_call_outside_of_a_transaction_has_a_snapshot_of_its_own(cast: Cast) -> None:
    with cast.clicks_between_reads():
        figures = figures_of_view(cast)
    first, second = figures[0], figures[3]
    assert figures == [first] * 3 + [second] * 3
    assert first < second


@pytest.mark.postgres
def test_calls_in_a_transaction_agree_only_at_the_level_repeatable_read(cast: Cast) -> None:
    with cast.clicks_between_reads(), transaction.atomic():
        figures = figures_of_view(cast)
    assert figures[0] < figures[2]
    with cast.clicks_between_reads(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        figures = figures_of_view(cast)
    assert len(set(figures)) == 1


@pytest.mark.postgres
def test_no_statement_of_an_answer_is_compiled_by_jit() -> None:
    def jit() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW jit")
            setting: str = cursor.fetchone()[0]
            return setting

    before = jit()
    with store.of_one_moment():
        assert jit() == "off"
    assert jit() == before
