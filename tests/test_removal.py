"""The command that deletes a tenant completely."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from ulid import ULID

from stats_app import removal
from stats_app.ingest import ClickInput, record_clicks
from stats_app.links import LinkInput, create_links
from stats_app.models import Address, Click, RecentVisit, ToolCall, Workspace
from stats_app.rollups import check
from tests.counts import stored_counts
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record
from tests.rest import OVERVIEW, get
from tests.test_commands import refusal, run

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}


def tenant(name: str) -> Workspace:
    """A workspace with a row in each of the tables, as far as their makers are known here."""
    workspace = make_workspace(name=name)
    campaign, user = make_campaign(workspace), make_user(workspace, display_name=f"Ada of {name}")
    alias = make_alias(user)
    assign(campaign, user)
    [link] = create_links(workspace, [LinkInput("campaign", "", campaign, None, alias)]).links
    assert link is not None
    for number in range(12):
        verdict, reason = ("bot", "crawler") if number % 4 == 0 else ("human", "")
        click = ClickInput("campaign", ULID(), campaign, None, alias, link, NOON, verdict, reason)
        record(workspace, click)
    assert Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}).get(f"/c/{link.token}").status_code
    assert get(make_key(workspace), OVERVIEW, PERIOD).status_code == 200
    staff = get_user_model().objects.create(username=str(ULID()))
    for row in (workspace, user, alias):
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
        )
    return workspace


def everything(*, of: int) -> dict[str, Any]:
    """All stored values by table: those of a workspace, for tables that name one, and what leads to keys."""
    rows = {}
    for model in apps.get_app_config("stats_app").get_models():
        if model._meta.managed and any(field.name == "workspace" for field in model._meta.fields):
            rows[model.__name__] = sorted(map(str, model._default_manager.filter(workspace=of).values_list()))
    rows["CallWindow"] = sorted(
        map(str, apps.get_model("stats_app", "CallWindow").objects.filter(api_key__workspace=of).values_list())
    )
    return rows


def test_a_tenant_goes_whole_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 5)
    workspace, other = tenant("Acme"), tenant("Globex")
    before, counts = everything(of=other.pk), stored_counts(other)
    empty = {name for name, rows in before.items() if not rows}
    assert empty <= UNMADE
    pk, public_id = workspace.pk, workspace.public_id
    [line] = run("delete_workspace", public_id, "--yes")
    assert line.startswith(f"{public_id} Acme: deleted, with ")
    assert "click 13, " in line
    assert all(rows == [] for rows in everything(of=pk).values())
    assert list(Workspace.objects.all()) == [other]
    assert (everything(of=other.pk), stored_counts(other), list(check(other))) == (before, counts, [])
    assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {"Globex", "Ada of Globex"} | {
        row.email for row in other.aliases.all()
    }
    assert refusal("delete_workspace", public_id, "--yes").startswith("There is no workspace with the public id")


# Models whose rows are created elsewhere, and which the walk above also finds.
UNMADE = {
    "SharedReport",
    "Mailing",
    "MailingRecipient",
    "MailingDelivery",
    "ErasedIdentifier",
    "ErasureSalt",
    "ImportKey",
}


def test_a_dry_run_says_what_there_is_and_deletes_nothing() -> None:
    workspace = tenant("Acme")
    before = everything(of=workspace.pk)
    [line] = run("delete_workspace", workspace.public_id, "--dry-run")
    numbers = {name: len(rows) for name, rows in before.items() if rows}
    assert line.startswith(f"{workspace.public_id} Acme: {sum(numbers.values())} row(s) (")
    assert "click 13, " in line
    assert line.endswith(") would be deleted.")
    workspace.refresh_from_db()
    assert (everything(of=workspace.pk), workspace.is_active) == (before, True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["", "yes\n", "01hzzzzzzzzzzzzzzzzzzzzzzz\n"])
def test_on_a_terminal_it_asks_and_takes_only_the_public_id(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    workspace = tenant("Acme")
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert refusal("delete_workspace", workspace.public_id) == "Nothing was deleted: the public id was not typed."
    workspace.refresh_from_db()
    assert workspace.is_active
    monkeypatch.setattr("sys.stdin", Terminal(f"{workspace.public_id}\n"))
    assert run("delete_workspace", workspace.public_id)[-1].startswith(f"{workspace.public_id} Acme: deleted")


def test_without_standard_input_it_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = tenant("Acme")
    monkeypatch.setattr("sys.stdin", None)
    assert run("delete_workspace", workspace.public_id)[-1].startswith(f"{workspace.public_id} Acme: deleted")


def test_an_unknown_workspace_is_named() -> None:
    tenant("Acme")
    for public_id in ("x", "01hzzzzzzzzzzzzzzzzzzzzzzz", "\udcff"):
        for more in (["--yes"], ["--dry-run"], []):
            assert refusal("delete_workspace", public_id, *more).startswith("There is no workspace with the public id")
    assert Click.objects.count() == 13


@contextmanager
def broken_off(after: int) -> Iterator[list[int]]:
    """Ends with an error after so many statements that delete; says whether it came to that."""
    rounds: list[int] = []

    def run_some(execute: Any, sql: str, *args: Any) -> Any:
        if sql.lstrip().startswith("DELETE"):
            rounds.append(1)
            if len(rounds) > after:
                raise ZeroDivisionError
        return execute(sql, *args)

    with connection.execute_wrapper(run_some):
        yield rounds


@pytest.mark.django_db(transaction=True)
def test_broken_off_anywhere_it_is_out_of_use_and_can_be_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 4)
    other = tenant("Globex")
    before = everything(of=other.pk)
    after = 0
    while True:
        workspace = tenant("Acme")
        key = make_key(workspace)
        try:
            with broken_off(after):
                run("delete_workspace", workspace.public_id, "--yes")
            break
        except ZeroDivisionError:
            pass
        assert get(key, OVERVIEW, PERIOD).status_code == 401
        if Workspace.objects.filter(pk=workspace.pk).exists():
            [rejected] = record_clicks(workspace, [ClickInput("other")]).rejected
            assert rejected.code == "pruned"
            assert run("check_rollups", "--workspace", workspace.public_id) == [
                "The counts of 1 workspace(s) agree with the clicks."
            ]
            run("delete_workspace", workspace.public_id, "--yes")
        assert not Workspace.objects.filter(pk=workspace.pk).exists()
        after += 7
    assert after > 14
    assert everything(of=other.pk) == before


@contextmanager
def executed() -> Iterator[list[str]]:
    """The statements that run inside, as they are written, also those that would be prepared."""
    texts: list[str] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        texts.append(sql)
        return execute(sql, *args)

    with connection.execute_wrapper(note):
        yield texts


def test_every_statement_names_the_tenant() -> None:
    workspace = tenant("Acme")
    tenant("Globex")
    with executed() as texts:
        run("delete_workspace", workspace.public_id, "--yes")
    ours = [text for text in texts if "stats_app_" in text]
    # By its number, or by the public id that the command is given.
    named = (
        "workspace_id = %(workspace)s",
        '"workspace_id" = %s',
        '"stats_app_workspace"',
        "stats_app_workspace WHERE id",
        "stats_app_workspace SET name = name WHERE id",
    )
    assert [text for text in ours if not any(name in text for name in named)] == []


@pytest.mark.django_db(transaction=True)
def test_what_comes_in_while_it_goes_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = tenant("Acme")
    real = removal._delete_own_row
    added = []

    def beside_others(workspace_id: int, using: str) -> int:
        if not added:
            added.append(make_user(workspace))
        ToolCall.objects.create(
            workspace=workspace, tool="x", surface="rest", outcome="ok", duration_ms=1, called_at=NOON
        )
        return real(workspace_id, using)

    monkeypatch.setattr(removal, "_delete_own_row", beside_others)
    run("delete_workspace", workspace.public_id, "--yes")
    assert not Workspace.objects.exists()
    assert not ToolCall.objects.exists()
    assert not RecentVisit.objects.exists()


def added_during_the_run(monkeypatch: pytest.MonkeyPatch, workspace: Workspace, times: int) -> list[int]:
    """Adds a user with an alias each time all addresses of the workspace are deleted, before its users are."""
    added: list[int] = []
    real = removal.sql.delete_some

    def delete_some(connection: Any, rows: Any, *args: Any) -> int:
        addresses = Address.objects.filter(workspace=workspace)
        if rows.table == "stats_app_alias" and len(added) < times and not addresses.exists():
            added.append(make_alias(make_user(workspace)).pk)
        return real(connection, rows, *args)

    monkeypatch.setattr(removal.sql, "delete_some", delete_some)
    return added


@pytest.mark.django_db(transaction=True)
def test_people_who_are_added_between_two_tables_do_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    other = tenant("Globex")
    before = everything(of=other.pk)
    workspace = tenant("Acme")
    added = added_during_the_run(monkeypatch, workspace, 2)
    run("delete_workspace", workspace.public_id, "--yes")
    assert len(added) == 2
    assert not Workspace.objects.filter(pk=workspace.pk).exists()
    assert all(rows == [] for rows in everything(of=workspace.pk).values())
    assert everything(of=other.pk) == before


@pytest.mark.django_db(transaction=True)
def test_people_who_are_added_in_each_round_are_one_line_and_the_next_run_deletes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = tenant("Acme")
    with monkeypatch.context() as patched:
        added_during_the_run(patched, workspace, 100)
        assert refusal("delete_workspace", workspace.public_id, "--yes") == (
            "Rows were added during the run each time: run the command again."
        )
    run("delete_workspace", workspace.public_id, "--yes")
    assert not Workspace.objects.exists()
