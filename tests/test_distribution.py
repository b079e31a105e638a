"""`manage.py distribute`: what it refuses, what it says, what the system checks find, and on Citus what it does."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from stats_app import distribution
from stats_app.dimensions import OTHER
from stats_app.ingest import ClickInput
from stats_app.models import Click, Rollup
from stats_app.rollups import check, rebuild
from stats_app.sql import citus
from stats_app.sql.citus import Cluster
from tests.conftest import SHARDS
from tests.factories import make_workspace, record
from tests.test_commands import refusal, run

pytestmark = pytest.mark.django_db

SOUND = Cluster((13, 2), is_coordinator=True, machines=2, has_coordinator=True, recovery_ms=1_000)
CREATE = "install it on every machine and run CREATE EXTENSION citus in the database of each."


def warnings() -> list[str]:
    messages = run_checks(tags=[Tags.database], databases=["default"])
    return [str(message.id) for message in messages if str(message.id) in ("stats_app.W006", "stats_app.W007")]


@pytest.mark.sqlite
def test_sqlite_cannot_be_spread() -> None:
    expected = "The database is SQLite: only PostgreSQL with the extension citus can be distributed."
    assert refusal("distribute") == expected


@pytest.mark.postgres
@pytest.mark.plain("it has the extension")
def test_it_says_what_is_missing() -> None:
    assert refusal("distribute") == f"The database has no extension citus, 13.0 or later: {CREATE}"
    assert refusal("distribute", "--dry-run") == f"The database has no extension citus, 13.0 or later: {CREATE}"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (
            SOUND._replace(version=(12, 1)),
            "The extension citus has version 12.1; 13.0 or later is needed.",
        ),
        (
            SOUND._replace(is_coordinator=False),
            "This machine is a worker of the cluster: run the command on the coordinator.",
        ),
        (
            SOUND._replace(has_coordinator=False),
            "The cluster does not know its coordinator: run SELECT citus_set_coordinator_host('NAME', 5432) on it, "
            "with the name by which the workers reach it.",
        ),
    ],
)
def test_it_refuses_a_cluster_that_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, expected: str
) -> None:
    monkeypatch.setattr(citus, "cluster", lambda connection: cluster)
    assert refusal("distribute") == expected


def test_it_refuses_a_number_of_parts_that_makes_no_sense() -> None:
    assert refusal("distribute", "--shards", "0") == "--shards must be from 1 to 1024, not 0."


@pytest.mark.postgres
def test_a_dry_run_names_what_is_not_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citus, "cluster", lambda connection: SOUND)
    monkeypatch.setattr(
        citus, "places", lambda connection, tables: {"stats_app_click": citus.DISTRIBUTED, "stats_app_alias": "local"}
    )
    monkeypatch.setattr(citus, "keeps_to_one_connection", lambda connection: False)
    lines = run("distribute", "--dry-run")
    assert lines == [
        "stats_app_rollup: spread by workspace",
        "stats_app_campaign: copied to every machine",
        "stats_app_workspaceuser: copied to every machine",
        "stats_app_alias: copied to every machine",
        "stats_app_campaignassignment: copied to every machine",
        "stats_app_trackedlink: copied to every machine",
        "stats_app_reason: copied to every machine",
        "stats_app_workspace: stays on the coordinator, and is known to Citus",
        "citus.multi_shard_modify_mode: sequential in this database, for later migrations",
        "Nothing was changed.",
    ]


def test_a_database_in_order_has_no_warning() -> None:
    assert warnings() == []


@pytest.mark.postgres
@pytest.mark.parametrize("recovery_ms", [60_000, -1])
def test_the_checks_find_tables_out_of_place_and_late_recovery(
    monkeypatch: pytest.MonkeyPatch, recovery_ms: int
) -> None:
    monkeypatch.setattr(citus, "cluster", lambda connection: SOUND._replace(recovery_ms=recovery_ms))
    monkeypatch.setattr(citus, "places", lambda connection, tables: {})
    assert warnings() == ["stats_app.W006", "stats_app.W007"]


@pytest.mark.citus
def test_every_table_lies_in_its_place_and_again_changes_nothing() -> None:
    assert distribution.misplaced("default") == {}
    expected = f"Clicks are spread over {distribution.machines('default')} machine(s)."
    assert run("distribute") == ["Every table is in its place.", expected]


def plan(statement: str, *params: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", params)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.citus
@pytest.mark.django_db(transaction=True)
def test_clicks_and_their_counts_lie_together() -> None:
    """And those of all workspaces over all parts."""
    workspaces = [make_workspace(name=f"Workspace {number}") for number in range(10)]
    for workspace in workspaces:
        record(workspace, ClickInput(OTHER), ClickInput(OTHER, verdict="bot", reason="by hand"))
        rebuild(workspace)
        assert list(check(workspace)) == []
        joined = (
            "SELECT 1 FROM stats_app_click AS c JOIN stats_app_rollup AS r ON r.workspace_id = c.workspace_id "
            "WHERE c.workspace_id = %s"
        )
        assert "Task Count: 1" in plan(joined, workspace.pk)
    assert f"Task Count: {SHARDS}" in plan("SELECT count(*) FROM stats_app_click")
    assert (Click.objects.count(), Rollup.objects.exists()) == (20, True)
