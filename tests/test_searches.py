"""Searches by a part of a name or e-mail: what they find on every surface, and that PostgreSQL's indexes serve them.

The answers are the same with the index of parts and without, and whether few or many users are found on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from stats_app.models import Alias, Campaign, TrackedLink, Workspace, WorkspaceUser
from tests.admin_cast import address, make_call, superuser
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace
from tests.mcp.calls import answer
from tests.rest import USERS, get

pytestmark = pytest.mark.django_db

PARTS = ("stats_user_parts", "stats_alias_parts", "stats_campaign_parts")
migration = import_module("stats_app.migrations.0002_storage_on_postgresql")

# Parts of names and e-mails, in either case, short, not there, and with what LIKE takes for wildcards.
TERMS = {
    "lovelace": {"Ada Lovelace"},
    "LOVE": {"Ada Lovelace"},
    "a": {"Ada Lovelace", "Bob 100% Baker", "c_d@acme.example"},
    "acme.example": {"Ada Lovelace", "Bob 100% Baker", "c_d@acme.example"},
    "00%": {"Bob 100% Baker"},
    "c_d": {"c_d@acme.example"},
    "_": {"c_d@acme.example"},
    "baker 100%": {"Bob 100% Baker"},
    "nobody": set(),
}
# Parts of an alias, which users are known by, too.
ALIASES = {"countess": {"Ada Lovelace"}, "COUNTESS lovelace": {"Ada Lovelace"}, "countess baker": set()}


@pytest.fixture(params=["index", "no index", "many"])
def _every_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the indexes wherever they can be used; without those of parts; and as if more were found than are named."""
    if request.param == "many":
        monkeypatch.setattr("stats_app.models.people.FEW", 0)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            if request.param == "index":
                cursor.execute("SET LOCAL enable_seqscan = off")
            if request.param == "no index":
                cursor.execute(f"DROP INDEX {', '.join(PARTS)}")


def make_cast() -> Workspace:
    """Three users who carry a campaign and a link each, and the same again in another workspace."""
    for name in ("Globex", "Acme"):
        workspace = make_workspace(name=name)
        ada = make_user(workspace, display_name="Ada Lovelace", email="ada@acme.example")
        users = [
            ada,
            make_user(workspace, display_name="Bob 100% Baker", email="bob@acme.example"),
            make_user(workspace, display_name="", email="c_d@acme.example"),
        ]
        for number, user in enumerate(users):
            campaign = make_campaign(workspace, name=f"Spring {number}")
            assign(campaign, user)
            link = {"kind": "campaign", "campaign": campaign, "user": user, "fingerprint": str(number)}
            TrackedLink.objects.create(token=f"Token{name}{number}", workspace=workspace, **link)
        make_alias(ada, email="Countess@other.example")
    return workspace


def found(staff: Client, model: str, term: str, workspace: Workspace) -> set[str]:
    """The users of the rows that the admin's list shows for the search."""
    response = staff.get(address(model), {"q": term, "workspace": workspace.pk})
    return {str(row if isinstance(row, WorkspaceUser) else row.user) for row in response.context["cl"].result_list}


@pytest.mark.usefixtures("_every_way")
def test_the_admin_finds_users_and_what_is_theirs() -> None:
    workspace, staff = make_cast(), superuser()
    for term, names in TERMS.items():
        assert found(staff, "workspaceuser", term, workspace) == names, term
        assert found(staff, "trackedlink", term, workspace) == names, term
        assert found(staff, "campaignassignment", term, workspace) == names, term
        assert found(staff, "alias", term, workspace) == names & {"Ada Lovelace"}, term
    assert found(staff, "alias", "countess ada", workspace) == {"Ada Lovelace"}
    assert found(staff, "trackedlink", "TokenAcme1", workspace) == {"Bob 100% Baker"}
    assert found(staff, "trackedlink", "spring 2 c_d", workspace) == {"c_d@acme.example"}
    assert found(staff, "campaignassignment", "SPRING 2", workspace) == {"c_d@acme.example"}


@pytest.mark.usefixtures("_every_way")
def test_rest_and_mcp_find_users_by_aliases_too(settings: Any) -> None:
    settings.STATS_APP = {"LIST_RATE_LIMIT": None}
    workspace = make_cast()
    key = make_key(workspace)
    for term, names in (TERMS | ALIASES).items():
        users = answer(key, "user_find", {"query": term})["users"]
        assert {user["displayName"] or user["email"] for user in users} == names, term
        if " " in term:
            continue  # REST takes it as a whole
        listed = get(key, USERS, {"search": term}).json()
        assert {user["displayName"] or user["email"] for user in listed["results"]} == names, term
        assert listed["count"] == len(names), term


def test_a_campaign_is_found_by_its_public_id_in_either_case() -> None:
    workspace = make_workspace()
    campaign, _other = make_campaign(workspace), make_campaign(workspace)
    for term in (campaign.public_id, f" {campaign.public_id.upper()} "):
        response = superuser().get(address("campaign"), {"q": term})
        assert list(response.context["cl"].result_list) == [campaign]


def test_calls_are_found_by_client() -> None:
    workspace = make_workspace()
    for client in ("", "curl/8.1", "cURL/9", "python-requests/2 été", "100%", "python-requests/2 été"):
        make_call(workspace, client=client)
    expected = {"CURL": 2, "requests": 2, "té": 2, "0%": 1, "wget": 0, "": 6, "_": 0}
    staff = superuser()
    for term, number in expected.items():
        assert len(staff.get(address("toolcall"), {"q": term}).context["cl"].result_list) == number, term


# --- what the indexes serve


def plan(rows: QuerySet[Any]) -> str:
    """How PostgreSQL finds the rows when it will not read all."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


@pytest.mark.postgres
def test_parts_are_looked_up_in_their_indexes() -> None:
    workspace = make_cast()
    WorkspaceUser.objects.bulk_create(
        WorkspaceUser(workspace=workspace, display_name=f"User {number}", email=f"user{number}@acme.example")
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stats_app_workspaceuser")
    assert "stats_alias_parts" in plan(Alias.objects.filter(email__icontains="countess").order_by())
    assert "stats_campaign_parts" in plan(Campaign.objects.filter(name__icontains="spring").order_by())
    assert plan(WorkspaceUser.objects.named("lovelace").order_by()).count("on stats_user_parts") == 2
    # No subquery for each row, which would rule the index out.
    assert "SubPlan" not in plan(WorkspaceUser.objects.known_as("countess", workspace.pk).order_by())


@pytest.mark.postgres
@pytest.mark.parametrize("column", ["display_name", "email"])
def test_users_are_listed_in_order_by_an_index(column: str) -> None:
    for order in ([column, "pk"], [f"-{column}", "-pk"]):
        ordered = plan(WorkspaceUser.objects.order_by(*order))
        assert "Sort" not in ordered, ordered


# --- a database without pg_trgm


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)", [list(PARTS)])
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def _migrated_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    call_command("migrate", "stats_app", "0001", verbosity=0)
    call_command("migrate", "stats_app", verbosity=0)
    assert indexes() == set(PARTS)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_migrated_again")
def test_a_database_without_the_extension_migrates_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    call_command("migrate", "stats_app", "0001", verbosity=0)
    assert indexes() == set()
    # What a server answers where the extension is not installed.
    monkeypatch.setattr(migration, "PARTS", ("CREATE EXTENSION no_such_extension", *migration.PARTS[1:]))
    with caplog.at_level(logging.WARNING, "stats_app"):
        call_command("migrate", "stats_app", verbosity=0)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "Searches will read all rows, for want of an index of parts (docs/operations.md)"
    ]
    assert indexes() == set()
    workspace = make_cast()
    assert set(WorkspaceUser.objects.known_as("countess", workspace.pk)) == {
        WorkspaceUser.objects.get(workspace=workspace, display_name="Ada Lovelace")
    }


def test_the_documented_statements_are_those_of_the_migration() -> None:
    text = " ".join((Path(__file__).parent.parent / "docs" / "operations.md").read_text().split())
    for statement in migration.PARTS:
        assert statement.replace("INDEX IF", "INDEX CONCURRENTLY IF") + ";" in text
