"""Pruning and checking while other processes write, and when killed at any time."""

from __future__ import annotations

import os
import signal
from datetime import date

import pytest
from django.db import connection, transaction

from stats_app import removal
from stats_app.models import Click, Rollup, Workspace
from stats_app.sql.workspaces import lock
from tests.concurrency.click_writer import is_human, time_of
from tests.concurrency.test_writers import ZONES, Writers, assert_exact, plain_days

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def kill_after(writers: Writers, text: str, time_round: int, name: str, *arguments: str) -> None:
    """Kills a command after so many statements that hold the text."""
    job = writers.start("command", name=name, arguments=arguments, pause_after=text, time_round=time_round)
    pid = writers.hear(job, "started")["pid"]
    writers.hear(job, "paused")
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("checkers", [2])
def test_changes_of_zone_are_no_differences(postgres: Writers, checkers: int) -> None:
    workspace = postgres.run("prepare", zone="UTC")
    postgres.run("send", workspace=workspace, first=0, last=3_000, size=500, seed=0)
    jobs = [postgres.start("check_often", workspace=workspace, times=12) for _ in range(checkers)]
    postgres.run("change_zones", workspace=workspace, names=ZONES * 2)
    assert [postgres.answer(job) for job in jobs] == [[]] * checkers
    assert_exact(postgres, workspace, 3_000, ZONES[-1])


LAST = 2_400  # clicks, which are those of two months
ZONE = "America/St_Johns"
DELETE = "DELETE FROM stats_app_click"
GIVE_UP = '"clicks_kept_from" = '


@pytest.mark.parametrize(
    ("text", "time_round"), [(GIVE_UP, 1), (DELETE, 1), (DELETE, 4), (GIVE_UP, 2), (DELETE, 26), (GIVE_UP, 3)]
)
def test_a_prune_that_is_killed_is_ended_by_the_next(postgres: Writers, text: str, time_round: int) -> None:
    pk = postgres.run("prepare", zone=ZONE)
    workspace = Workspace.objects.get(pk=pk)
    postgres.run("send", workspace=pk, first=0, last=LAST, size=500, seed=0)
    before = date(2026, 3, 17)
    arguments = ("--before", str(before), "--workspace", workspace.public_id)
    kill_after(postgres, text, time_round, "prune_clicks", *arguments)
    verified = postgres.run("verify", workspace=pk)
    assert (verified["differences"], verified["days"]) == ([], plain_days(LAST, ZONE))
    postgres.run("command", name="prune_clicks", arguments=arguments)
    kept = {n for n in range(LAST) if time_of(n).astimezone(workspace.zone).date() >= before}
    assert Click.objects.filter(workspace=pk).count() == len(kept)
    assert Click.objects.filter(workspace=pk, verdict="human").count() == sum(map(is_human, kept))
    workspace.refresh_from_db()
    assert workspace.clicks_kept_from == before
    verified = postgres.run("verify", workspace=pk)
    assert (verified["differences"], verified["days"]) == ([], plain_days(LAST, ZONE))


def test_clicks_come_in_while_others_are_pruned(postgres: Writers) -> None:
    pk = postgres.run("prepare", zone=ZONE)
    workspace = Workspace.objects.get(pk=pk)
    before = date(2026, 3, 17)
    [first_kept] = [n for n in range(LAST) if time_of(n).astimezone(workspace.zone).date() >= before][:1]
    postgres.run("send", workspace=pk, first=0, last=first_kept, size=500, seed=0)
    senders = [
        postgres.start("send", workspace=pk, first=first_kept, last=LAST, size=10, seed=seed) for seed in range(3)
    ]
    others = [
        postgres.start("command", name="prune_clicks", arguments=["--before", str(before)]),
        postgres.start("rebuild_often", workspace=pk, times=4),
        postgres.start("check_often", workspace=pk, times=4),
    ]
    sent = [postgres.answer(job) for job in senders]
    answers = [postgres.answer(job) for job in others]
    assert answers[2] == []
    assert [sum(numbers) for numbers in zip(*sent, strict=True)][0::2] == [LAST - first_kept, 0]
    assert Click.objects.filter(workspace=pk).count() == LAST - first_kept
    verified = postgres.run("verify", workspace=pk)
    assert (verified["differences"], verified["days"]) == ([], plain_days(LAST, ZONE))


@pytest.mark.parametrize(
    ("text", "time_round"),
    [
        ('"clicks_kept_from" = ', 1),
        ("DELETE FROM stats_app_click", 5),
        ("DELETE FROM stats_app_rollup", 2),
        ("DELETE FROM stats_app_campaign", 1),
        ('DELETE FROM "stats_app_workspace"', 1),
    ],
)
def test_a_deletion_that_is_killed_is_ended_by_the_next(postgres: Writers, text: str, time_round: int) -> None:
    pk, other = postgres.run("prepare", zone="UTC"), postgres.run("prepare", zone=ZONE)
    workspace = Workspace.objects.get(pk=pk)
    for one in (pk, other):
        postgres.run("send", workspace=one, first=0, last=600, size=200, seed=0)
    arguments = (workspace.public_id, "--yes")
    kill_after(postgres, text, time_round, "delete_workspace", *arguments)
    postgres.run("command", name="delete_workspace", arguments=arguments)
    assert list(Workspace.objects.values_list("pk", flat=True)) == [other]
    assert not Click.objects.filter(workspace=pk).exists()
    assert not Rollup.objects.filter(workspace=pk).exists()
    assert_exact(postgres, other, 600, ZONE)


@pytest.mark.plain("there a change of a table that every machine has a copy of locks the whole table")
def test_a_deletion_waits_for_no_lock_of_another_tenant(postgres: Writers) -> None:
    """All rows and the advisory lock of the other workspace are locked in the meantime."""
    pk, other = postgres.run("prepare", zone="UTC"), postgres.run("prepare", zone=ZONE)
    for one in (pk, other):
        postgres.run("send", workspace=one, first=0, last=300, size=100, seed=0)
    workspace = Workspace.objects.get(pk=pk)
    with transaction.atomic(), connection.cursor() as cursor:
        lock(connection, other, alone=True)
        for model in removal.rows_of_tenants():
            if any(field.name == "workspace" for field in model._meta.fields):
                cursor.execute(
                    f"SELECT 1 FROM {model._meta.db_table} WHERE workspace_id = %s FOR UPDATE",  # noqa: S608  # our own tables
                    [other],
                )
        # Ends although they are locked; otherwise it would wait for ever.
        postgres.run("command", name="delete_workspace", arguments=[workspace.public_id, "--yes"])
    assert list(Workspace.objects.values_list("pk", flat=True)) == [other]
    assert_exact(postgres, other, 300, ZONE)
