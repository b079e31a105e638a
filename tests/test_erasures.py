"""Erasing and exporting a person, and opting out, on every way that leads to the person's figures or the name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.test import Client, override_settings
from ulid import ULID

from stats_app import erasures, exports, public_ids, visits
from stats_app.directory import assign_users, save_campaigns, save_users, users_named
from stats_app.erasures import erase_user, erased_identifiers
from stats_app.ingest import ClickInput, record_clicks
from stats_app.links import LinkInput, create_links
from stats_app.models import (
    Address,
    Alias,
    Campaign,
    CampaignAssignment,
    Click,
    ErasedIdentifier,
    Mailing,
    MailingAddress,
    MailingDelivery,
    RecentVisit,
    ToolCall,
    TrackedLink,
    Workspace,
    WorkspaceUser,
)
from stats_app.rollups import check
from tests.admin_cast import superuser
from tests.counts import stored_counts
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import OVERVIEW, get, post
from tests.test_commands import refusal, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
SITE = "https://www.example.com/"
CARD = "https://www.example.com/cards/ada-lovelace.vcf"
FIREFOX = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept-language": "fr",
}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def campaign(workspace: Workspace) -> Campaign:
    return make_campaign(workspace)


def called(workspace: Workspace, **arguments: Any) -> ToolCall:
    return ToolCall.objects.create(
        workspace=workspace,
        tool="user_find",
        surface="mcp",
        outcome="ok",
        duration_ms=1,
        arguments=arguments,
        called_at=NOON,
    )


def mailed(workspace: Workspace, *emails: str) -> None:
    mailing, day = Mailing.objects.create(workspace=workspace), NOON.date()
    for email in emails:
        address = MailingAddress.objects.create(mailing=mailing, email=email, sends_from=day)
        MailingDelivery.objects.create(address=address, first_day=day, last_day=day, sent_at=NOON)


@pytest.fixture
def ada(workspace: Workspace, campaign: Campaign) -> WorkspaceUser:
    """Somebody with all that a person may have, and a colleague beside."""
    ada = make_user(workspace, email="Ada@Example.com", display_name="Ada Lovelace", external_id="S-1-5-21")
    bob = make_user(workspace, email="bob@example.com", display_name="Bob")
    alias = make_alias(ada, email="lovelace@example.com")
    assign(campaign, ada, bob)
    links = create_links(
        workspace,
        [
            LinkInput("campaign", "", campaign, ada, alias),
            LinkInput("vcard", CARD, None, ada),
            LinkInput("other", SITE, None, ada),
            LinkInput("other", SITE, None, bob),
        ],
    ).links
    for person, link in zip((ada, ada, ada, bob), links, strict=True):
        assert link is not None
        kind, of = link.kind, campaign if link.kind == "campaign" else None
        record(workspace, ClickInput(kind, ULID(), of, person, link.alias, link, NOON))
    mailed(workspace, "lovelace@example.com", "bob@example.com")
    called(workspace, query="lovelace ada")
    called(workspace, query="see LOVELACE@example.com")
    called(workspace, query="Ada")
    called(workspace, userPublicId=ada.public_id)
    staff = get_user_model().objects.create(username="staff")
    for row in (ada, alias, bob):
        content_type = ContentType.objects.get_for_model(row)
        LogEntry.objects.create(
            user=staff, content_type=content_type, object_id=row.pk, object_repr=str(row), action_flag=CHANGE
        )
    return ada


def everything_stored() -> str:
    """All values of all tables of ours, and of the admin's log, as one text."""
    models = [model for model in apps.get_app_config("stats_app").get_models() if model._meta.managed]
    return "\n".join(str(row) for model in (*models, LogEntry) for row in model._default_manager.values_list())


# --- erase_user


def test_nothing_says_who_it_was_and_every_count_stays(workspace: Workspace, ada: WorkspaceUser) -> None:
    before, key = stored_counts(workspace), make_key(workspace)
    path = f"/api/v1/users/{ada.public_id}/metrics/"
    overview, metrics = get(key, OVERVIEW, PERIOD).json(), get(key, path, PERIOD).json()["metrics"]
    assert run("erase_user", ada.public_id) == [
        f"{ada.public_id} was erased; the counts stay. Erased with it: aliases 1, assignments 1, "
        "links without person 2, links deleted 1, mailing addresses 1, tool calls 2."
    ]
    text = everything_stored().lower()
    assert [name for name in ("lovelace", "ada@", "s-1-5-21", "ada-lovelace") if name in text] == []
    assert "bob@example.com" in text
    ada.refresh_from_db()
    assert (ada.email, ada.display_name, ada.external_id) == (f"{ada.public_id}@erased.invalid", "", None)
    assert (ada.is_active, ada.is_opted_out, ada.erased_at) == (False, True, NOW)
    assert (stored_counts(workspace), [*check(workspace)]) == (before, [])
    assert get(key, OVERVIEW, PERIOD).json() == overview
    after = get(key, path, PERIOD).json()
    assert after["metrics"] == metrics | {"campaignAssignments": 0, "aliases": 0}
    assert after["user"] == {"publicId": ada.public_id, "displayName": ""}


def test_links_that_are_not_about_the_person_lead_on_without_the_person(
    workspace: Workspace, campaign: Campaign, ada: WorkspaceUser
) -> None:
    tokens = dict(TrackedLink.objects.filter(user=ada).values_list("target_url", "token"))
    run("erase_user", ada.public_id)
    client = Client(headers=FIREFOX)
    statuses = {target: client.get(f"/c/{token}").status_code for target, token in tokens.items()}
    assert statuses == {"": 302, SITE: 302, CARD: 404}
    clicks = Click.objects.filter(clicked_at=NOW)
    assert {(click.campaign, click.user, click.alias) for click in clicks} == {
        (campaign, None, None),
        (None, None, None),
    }
    assert [*check(workspace)] == []


def test_the_clicks_of_the_person_stay_with_nobody_s_row(ada: WorkspaceUser) -> None:
    run("erase_user", ada.public_id)
    clicks = Click.objects.filter(user=ada)
    assert (clicks.count(), clicks.filter(alias__isnull=False).count()) == (3, 0)


def deleted_by_staff(*rows: Model) -> None:
    client = superuser()
    for row in rows:
        url = f"/admin/stats_app/{row._meta.model_name}/{row.pk}/delete/"
        assert client.post(url, {"post": "yes"}).status_code == 302


def test_the_admin_s_log_forgets_rows_that_were_deleted_before(
    workspace: Workspace, campaign: Campaign, ada: WorkspaceUser
) -> None:
    earlier = make_user(workspace, email="countess@example.com", display_name="LOVELACE, née Byron, Ada Lovelace")
    old_alias, link_alias = make_alias(ada, email="byron@example.com"), ada.aliases.get(email="lovelace@example.com")
    bob = WorkspaceUser.objects.get(email="bob@example.com")
    namesake = make_user(make_workspace(name="Globex"), display_name="Ada Lovelace")
    deleted_by_staff(
        earlier,
        campaign.assignments.get(user=ada),
        campaign.assignments.get(user=bob),
        old_alias,
        make_alias(namesake, email="countess@example.org"),
        link_alias,
    )
    staff, content_type = get_user_model().objects.get(username="staff"), ContentType.objects.get_for_model(namesake)
    for key in (namesake.pk, None, "x"):
        LogEntry.objects.create(
            user=staff, content_type=content_type, object_id=key, object_repr="Ada Lovelace", action_flag=CHANGE
        )
    make_alias(ada, email="lovelace@example.com")
    about = [one["about"] for one in exported(ada)["adminLog"]]
    run("erase_user", ada.public_id)
    assert about == ["Ada Lovelace"]  # the entry about the row that exists
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == sorted(
        [
            *["(erased)"] * 6,
            ada.public_id,
            "Ada Lovelace",  # a person of another workspace
            "Bob",
            "Spring launch – Bob",
            "countess@example.org",
            "byron@example.com",  # nobody knows any more whose alias it was
        ]
    )


def test_the_audit_log_forgets_clients_and_names_of_parameters(workspace: Workspace, ada: WorkspaceUser) -> None:
    by_client = called(workspace)
    ToolCall.objects.filter(pk=by_client.pk).update(client="mailto:ADA@example.com/2.1")
    by_name = called(workspace, **{"x": [{"to lovelace@example.com": 1, "kind": "vcard"}]})
    bob = called(workspace, **{"bob@example.com": ""})
    ToolCall.objects.filter(pk=bob.pk).update(client="curl/8")
    calls = exported(ada)["toolCalls"]
    assert (by_client.tool, "mailto:ADA@example.com/2.1") in {(one["tool"], one["client"]) for one in calls}
    assert by_name.arguments in [one["arguments"] for one in calls]
    assert len(calls) == 5
    [line] = run("erase_user", ada.public_id)
    assert line.endswith(" tool calls 4.")
    stored = {row.pk: (row.client, row.arguments) for row in ToolCall.objects.all()}
    assert stored[by_client.pk] == ("(erased)", {})
    assert stored[by_name.pk] == ("", {"x": [{"(erased)": 1, "kind": "vcard"}]})
    assert stored[bob.pk] == ("curl/8", {"bob@example.com": ""})


@pytest.mark.parametrize(
    ("name", "text", "is_erased"),
    [
        ("Ada Lovelace", "lovelace ADA", True),
        ("Ada Lovelace", "Lovelace, Ada", True),
        ("Ada Lovelace", '("Ada Lovelace")', True),
        ("Ada Lovelace", "Ada", False),
        ("Ada Lovelace", "Adam Lovelace", False),
        ("Lovelace, Ada", "Ada Lovelace", True),
        ("Ada Lovelace-Byron", "ada lovelace byron", True),
        ("Irmak Yıldız", "irmak yildiz", True),
        ("\N{ROCKET}", "to \N{ROCKET}!", True),
        ("राम", "मेरा अभियान", False),
        ("राम", "मेरा राम", True),
        ("कि", "का", False),
        ("山田太郎", "山田太郎さん", True),
        ("김철수", "김철수의 클릭", True),
        ("สมชาย", "ของสมชาย", True),
        ("ชัย", "ชื่อ ยัง", False),
        ("", "", False),
        ("Ada", "<ada@example.com>", True),
        ("X", "Write to ada@example.com.", True),
        ("X", "q=ADA@example.com&page=1", True),
        ("X", "联系ada@example.com谢谢", True),
        ("X", "%3Cada@example.com%3E", True),
        ("X", "mailto%3Aada%40example.com", True),
        ("X", "q=x+ada%40example.com", True),
        ("X", "q+ada@example.com", False),  # another one's address
        ("Ann Smith", "https://x.example/?n=Smith%2C%20Ann", True),
        ("Éa Noël", "n=%C3%A9a+no%C3%ABl", True),
        ("X", "joada@example.com", False),
        ("X", "jo.ada@example.com", False),
        ("X", "jo-ada@example.com", False),
        ("X", "ada@example.com.au", False),
        ("X", "ada@example.community", False),
        ("X", " S-1-5-21 ", True),
        ("X", "S-1-5-211", False),
    ],
)
def test_the_audit_log_forgets_what_names_the_person_and_nobody_else(
    workspace: Workspace, name: str, text: str, is_erased: bool
) -> None:
    user = make_user(workspace, email="ada@example.com", display_name=name, external_id="S-1-5-21")
    call = called(workspace, query=text)
    exported_calls = exported(user)["toolCalls"]
    run("erase_user", user.public_id)
    call.refresh_from_db()
    assert call.arguments == {"query": "(erased)" if is_erased else text}
    assert len(exported_calls) == is_erased


def test_it_can_be_run_again_and_says_so(ada: WorkspaceUser) -> None:
    run("erase_user", ada.public_id)
    number = ErasedIdentifier.objects.count()
    assert run("erase_user", ada.public_id) == [
        f"{ada.public_id} was erased at 2026-03-28T10:25:00+00:00; there is nothing left to erase."
    ]
    assert erasures.erase_user(ada, now=NOW + timedelta(days=1)) == erasures.Erased()
    ada.refresh_from_db()
    assert (ada.erased_at, ErasedIdentifier.objects.count()) == (NOW, number)
    assert number == 3


def test_a_dry_run_erases_nothing(ada: WorkspaceUser) -> None:
    before = everything_stored()
    [line] = run("erase_user", ada.public_id, "--dry-run")
    assert line.startswith(f"{ada.public_id} would be erased; the counts stay. Erased with it: aliases 1,")
    assert everything_stored() == before


@pytest.mark.parametrize("command", ["erase_user", "export_user"])
def test_an_unknown_user_is_one_line(ada: WorkspaceUser, command: str) -> None:
    for public_id in ("x", "\udcff", "usr_01hzzzzzzzzzzzzzzzzzzzzzzz", "usr_" + ada.public_id[4:].upper()):
        assert refusal(command, public_id) == (
            f"There is no user with the public id {public_id!r}; "
            f"an id looks like {public_ids.example(public_ids.USER)}."
        )


def test_another_workspace_is_neither_read_nor_changed(workspace: Workspace, ada: WorkspaceUser) -> None:
    other = make_workspace(name="Globex")
    namesake = make_user(other, email="ada@example.com", display_name="Ada Lovelace", external_id="S-1-5-21")
    call = called(other, query="ada@example.com")
    run("erase_user", ada.public_id)
    namesake.refresh_from_db()
    call.refresh_from_db()
    assert (namesake.email, namesake.erased_at, call.arguments) == (
        "ada@example.com",
        None,
        {"query": "ada@example.com"},
    )
    given = {"emails": ["ada@example.com"], "external_ids": ["S-1-5-21"]}
    assert erased_identifiers(other.pk, **given) == (frozenset(), frozenset())
    run("erase_user", namesake.public_id)
    digests = {name: set(map(bytes, _digests(one))) for name, one in (("first", workspace), ("second", other))}
    assert digests["first"].isdisjoint(digests["second"])


def _digests(workspace: Workspace) -> Any:
    return ErasedIdentifier.objects.filter(workspace=workspace).values_list("digest", flat=True)


# --- never back


def test_erased_identifiers_are_known_whatever_their_form(workspace: Workspace, ada: WorkspaceUser) -> None:
    asked = {
        "emails": ["ADA@example.COM", "Lovelace@Example.com", "bob@example.com", "new@example.com"],
        "external_ids": ["S-1-5-21", "s-1-5-21", "other"],
    }
    assert erased_identifiers(workspace.pk, **asked) == (frozenset(), frozenset())
    run("erase_user", ada.public_id)
    assert erased_identifiers(workspace.pk, **asked) == (
        {"ADA@example.COM", "Lovelace@Example.com"},
        {"S-1-5-21"},
    )
    many = [f"{number}@example.com" for number in range(1_500)]
    assert erased_identifiers(workspace.pk, emails=[*many, "ada@example.com"]).emails == {"ada@example.com"}


def test_whom_staff_let_in_again_by_hand_is_not_refused(workspace: Workspace, ada: WorkspaceUser) -> None:
    run("erase_user", ada.public_id)
    make_user(workspace, email="ada@example.com", external_id="S-1-5-21")
    asked = {"emails": ["Ada@example.com", "lovelace@example.com"], "external_ids": ["S-1-5-21"]}
    assert erased_identifiers(workspace.pk, **asked) == ({"lovelace@example.com"}, frozenset())


def test_clicks_that_name_the_person_bring_nobody_back(
    workspace: Workspace, ada: WorkspaceUser, tmp_path: Path
) -> None:
    run("erase_user", ada.public_id)
    before = stored_counts(workspace)
    answer = post(make_key(workspace), {"kind": "other", "alias": "lovelace@example.com"}).json()
    assert [one["code"] for one in answer["rejected"]] == ["not_found"]
    file = tmp_path / "clicks.csv"
    file.write_text("kind,alias,clickedAt\nother,LOVELACE@example.com,2026-03-09T10:00:00Z\n")
    assert run("import_clicks", str(file), "--workspace", workspace.public_id)[-1] == (
        "accepted 0, duplicates 0, rejected 1."
    )
    assert stored_counts(workspace) == before
    file.write_text(f"kind,userPublicId,clickedAt\nother,{ada.public_id},2026-03-09T10:00:00Z\n")
    assert run("import_clicks", str(file), "--workspace", workspace.public_id)[-1] == (
        "accepted 1, duplicates 0, rejected 0."
    )
    # It counts for the workspace, and not for the row of the erased person.
    assert stored_counts(workspace).items() - before.items() == {(("workspace", 0, "2026-03-09"), (0, 0, 1))}
    assert not WorkspaceUser.objects.filter(email__contains="lovelace").exists()


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"email": "ADA@example.com"}, "email"),
        ({"email": "new@example.com", "externalId": "S-1-5-21"}, "externalId"),
        ({"email": "new@example.com", "aliases": ["x@example.com", "Lovelace@example.com"]}, "aliases"),
        ({"email": "bob@example.com", "aliases": ["ada@example.com"]}, "aliases"),
    ],
)
def test_a_list_of_people_brings_nobody_back(
    workspace: Workspace, ada: WorkspaceUser, item: dict[str, Any], field: str
) -> None:
    run("erase_user", ada.public_id)
    before = everything_stored()
    others = [{"email": "bob@example.com"}] if item["email"] != "bob@example.com" else []
    result = save_users(workspace, [*others, item])
    [wrong] = result.rejected
    assert (wrong.index, wrong.field, wrong.code) == (len(others), field, "not_allowed")
    assert wrong.message.endswith("belonged to a user who was erased.")
    assert everything_stored() == before
    other = make_workspace(name="Globex")
    assert save_users(other, [item]).rejected == []


def test_a_list_gives_the_erased_row_no_name(workspace: Workspace, ada: WorkspaceUser) -> None:
    run("erase_user", ada.public_id)
    before = everything_stored()
    for item in ({"displayName": "Ada"}, {"isActive": True}, {"email": "new@example.com"}):
        [wrong] = save_users(workspace, [{"publicId": ada.public_id, **item}]).rejected
        assert (wrong.field, wrong.code) == ("publicId", "not_allowed")
    [wrong] = save_users(workspace, [{"email": f"{ada.public_id}@erased.invalid", "displayName": "Ada"}]).rejected
    assert (wrong.field, wrong.code) == ("publicId", "not_allowed")
    assert everything_stored() == before


@pytest.mark.parametrize("name", ["{id}", "{id}@erased.invalid", "Ada@example.com", "lovelace@EXAMPLE.com"])
def test_a_list_of_campaigns_assigns_nobody_who_was_erased(
    workspace: Workspace, campaign: Campaign, ada: WorkspaceUser, name: str
) -> None:
    run("erase_user", ada.public_id)
    before = everything_stored()
    named = name.format(id=ada.public_id)
    item = {"publicId": campaign.public_id, "assignedUsers": ["bob@example.com", named]}
    [wrong] = save_campaigns(workspace, [item]).rejected
    shown = named.lower() if "@" in named else named
    message = f'assignedUsers "{shown}" belongs or belonged to a user who was erased.'
    assert (wrong.index, wrong.field, wrong.code, wrong.message) == (0, "assignedUsers", "not_allowed", message)
    assert users_named(workspace.pk, [named]) == (set(), [named])
    assert everything_stored() == before


def test_recent_visits_are_erased(ada: WorkspaceUser) -> None:
    link = TrackedLink.objects.get(user=ada, kind="campaign")
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
    Client(headers={"User-Agent": browser, "Accept-Language": "en"}).get(f"/c/{link.token}")
    assert RecentVisit.objects.filter(signature=ada.pk).count() == 1
    run("erase_user", ada.public_id)
    assert not RecentVisit.objects.exists()


def test_nobody_who_was_erased_gets_a_link(workspace: Workspace, ada: WorkspaceUser) -> None:
    run("erase_user", ada.public_id)
    before = everything_stored()
    for name in (ada.public_id, ada):
        [wrong] = create_links(workspace, [LinkInput("vcard", "https://www.example.com/", user=name)]).rejected
        message = f'user "{ada.public_id}" belongs to a user who was erased.'
        assert (wrong.field, wrong.code, wrong.message) == ("user", "not_allowed", message)
    assert everything_stored() == before


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("alias", {"email": "ada.lovelace@example.com"}),
        ("trackedlink", {"kind": "vcard", "target_url": "https://www.example.com/"}),
    ],
)
def test_staff_give_nothing_to_whom_was_erased(
    workspace: Workspace, ada: WorkspaceUser, model: str, values: dict[str, str]
) -> None:
    run("erase_user", ada.public_id)
    before = everything_stored()
    form = {"workspace": workspace.pk, "user": ada.pk, **values}
    assert "This user was erased." in superuser().post(f"/admin/stats_app/{model}/add/", form).content.decode()
    assert everything_stored() == before


def test_staff_assign_nobody_who_was_erased(workspace: Workspace, campaign: Campaign, ada: WorkspaceUser) -> None:
    bob = WorkspaceUser.objects.get(email="bob@example.com")
    run("erase_user", ada.public_id)
    campaign.assignments.all().delete()
    client = superuser()
    add = client.post("/admin/stats_app/campaignassignment/add/", {"campaign": campaign.pk, "user": ada.pk})
    assert "This user was erased." in add.content.decode()
    action = {"action": "assign", "_selected_action": [ada.pk, bob.pk], "confirmed": "yes", "campaign": campaign.pk}
    client.post("/admin/stats_app/workspaceuser/", action)
    assert [*campaign.assigned_users.all()] == [bob]
    assert (assign_users(campaign, [ada.pk]), [*campaign.assigned_users.all()]) == (0, [bob])


@pytest.mark.parametrize(
    "change", [{"display_name": "Ada"}, {"external_id": "7"}, {"email": "ada@example.org"}], ids=str
)
def test_a_form_that_is_saved_during_an_erasure_does_not_put_the_person_back(
    ada: WorkspaceUser, change: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # After the form has read the row, and before it saves it.
    monkeypatch.setattr(WorkspaceUser, "clean", lambda self: erase_user(WorkspaceUser.objects.get(pk=ada.pk), now=NOW))
    client, url = superuser(), f"/admin/stats_app/workspaceuser/{ada.pk}/change/"
    values = {"email": ada.email, "display_name": ada.display_name, "external_id": ada.external_id or ""}
    response = client.post(url, values | {"is_active": "on"} | change)
    assert (response.status_code, response["Location"]) == (302, url)
    ada.refresh_from_db()
    assert not {"Ada", "7", "ada@example.org"} & {ada.display_name, ada.external_id, ada.email}


def test_the_database_refuses_a_name_for_whom_was_erased(ada: WorkspaceUser) -> None:
    erase_user(ada, now=NOW)
    changes: list[dict[str, Any]] = [
        *({"display_name": "Ada"}, {"external_id": "7"}, {"email": "ada@example.org"}),
        *({"is_active": True}, {"is_opted_out": False}),
    ]
    for values in changes:
        with pytest.raises(IntegrityError, match="stats_user_erased_is_nameless"), transaction.atomic():
            WorkspaceUser.objects.filter(pk=ada.pk).update(**values)


@pytest.mark.django_db(transaction=True)
def test_the_migration_erases_again_whom_a_form_put_back() -> None:
    call_command("migrate", "stats_app", "0023", verbosity=0)
    try:
        workspace = make_workspace()
        ada, bob = make_user(workspace, display_name="Ada", external_id="7"), make_user(workspace)
        WorkspaceUser.objects.filter(pk=ada.pk).update(erased_at=NOW)
    finally:
        call_command("migrate", "stats_app", verbosity=0)
    before = bob.email
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.email, ada.display_name, ada.external_id) == (f"{ada.public_id}@erased.invalid", "", None)
    assert (ada.is_active, ada.is_opted_out, bob.is_active, bob.email) == (False, True, True, before)
    assert dict(Address.objects.values_list("user", "email")) == {ada.pk: ada.email, bob.pk: before}


def test_staff_cannot_give_the_row_a_name_again(ada: WorkspaceUser) -> None:
    client, url = superuser(), f"/admin/stats_app/workspaceuser/{ada.pk}/change/"
    assert b'name="email"' in client.get(url).content
    run("erase_user", ada.public_id)
    page = client.get(url)
    assert page.status_code == 200
    assert b'name="email"' not in page.content
    assert client.post(url, {"email": "ada@example.com", "display_name": "Ada"}).status_code == 403


# --- opting out


def opted_out(user: WorkspaceUser) -> None:
    response = superuser().post(
        f"/admin/stats_app/workspaceuser/{user.pk}/change/",
        {
            "email": user.email,
            "display_name": user.display_name,
            "external_id": user.external_id or "",
            "is_active": "on",
            "is_opted_out": "on",
        },
    )
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.is_opted_out


def ways_in(workspace: Workspace, user: WorkspaceUser, tmp_path: Path) -> dict[str, Any]:
    """Each way for a click of a person's link to come in, as something to call."""
    alias, link = user.aliases.get(), TrackedLink.objects.get(user=user, kind="campaign")
    key, campaign = make_key(workspace), link.campaign
    assert campaign is not None
    file = tmp_path / "clicks.csv"
    log = tmp_path / "access.log"
    row = f"campaign,{campaign.public_id},{user.public_id},{alias.email},2026-03-28T10:00:00Z"
    file.write_text(f"kind,campaignPublicId,userPublicId,alias,clickedAt\n{row}\n")
    log.write_text(
        f'203.0.113.7 - - [28/Mar/2026:10:00:01 +0000] "GET /c/{link.token} HTTP/1.1" 302 0 "-" '
        f'"{FIREFOX["user-agent"]}"\n'
    )

    def sent(**values: Any) -> None:
        body = {"kind": "campaign", "campaignPublicId": campaign.public_id, **values}
        assert post(key, body).json()["accepted"] == 1

    return {
        "redirect": lambda: Client(headers=FIREFOX).get(f"/c/{link.token}"),
        "api, user": lambda: sent(userPublicId=user.public_id),
        "api, alias": lambda: sent(alias=alias.email),
        "python, instances": lambda: record(workspace, ClickInput("campaign", None, campaign, user, alias, link)),
        "python, link": lambda: record(workspace, ClickInput("campaign", None, campaign, link=link.token)),
        "file": lambda: run("import_clicks", str(file), "--workspace", workspace.public_id),
        "log": lambda: run("import_clicks", str(log), "--format", "combined", "--workspace", workspace.public_id),
    }


def test_whoever_opted_out_counts_for_workspace_and_campaign_on_every_way_in(
    workspace: Workspace, campaign: Campaign, ada: WorkspaceUser, tmp_path: Path
) -> None:
    opted_out(ada)
    before = {row.pk for row in Click.objects.all()}
    counts, ways = stored_counts(workspace), ways_in(workspace, ada, tmp_path)
    for way in ways.values():
        way()
    clicks = [click for click in Click.objects.all() if click.pk not in before]
    stored = [(c.campaign, c.user, c.alias, c.link, c.verdict) for c in clicks]
    assert stored == [(campaign, None, None, None, "human")] * len(ways)
    changed = {place: numbers for place, numbers in stored_counts(workspace).items() if counts.get(place) != numbers}
    assert {place[:2] for place in changed} == {
        ("workspace", 0),
        ("campaign", campaign.pk),
        ("campaign by year", campaign.pk),
    }
    assert [*check(workspace)] == []


def test_each_way_in_counts_for_whoever_did_not_opt_out(
    workspace: Workspace, ada: WorkspaceUser, tmp_path: Path
) -> None:
    """Or the test above would not say much."""
    ways = ways_in(workspace, ada, tmp_path)
    number = Click.objects.filter(user=ada).count()
    del ways["python, link"]  # names nobody else
    for way in ways.values():
        way()
    assert Click.objects.filter(user=ada).count() == number + len(ways)


def test_what_was_counted_before_opting_out_stays(workspace: Workspace, ada: WorkspaceUser) -> None:
    counts = stored_counts(workspace)
    opted_out(ada)
    assert (stored_counts(workspace), Click.objects.filter(user=ada).count()) == (counts, 3)


def test_one_opted_out_changes_nobody_else_s_clicks(workspace: Workspace, ada: WorkspaceUser) -> None:
    bob = WorkspaceUser.objects.get(email="bob@example.com")
    opted_out(ada)
    result = record_clicks(
        workspace,
        [
            ClickInput("other", user=bob, link=TrackedLink.objects.get(user=bob)),
            ClickInput("other", user=ada.public_id),
        ],
    )
    assert result.accepted == 2
    assert {(c.user, c.link is None) for c in Click.objects.filter(clicked_at=NOW)} == {(bob, False), (None, True)}


def test_a_click_that_was_lost_says_nothing_of_who_opted_out(
    ada: WorkspaceUser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opted_out(ada)
    link = TrackedLink.objects.get(user=ada, kind="campaign")

    def fail(*args: Any, **values: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(visits, "recording", fail)
    assert Client(headers=FIREFOX).get(f"/c/{link.token}").status_code == 302
    [line] = [record.getMessage() for record in caplog.records if record.name == "stats_app.clicks"]
    assert json.loads(line).keys() == {
        "workspacePublicId",
        "id",
        "kind",
        "campaignPublicId",
        "clickedAt",
        "verdict",
    }


# --- export_user


def exported(user: WorkspaceUser) -> dict[str, Any]:
    text = "\n".join(run("export_user", user.public_id))
    export: dict[str, Any] = json.loads(text)
    return export


def test_all_that_is_stored_about_a_person_is_written(
    workspace: Workspace, campaign: Campaign, ada: WorkspaceUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    links = {link.kind: link for link in TrackedLink.objects.filter(user=ada)}
    clicks = {click.kind: click for click in Click.objects.filter(user=ada)}
    export = exported(ada)

    def click(kind: str, **more: str) -> dict[str, Any]:
        one = clicks[kind]
        names = ("id", "kind", "campaignPublicId", "userPublicId", "alias", "clickedAt", "verdict", "link")
        values = {"id": str(one.id).lower(), "kind": kind, "userPublicId": ada.public_id, "verdict": "human"}
        values |= {"clickedAt": "2026-03-10T12:00:00+00:00", "link": links[kind].token} | more
        return {name: values[name] for name in names if name in values}

    def link(kind: str, target: str, campaign_id: str | None = None, alias: str | None = None) -> dict[str, Any]:
        return {
            "token": links[kind].token,
            "kind": kind,
            "targetUrl": target,
            "campaignPublicId": campaign_id,
            "alias": alias,
            "isActive": True,
            "createdAt": "2026-03-28T10:25:00+00:00",
        }

    of_campaign = {"campaignPublicId": campaign.public_id, "alias": "lovelace@example.com"}
    expected_clicks = [click("campaign", **of_campaign), click("other"), click("vcard")]
    assert sorted(export.pop("clicks"), key=lambda one: one["kind"]) == expected_clicks
    export["links"].sort(key=lambda one: one["kind"])  # they are numbered in whatever order they were made
    assert [(one["arguments"], one["tool"]) for one in export.pop("toolCalls")] == [
        ({"query": "lovelace ada"}, "user_find"),
        ({"query": "see LOVELACE@example.com"}, "user_find"),
        ({"userPublicId": ada.public_id}, "user_find"),
    ]
    assert [one["about"] for one in export.pop("adminLog")] == ["Ada Lovelace", "lovelace@example.com"]
    assert export == {
        "exportedAt": "2026-03-28T10:25:00+00:00",
        "workspace": {"publicId": workspace.public_id, "name": "Acme", "timezone": "UTC"},
        "user": {
            "publicId": ada.public_id,
            "externalId": "S-1-5-21",
            "email": "ada@example.com",
            "displayName": "Ada Lovelace",
            "isActive": True,
            "isOptedOut": False,
            "createdAt": "2026-03-28T10:25:00+00:00",
            "erasedAt": None,
        },
        "aliases": [{"email": "lovelace@example.com"}],
        "campaigns": [
            {"publicId": campaign.public_id, "name": "Spring launch", "assignedAt": "2026-03-28T10:25:00+00:00"}
        ],
        "links": [
            link("campaign", "", campaign.public_id, "lovelace@example.com"),
            link("other", SITE),
            link("vcard", CARD),
        ],
        "counts": [{"date": "2026-03-10", "campaignClicks": 1, "vcardClicks": 1, "otherClicks": 1}],
        "excludedCounts": [],
        "recentVisits": [],
        "mailings": [
            {
                "email": "lovelace@example.com",
                "every": "week",
                "language": "en",
                "sendsFrom": "2026-03-10",
                "unsubscribedAt": None,
                "error": "",
                "deliveries": [{"from": "2026-03-10", "to": "2026-03-10", "sentAt": "2026-03-10T12:00:00+00:00"}],
            }
        ],
    }


def test_what_is_not_counted_for_a_person_is_written(workspace: Workspace, ada: WorkspaceUser) -> None:
    record_all(
        workspace,
        [ClickInput("vcard", user=ada, clicked_at=NOON, verdict="bot", reason=reason) for reason in ("x", "x", "y")],
    )
    run("prune_clicks", "--before", "2026-03-20")
    ours, theirs = (
        RecentVisit.objects.create(
            workspace=workspace,
            network=b"n" * 16,
            visitor=b"v" * 16,
            link=1,
            signature=signature,
            click=ULID(),
            visited_at=NOON,
        )
        for signature in (ada.pk, ada.pk + 1)
    )
    export = exported(ada)
    vcards = {"campaignClicks": 0, "otherClicks": 0}
    assert export["excludedCounts"] == [
        {"date": "2026-03-10", "verdict": "bot", "reason": "x", **vcards, "vcardClicks": 2},
        {"date": "2026-03-10", "verdict": "bot", "reason": "y", **vcards, "vcardClicks": 1},
    ]
    assert export["recentVisits"] == [
        {"clickId": str(ours.click).lower(), "visitedAt": "2026-03-10T12:00:00+00:00", "reason": ""}
    ]
    assert str(theirs.click).lower() not in json.dumps(export)


def test_nothing_is_kept_back_from_the_person(ada: WorkspaceUser) -> None:
    export = exported(ada)
    with override_settings(STATS_APP={"PERSON_FIGURES": "totals"}):
        assert exported(ada) == export


def test_somebody_without_anything_has_empty_lists(workspace: Workspace) -> None:
    export = exported(make_user(workspace))
    lists = ("aliases", "campaigns", "links", "counts", "clicks", "mailings", "toolCalls", "adminLog")
    assert [export[name] for name in lists] == [[]] * len(lists)


def test_the_export_of_an_erased_person_names_nobody(ada: WorkspaceUser) -> None:
    run("erase_user", ada.public_id)
    export = exported(ada)
    assert export["user"]["erasedAt"] == "2026-03-28T10:25:00+00:00"
    assert "lovelace" not in json.dumps(export).lower()
    assert len(export["clicks"]) == 3
    assert not Alias.objects.filter(user=ada).exists()
    assert not CampaignAssignment.objects.filter(user=ada).exists()
