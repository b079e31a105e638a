"""Searches by a part of a name or e-mail: what they find on every surface, and that PostgreSQL's indexes serve them.

The answers are the same with the index of parts and without, and whether few or many users are found on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from stats_app.keys import create_key
from stats_app.models import Alias, Campaign, TrackedLink, Workspace, WorkspaceUser
from stats_app.queries import find_users
from stats_app.sql.words import Alphabetical, holds
from stats_app.words import NAME_LENGTH, is_visible
from tests.admin_cast import MODELS, address, make_call, superuser
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace
from tests.mcp.calls import answer, call
from tests.rest import CAMPAIGNS, USERS, get

pytestmark = pytest.mark.django_db

NO_LIMITS = override_settings(STATS_APP={"LIST_RATE_LIMIT": None, "RATE_LIMIT": None})
PARTS = ("stats_user_parts", "stats_alias_parts", "stats_campaign_parts")
first_migration = import_module("stats_app.migrations.0002_storage_on_postgresql")
migration = import_module("stats_app.migrations.0010_search_indexes")

# Parts of names and e-mails, in either case, short, not there, and with what LIKE takes for wildcards.
TERMS = {
    "lovelace": {"Ada Lovelace"},
    "LOVE": {"Ada Lovelace"},
    "d": {"Ada Lovelace", "c_d@acme.example"},
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


@pytest.fixture(params=["index", "no index", "many", "most"])
def _every_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the indexes wherever they can be used; without those of parts; as if more were found than are named; and as
    if more were found, but few were not."""
    if request.param in ("many", "most"):
        monkeypatch.setattr("stats_app.models.people.KEYS_AT_ONCE", {"many": 0, "most": 2}[request.param])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            if request.param == "index":
                cursor.execute("SET LOCAL enable_seqscan = off")
            if request.param == "no index":
                for name in PARTS:
                    cursor.execute(f"DROP INDEX {name}")


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
        link = {"kind": "vcard", "target_url": "https://www.example.com/", "fingerprint": "nobody's"}
        TrackedLink.objects.create(token=f"Nobody{name}", workspace=workspace, **link)
    return workspace


def listed_names(staff: Client, model: str, term: str, workspace: Workspace) -> set[str]:
    """The users of the rows that the admin's list shows for the search."""
    response = staff.get(address(model), {"q": term, "workspace": workspace.pk})
    return {str(row if isinstance(row, WorkspaceUser) else row.user) for row in response.context["cl"].result_list}


@pytest.mark.usefixtures("_every_way")
def test_the_admin_finds_users_and_what_is_theirs() -> None:
    workspace, staff = make_cast(), superuser()
    for term, names in TERMS.items():
        assert listed_names(staff, "workspaceuser", term, workspace) == names, term
        assert listed_names(staff, "trackedlink", term, workspace) == names, term
        assert listed_names(staff, "campaignassignment", term, workspace) == names, term
        assert listed_names(staff, "alias", term, workspace) == names & {"Ada Lovelace"}, term
    assert listed_names(staff, "alias", "countess ada", workspace) == {"Ada Lovelace"}
    assert listed_names(staff, "trackedlink", "TokenAcme1", workspace) == {"Bob 100% Baker"}
    assert listed_names(staff, "trackedlink", "spring 2 c_d", workspace) == {"c_d@acme.example"}
    assert listed_names(staff, "campaignassignment", "SPRING 2", workspace) == {"c_d@acme.example"}


@pytest.mark.usefixtures("_every_way")
@NO_LIMITS
def test_rest_and_mcp_find_users_by_aliases_too() -> None:
    workspace = make_cast()
    key = make_key(workspace)
    for term, names in (TERMS | ALIASES).items():
        users = answer(key, "user_find", {"query": term})["users"]
        assert {user["displayName"] or user["email"] for user in users} == names, term
        listed = get(key, USERS, {"search": term}).json()
        assert {user["displayName"] or user["email"] for user in listed["results"]} == names, term
        assert listed["count"] == len(names), term


def test_a_campaign_is_found_by_its_public_id_in_either_case() -> None:
    workspace = make_workspace()
    campaign, _other = make_campaign(workspace), make_campaign(workspace)
    for term in (campaign.public_id, f" {campaign.public_id.upper()} "):
        response = superuser().get(address("campaign"), {"q": term})
        assert list(response.context["cl"].result_list) == [campaign]


@pytest.mark.usefixtures("_every_way")
def test_calls_are_found_by_client_and_by_key() -> None:
    workspace = make_workspace()
    first, second = create_key(workspace, "Zebra curl")[0], create_key(workspace, "Zebra crossing")[0]
    for client in ("", "curl/8.1", "cURL/9", "python-requests/2 été", "100%", "python-requests/2 été"):
        make_call(workspace, client=client)
    for key in (first, second, second):
        make_call(workspace, key, client="curl/9")
    expected = {"CURL": 5, "requests": 2, "té": 2, "0%": 1, "wget": 0, "": 9, "_": 0, "zebra": 3, "zebra curl": 3}
    expected |= {"crossing": 2, second.public_part: 2}
    staff = superuser()
    for term, number in expected.items():
        assert len(staff.get(address("toolcall"), {"q": term}).context["cl"].result_list) == number, term


# --- what the indexes serve


def plan(rows: QuerySet[Any]) -> str:
    """How PostgreSQL finds the rows when it will not read all."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


def parts_found_by_index(rows: QuerySet[Any]) -> int:
    """How many conditions that a text contains a word are conditions of an index."""
    return sum("Index Cond" in line and "~~" in line for line in plan(rows).splitlines())


@pytest.mark.postgres
@pytest.mark.plain("it is about the plans of one server")
def test_parts_are_looked_up_in_their_indexes() -> None:
    workspace = make_cast()
    WorkspaceUser.objects.bulk_create(
        WorkspaceUser(workspace=workspace, display_name=f"User {number}", email=f"user{number}@acme.example")
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stats_app_workspaceuser")
    assert parts_found_by_index(Alias.objects.filter(holds("email", "countess")).order_by()) == 1
    assert parts_found_by_index(Campaign.objects.named(["spring"]).order_by()) == 1
    for word in ("lovelace", "Élodie"):
        assert parts_found_by_index(WorkspaceUser.objects.named(word).order_by()) == 2
    # No subquery for each row, which would rule the index out.
    assert "SubPlan" not in plan(WorkspaceUser.objects.known_as(["countess"], workspace.pk).order_by())


@pytest.mark.postgres
@pytest.mark.plain("it is about the plans of one server")
def test_users_are_listed_in_order_by_an_index() -> None:
    name = Alphabetical("display_name")
    for order in ([name, "pk"], [name.desc(), "-pk"], ["email", "pk"], ["-email", "-pk"]):
        ordered = plan(WorkspaceUser.objects.order_by(*order))
        assert "Sort" not in ordered, ordered


@pytest.mark.postgres
@pytest.mark.plain("it is about the plans of one server")
def test_the_first_users_are_found_by_an_index() -> None:
    workspace = make_cast()
    with CaptureQueriesContext(connection) as captured:
        find_users(workspace, [], 10)
    assert len(captured) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")  # then only an order without an index is sorted
        for query in captured:
            cursor.execute(f"EXPLAIN {query['sql']}")
            lines = [line for (line,) in cursor.fetchall()]
            assert "Sort" not in "".join(lines), lines


# --- names of every kind


class Everywhere:
    """One workspace, whose only campaign and user have its name, as each surface finds them."""

    def __init__(self) -> None:
        self.workspace = make_workspace()
        self.campaign, self.user = make_campaign(self.workspace), make_user(self.workspace)
        self.key, self.staff = make_key(self.workspace), superuser()

    def rename(self, name: str) -> None:
        Workspace.objects.update(name=name)
        Campaign.objects.update(name=name)
        WorkspaceUser.objects.update(display_name=name)

    def found_by(self, text: str) -> set[str]:
        """The surfaces that find what is there."""
        finds = {
            "REST campaigns": get(self.key, CAMPAIGNS, {"search": text}).json()["results"],
            "REST users": get(self.key, USERS, {"search": text}).json()["results"],
            "MCP campaigns": answer(self.key, "campaign_find", {"query": text})["campaigns"],
            "MCP users": answer(self.key, "user_find", {"query": text})["users"],
            "pages": self.staff.get(reverse("stats_dashboard:workspaces"), {"q": text}).context["lines"],
        }
        for model in ("workspace", "campaign", "workspaceuser"):
            finds[f"admin {model}"] = self.staff.get(address(model), {"q": text}).context["cl"].result_list
        where = {"app_label": "stats_app", "model_name": "alias", "field_name": "user", "term": text}
        finds["autocomplete"] = self.staff.get(reverse("admin:autocomplete"), where).json()["results"]
        return {surface for surface, rows in finds.items() if len(rows) == 1}


SURFACES = {
    *("REST campaigns", "REST users", "MCP campaigns", "MCP users", "pages", "autocomplete"),
    *("admin workspace", "admin campaign", "admin workspaceuser"),
}


@NO_LIMITS
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Élodie Durand", "élodie"),
        ("Élodie Durand", "DURAND ÉLO"),
        ("Élodie", "E\u0301LODIE"),
        ("E\u0301lodie", "élodie"),
        ("Große Straße", "STRASSE große"),
        ("ΑΘΗΝΑΣ", "αθηνας"),
        ("Ольга", "ОЛЬГА"),
        ("İstanbul", "istanbul"),
        ("Isparta", "ısparta"),
        ("Air\u00a0France", "air france"),
        ("Air France", "FRANCE\u3000Air"),
        ("Ｔｏｋｙｏ", "tokyo"),
        ("ﬁnance", "finance"),
        ("A%_B\\", "%_b\\"),
        ('O\'Neill "Bob"', '"bob" o\'neill'),
    ],
)
def test_every_surface_finds_words_whatever_their_case_order_and_form(name: str, text: str) -> None:
    everywhere = Everywhere()
    everywhere.rename(name)
    assert everywhere.found_by(text) == SURFACES


# None of the texts can be a part of a random public id, which has no i, l, o and u.
@NO_LIMITS
@pytest.mark.parametrize(
    ("name", "text"),
    [("Élodie", "elodie"), ("Air France", "airfrance"), ("Air France", "air germany"), ("100", "10%"), ("a_b", "aub")],
)
def test_no_surface_finds_more(name: str, text: str) -> None:
    everywhere = Everywhere()
    everywhere.rename(name)
    assert everywhere.found_by(text) == set()


letters = st.characters(exclude_categories=["Cc", "Cs"])
odd = st.sampled_from("ßẞſKσςİıŉǰᾼﬁ㎏½\u00a8\u0301\u0345\u200b\u200c\u200d\u00ad😀👩🏽%_\\\"'אع日ก")
spaces = st.sampled_from([" ", "\u00a0", "\u202f", "\u3000", "\u2028", "  "])
words = st.lists(
    st.text(letters | odd, min_size=1, max_size=12).filter(lambda word: not word.isspace()), min_size=1, max_size=40
)


@NO_LIMITS
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(words, st.lists(spaces, min_size=1))
@example(list("abcdefghijklmnopqrstuvwxyz"), [" "])
@example(["a"] * 100, [" "])
def test_a_name_finds_itself_on_every_surface(words: list[str], spaces: list[str]) -> None:
    name = "".join(word + space for word, space in zip(words, cycle(spaces), strict=False)).strip()[:NAME_LENGTH]
    assume(is_visible(name))
    with undone():
        everywhere = Everywhere()
        everywhere.rename(name)
        assert everywhere.found_by(name) == SURFACES, name


@contextmanager
def undone() -> Iterator[None]:
    """Each example begins with the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@NO_LIMITS
@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("a " * 1900, "must have at most 254 characters", "Search for at most 254 characters."),
        ("x" * 255, "must have at most 254 characters", "Search for at most 254 characters."),
        ("a\0b", "must be text without control characters", "Search for text without control characters."),
        ("a\tb", "must be text without control characters", "Search for text without control characters."),
    ],
)
def test_every_surface_says_the_same_of_what_cannot_be_searched_for(text: str, rule: str, message: str) -> None:
    everywhere = Everywhere()
    for url in (CAMPAIGNS, USERS):
        response = get(everywhere.key, url, {"search": text})
        assert response.status_code == 400
        assert response.json()["detail"].startswith(f"search {rule}, not ")
    for tool in ("campaign_find", "user_find"):
        result = call(everywhere.key, tool, {"query": text})
        assert result["isError"] is True
        assert result["content"][0]["text"].startswith(f"query {rule}, not ")
    page = everywhere.staff.get(reverse("stats_dashboard:workspaces"), {"q": text})
    assert (message in page.content.decode(), page.context["lines"]) == (True, [])
    file = everywhere.staff.get(reverse("stats_dashboard:workspaces"), {"q": text, "format": "csv"})
    assert (file.status_code, file.content.decode()) == (400, message)
    for model in MODELS:
        listed = everywhere.staff.get(address(model), {"q": text})
        shown = [str(one) for one in listed.context["messages"]]
        assert (shown, len(listed.context["cl"].result_list)) == ([message], 0), model
    where = {"app_label": "stats_app", "model_name": "alias", "field_name": "user", "term": text}
    assert everywhere.staff.get(reverse("admin:autocomplete"), where).json()["results"] == []


def test_a_lone_surrogate_never_reaches_the_database() -> None:
    key = make_key(make_workspace())
    for tool in ("campaign_find", "user_find"):
        assert "must be text without control characters" in call(key, tool, {"query": "\ud800"})["content"][0]["text"]


# --- the order of names


def test_names_stand_in_the_order_of_the_alphabet_on_every_surface() -> None:
    names = ["ada", "Eberhard", "Élodie", "Emma", "Zoé"]
    workspace = make_workspace(name="A")
    for name in reversed(names):
        make_workspace(name=name)
        make_campaign(workspace, name=name)
        make_user(workspace, display_name=name)
    key, staff = make_key(workspace), superuser()
    for url, column in ((CAMPAIGNS, "name"), (USERS, "displayName")):
        for ordering, expected in (("name", names), ("-name", names[::-1])):
            listed = get(key, url, {"ordering": ordering}).json()["results"]
            assert [row[column] for row in listed] == expected
    assert [user["displayName"] for user in answer(key, "user_find")["users"]] == names
    lines = staff.get(reverse("stats_dashboard:workspaces")).context["lines"]
    assert [line.workspace.name for line in lines] == ["A", *names]
    for model, column in (("workspace", "name"), ("campaign", "name"), ("workspaceuser", "display_name")):
        number = staff.get(address(model)).context["cl"].list_display.index("name")
        for order, expected in ((str(number), names), (f"-{number}", names[::-1])):
            rows = staff.get(address(model), {"o": order}).context["cl"].result_list
            assert [getattr(row, column) for row in rows if getattr(row, column) != "A"] == expected
    assert [row.name for row in staff.get(address("workspace")).context["cl"].result_list] == ["A", *names]
    assert [user.display_name for user in WorkspaceUser.objects.all()] == names


# --- a database without pg_trgm


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)", [list(PARTS)])
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def _migrated_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    call_command("migrate", "stats_app", "0009", verbosity=0)
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
    missing = "CREATE EXTENSION no_such_extension"
    monkeypatch.setattr(migration, "EXTENSION", missing)
    monkeypatch.setattr(first_migration, "PARTS", (missing, *first_migration.PARTS[1:]))
    with caplog.at_level(logging.WARNING, "stats_app"):
        call_command("migrate", "stats_app", verbosity=0)
    # Once for the indexes that there were, and once for those in their place.
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "Searches will read all rows, for want of an index of parts (docs/operations.md)"
    ] * 2
    assert indexes() == set()
    workspace = make_cast()
    assert set(WorkspaceUser.objects.known_as(["countess"], workspace.pk)) == {
        WorkspaceUser.objects.get(workspace=workspace, display_name="Ada Lovelace")
    }


@pytest.mark.postgres
@pytest.mark.plain("it is about the plans of one server")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_migrated_again")
def test_the_extension_may_lie_in_any_schema() -> None:
    call_command("migrate", "stats_app", "0009", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute('CREATE SCHEMA "Extensions 1"')
        cursor.execute('ALTER EXTENSION pg_trgm SET SCHEMA "Extensions 1"')
    try:
        call_command("migrate", "stats_app", verbosity=0)
        assert indexes() == set(PARTS)
        with transaction.atomic():
            assert "stats_campaign_parts" in plan(Campaign.objects.named(["spring"]).order_by())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER EXTENSION pg_trgm SET SCHEMA public")
            cursor.execute('DROP SCHEMA "Extensions 1"')


def test_the_docs_name_the_migration_of_the_indexes() -> None:
    text = (Path(__file__).parent.parent / "docs" / "operations.md").read_text()
    assert f"sqlmigrate stats_app {migration.__name__.rpartition('.')[2]}" in text
