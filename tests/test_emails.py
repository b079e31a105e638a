"""E-mails of users and aliases: stored, compared and looked up in one form, each once in its workspace."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_app import emails as rule
from stats_app.ingest import ClickInput
from stats_app.models import Address, Alias, Click, TrackedLink, Workspace, WorkspaceUser
from stats_app.words import fold
from tests.admin_cast import address, superuser
from tests.factories import make_alias, make_key, make_user, make_workspace, record
from tests.rest import CAMPAIGNS, CLICKS, LINKS, USERS, get, post

pytestmark = pytest.mark.django_db

WRITTEN = "A.B@ÉCOLE.FR"
STORED = "a.b@école.fr"


def stored(model: Any = WorkspaceUser) -> list[str]:
    """The stored value, read without the model's field."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT email FROM {model._meta.db_table} ORDER BY id")  # noqa: S608  # our own tables
        return [email for (email,) in cursor.fetchall()]


def by_save(workspace: Workspace) -> WorkspaceUser:
    user = WorkspaceUser(workspace=workspace, email=WRITTEN)
    user.save()
    return user


def by_bulk_create(workspace: Workspace) -> WorkspaceUser:
    [user] = WorkspaceUser.objects.bulk_create([WorkspaceUser(workspace=workspace, email=WRITTEN)])
    return user


def by_get_or_create(workspace: Workspace) -> WorkspaceUser:
    user, _made = WorkspaceUser.objects.get_or_create(workspace=workspace, email=WRITTEN)
    return user


def by_update(workspace: Workspace) -> WorkspaceUser:
    user = make_user(workspace)
    WorkspaceUser.objects.filter(pk=user.pk).update(email=WRITTEN)
    user.refresh_from_db()
    return user


def by_bulk_update(workspace: Workspace) -> WorkspaceUser:
    user = make_user(workspace)
    user.email = WRITTEN
    WorkspaceUser.objects.bulk_update([user], ["email"])
    user.refresh_from_db()
    return user


def by_update_fields(workspace: Workspace) -> WorkspaceUser:
    user = make_user(workspace)
    user.email = WRITTEN
    user.save(update_fields=["email"])
    return user


def by_the_admin(workspace: Workspace) -> WorkspaceUser:
    values = {"workspace": workspace.pk, "email": WRITTEN, "display_name": "Ada", "is_active": "on"}
    assert superuser().post(address("workspaceuser", "add"), values).status_code == 302
    return WorkspaceUser.objects.get(display_name="Ada")


WAYS = [by_save, by_bulk_create, by_get_or_create, by_update, by_bulk_update, by_update_fields, by_the_admin]


@pytest.mark.parametrize("way", WAYS)
def test_an_email_is_stored_in_one_form_however_it_comes_in(way: Callable[[Workspace], WorkspaceUser]) -> None:
    workspace = make_workspace()
    user = way(workspace)
    assert user.email == STORED
    assert stored() == [STORED]
    # And its address is kept.
    assert list(Address.objects.values_list("workspace", "email", "user", "alias")) == [
        (workspace.pk, STORED, user.pk, None)
    ]


def test_it_is_looked_up_in_that_form() -> None:
    user = make_user(make_workspace(), email=STORED)
    for spelt in (WRITTEN, STORED, unicodedata.normalize("NFD", WRITTEN)):
        assert WorkspaceUser.objects.get(email=spelt) == user
        assert WorkspaceUser.objects.get(email__iexact=spelt) == user
        assert WorkspaceUser.objects.get(email__in=[spelt]) == user
        assert not WorkspaceUser.objects.exclude(email=spelt).exists()


def test_a_click_names_an_alias_in_any_form() -> None:
    workspace = make_workspace()
    alias = make_alias(make_user(workspace), email="x@société.fr")
    spelt = ["X@SOCIÉTÉ.FR", "x@société.fr", unicodedata.normalize("NFD", "X@Société.fr")]
    record(workspace, *(ClickInput("vcard", alias=email) for email in spelt))
    assert list(Click.objects.values_list("alias", "user")) == [(alias.pk, alias.user_id)] * 3


def test_rest_and_the_admin_find_it_in_any_form() -> None:
    workspace = make_workspace()
    user = make_user(workspace, email="x@société.fr")
    make_alias(user, email="y@société.fr")
    key, staff = make_key(workspace), superuser()
    for spelt in ("X@SOCIÉTÉ.FR", "Y@SOCIÉTÉ.FR"):
        assert get(key, USERS, {"search": spelt}).json()["count"] == 1
    assert list(staff.get(address("workspaceuser"), {"q": "X@SOCIÉTÉ.FR"}).context["cl"].result_list) == [user]
    record(workspace, ClickInput("vcard", user=user))
    clicks = staff.get(address("clickrecord"), {"q": "X@SOCIÉTÉ.FR"}).context["cl"].result_list
    assert [row.user for row in clicks] == [user]


emails = st.builds(
    "{}@{}.example".format,
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10),
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(emails)
def test_an_email_is_found_as_it_was_written_and_is_there_once(email: str) -> None:
    workspace = make_workspace()
    user = make_user(workspace, email=email)
    assert user.email == fold(email) == WorkspaceUser.objects.values_list("email", flat=True).get(pk=user.pk)
    for spelt in (email, email.lower(), email.title(), *(unicodedata.normalize(form, email) for form in FORMS)):
        if fold(spelt) == fold(email):
            assert WorkspaceUser.objects.get(workspace=workspace, email=spelt) == user
            with pytest.raises(IntegrityError), transaction.atomic():
                make_user(workspace, email=spelt)


FORMS = ("NFC", "NFD", "NFKC", "NFKD")


# --- a user's own or an alias


def taken(act: Callable[[], Any]) -> None:
    """The database itself refuses the address, and nothing of what was to be saved stays."""
    before = (stored(), stored(Alias), stored(Address))
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        act()
    assert "stats_address_unique" in str(error.value) or "stats_app_address.email" in str(error.value)
    assert (stored(), stored(Alias), stored(Address)) == before


def test_an_alias_is_no_users_own_email_however_it_comes_in() -> None:
    workspace, other = make_workspace(), make_workspace()
    user = make_user(workspace, email="ada@école.fr")
    alias = make_alias(user, email="bob@école.fr")
    make_user(other, email="bob@école.fr")
    spelt = "ADA@ÉCOLE.FR"
    taken(lambda: Alias.objects.create(workspace=workspace, user=user, email=spelt))
    taken(lambda: Alias.objects.bulk_create([Alias(workspace=workspace, user=user, email=spelt)]))
    taken(lambda: Alias.objects.filter(pk=alias.pk).update(email=spelt))
    taken(lambda: Alias.objects.filter(pk=alias.pk).update(email=Value("ada@école.fr")))
    taken(lambda: Alias.objects.update_or_create(pk=alias.pk, defaults={"email": spelt}))
    alias.email = spelt
    taken(lambda: Alias.objects.bulk_update([alias], ["email"]))
    taken(alias.save)
    taken(lambda: alias.save(update_fields=["email"]))


def test_a_users_own_email_is_no_alias_however_it_comes_in() -> None:
    workspace = make_workspace()
    user = make_user(workspace, email="ada@école.fr")
    make_alias(user, email="bob@école.fr")
    spelt = "BOB@ÉCOLE.FR"
    taken(lambda: WorkspaceUser.objects.create(workspace=workspace, email=spelt))
    taken(lambda: WorkspaceUser.objects.bulk_create([WorkspaceUser(workspace=workspace, email=spelt)]))
    taken(
        lambda: WorkspaceUser.objects.bulk_create(
            [WorkspaceUser(workspace=workspace, email=spelt)], ignore_conflicts=True
        )
    )
    taken(lambda: WorkspaceUser.objects.filter(pk=user.pk).update(email=spelt))
    other = make_user(make_workspace(), email=spelt)
    taken(lambda: WorkspaceUser.objects.filter(pk=other.pk).update(workspace=workspace))
    user.email = spelt
    taken(user.save)


def test_an_address_is_free_again_when_its_owner_is_gone_or_has_another() -> None:
    workspace = make_workspace()
    user = make_user(workspace, email="ada@example.com")
    alias = make_alias(user, email="bob@example.com")
    alias.delete()
    bob = make_user(workspace, email="bob@example.com")
    user.email = "lovelace@example.com"
    user.save()
    make_alias(bob, email="ada@example.com")
    user.delete()
    make_alias(bob, email="lovelace@example.com")
    workspace.delete()
    assert stored(Address) == []


def test_many_are_changed_at_once_by_an_expression() -> None:
    workspace = make_workspace()
    for name in ("ada", "bob"):
        make_user(workspace, email=name)
    assert WorkspaceUser.objects.update(email=Concat(F("email"), Value("@example.com"))) == 2
    assert stored(Address) == ["ada@example.com", "bob@example.com"]
    assert WorkspaceUser.objects.filter(email="ada@example.com").update(display_name="Ada") == 1


def test_conflicts_can_be_passed_over() -> None:
    workspace = make_workspace()
    make_user(workspace, email="ada@example.com")
    rows = [WorkspaceUser(workspace=workspace, email=email) for email in ("ADA@example.com", "bob@example.com")]
    WorkspaceUser.objects.bulk_create(rows, ignore_conflicts=True)
    assert stored() == stored(Address) == ["ada@example.com", "bob@example.com"]


def addresses() -> set[tuple[str, int | None]]:
    return set(Address.objects.values_list("email", "user"))


def test_a_conflict_may_leave_the_stored_email_or_replace_it() -> None:
    workspace = make_workspace()
    user = make_user(workspace, email="ada@example.com", external_id="1")

    def sent(update_fields: list[str], **values: Any) -> None:
        """Ada's external id with another name and e-mail, and a new user."""
        ada = WorkspaceUser(workspace=workspace, external_id="1", email="A@example.com", display_name="A", **values)
        WorkspaceUser.objects.bulk_create(
            [ada, WorkspaceUser(workspace=workspace, external_id="2", email="bob@example.com")],
            update_conflicts=True,
            unique_fields=["workspace", "external_id"],
            update_fields=update_fields,
        )

    for given_key in ({}, {"pk": user.pk + 1_000}):
        sent(["display_name"], **given_key)
        bob = WorkspaceUser.objects.get(email="bob@example.com")
        assert addresses() == {("ada@example.com", user.pk), ("bob@example.com", bob.pk)}
    sent(["email"], pk=user.pk + 1_000)
    assert addresses() == {("a@example.com", user.pk), ("bob@example.com", bob.pk)}
    assert stored() == ["a@example.com", "bob@example.com"]


def test_an_email_that_is_not_saved_is_not_the_address() -> None:
    user = make_user(make_workspace(), email="ada@example.com")
    user.email, user.display_name = "bob@example.com", "Bob"
    user.save(False, False, None, ["display_name"])
    assert stored() == stored(Address) == ["ada@example.com"]
    user.save(False, True, "default")
    assert stored() == stored(Address) == ["bob@example.com"]


# --- the rows that were there before


BEFORE = ("stats_app", "0005_counts_without_sizes_and_versions")


def old_row(table: str, **values: Any) -> int:
    """A row as an earlier version stored it."""
    columns = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO stats_app_{table} ({columns}) VALUES ({marks}) RETURNING id",  # noqa: S608  # our own names
            list(values.values()),
        )
        return int(cursor.fetchone()[0])


def old_user(workspace: int, email: str) -> int:
    made = "2026-01-01 00:00:00+00:00"
    values = {"workspace_id": workspace, "email": email, "display_name": "", "is_active": True, "created_at": made}
    return old_row("workspaceuser", public_id=f"usr_{email}"[:30], **values)


def old_workspace() -> int:
    values = {"name": "Acme", "timezone": "UTC", "counted_timezone": "", "is_active": True}
    made = "2026-01-01 00:00:00+00:00"
    return old_row("workspace", public_id="w" * 26, created_at=made, **values)


def old_campaign(workspace: int, target: str) -> int:
    made = "2026-01-01 00:00:00+00:00"
    values = {"name": "x", "target_url": target, "is_paused": False, "created_at": made}
    return old_row("campaign", public_id="cp_" + "c" * 26, workspace_id=workspace, **values)


@pytest.fixture
def _before() -> Any:
    call_command("migrate", *BEFORE, verbosity=0)
    yield
    call_command("migrate", "stats_app", verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_before")
def test_what_is_there_already_is_folded_and_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stats_app.migrations.0006_one_form_of_emails.BATCH", 2)
    place = old_workspace()
    users = [old_user(place, email) for email in ("A@ÉCOLE.FR", "b@example.com", "C@x.fr", "D@x.fr", "E@x.fr")]
    old_row("alias", workspace_id=place, user_id=users[0], email="Countess@ÉCOLE.FR")
    campaign = old_campaign(place, "HTTPS://www.example.com/")
    old_row("campaignassignment", campaign_id=campaign, user_id=users[0], assigned_at="2026-01-01 00:00:00+00:00")
    call_command("migrate", "stats_app", verbosity=0)
    assert stored() == ["a@école.fr", "b@example.com", "c@x.fr", "d@x.fr", "e@x.fr"]
    assert stored(Alias) == ["countess@école.fr"]
    assert sorted(stored(Address)) == sorted([*stored(), *stored(Alias)])
    [assignment] = WorkspaceUser.objects.get(pk=users[0]).assignments.all()
    assert assignment.workspace_id == place


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_before")
def test_rows_that_cannot_stay_stop_the_migration_by_name_and_nothing_is_half_done() -> None:
    place = old_workspace()
    emails = ["ß@ÉCOLE.FR", "SS@école.fr", "Ada@Example.com"]
    users = [old_user(place, email) for email in emails]
    old_row("alias", workspace_id=place, user_id=users[0], email="ADA@example.com")
    old_campaign(place, "javascript:alert(1)")
    with pytest.raises(CommandError) as error:
        call_command("migrate", "stats_app", verbosity=0)
    same = f"workspace {'w' * 26}: the same e-mail but for its case or form"
    assert str(error.value).splitlines() == [
        "Nothing was migrated. These rows cannot stay as they are; change or delete them, then migrate again:",
        f"  {same}: user ß@ÉCOLE.FR, user SS@école.fr",
        f"  {same}: user Ada@Example.com, alias ADA@example.com",
        f"  Campaign cp_{'c' * 26}: its target address is not http or https: 'javascript:alert(1)'",
    ]
    assert stored() == emails
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM stats_app_alias")
        cursor.execute("DELETE FROM stats_app_campaign")
        cursor.execute("UPDATE stats_app_workspaceuser SET email = 'b@x.fr' WHERE id = %s", [users[0]])
    call_command("migrate", "stats_app", verbosity=0)
    assert sorted(stored()) == ["ada@example.com", "b@x.fr", "ss@école.fr"]


# --- what may be entered


@pytest.mark.parametrize("email", ["", "x", "a b@example.com", "a@b", "\u200b"])
def test_no_other_text_is_an_email(email: str) -> None:
    with pytest.raises(ValidationError) as error:
        WorkspaceUser(workspace=make_workspace(), email=email).full_clean()
    assert list(error.value.message_dict) == ["email"]


@given(st.from_regex(rule._PLAIN_EMAIL, fullmatch=True).filter(lambda text: len(text) <= 63))
def test_what_looks_like_a_plain_email_is_one_to_django(email: str) -> None:
    validate_email(email)
    assert rule.is_email(email)


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com",
        "o'neill+tag_{x}@mail.example.com",
        '"ada@home"@example.com',
        "ada@localhost",
        "ada@[127.0.0.1]",
        "ada@société.fr",
        "ada@xn--socit-esab.fr",
        # Letters of other scripts before the @, and digits and marks.
        "élodie@société.fr",
        "Élodie.O'Neill+été@société.fr",
        "ÉLODIE@SOCIÉTÉ.FR",
        "用户@例子.广告",
        "δοκιμή@παράδειγμα.gr",
        "почта1.личная@пример.рф",
        "אבא@דוגמה.co.il",
        "بريد٣@مثال.السعودية",
        "संपर्क@डाटामेल.भारत",
        "ผู้ใช้@ตัวอย่าง.ไทย",
        "𞤀𞤣𞤤𞤢𞤥@𞤀𞤣𞤤𞤢𞤥.com",
        # The joiner of Persian words.
        "ada@نامه\u200cای.com",
        "نامه\u200cای@example.com",
        # Letters that become others when they are folded.
        "straße@example.com",
        "ａｄａ＠example.com",
    ],
    ids=ascii,
)
def test_what_is_an_email(email: str) -> None:
    for form in FORMS:
        assert rule.is_email(unicodedata.normalize(form, email))
    user = WorkspaceUser(workspace=make_workspace(), email=email, display_name="Ada")
    user.full_clean()
    user.save()
    assert stored() == [fold(email)]


@pytest.mark.parametrize(
    "email",
    [
        "élodie",
        "@société.fr",
        "élodie@",
        "élodie@@société.fr",
        "élodie@a@société.fr",
        "é lodie@société.fr",
        " élodie@société.fr",
        "é\u00a0lodie@société.fr",
        "élodie@soci\u2028été.fr",
        "élodie.@société.fr",
        ".élodie@société.fr",
        "é..lodie@société.fr",
        "é…lodie@société.fr",
        "élodie@société",
        "élodie@.fr",
        "élodie@-société.fr",
        # Quotes, symbols and brackets.
        '"élodie"@société.fr',
        "élodie“a”@société.fr",
        "élodie<a>@société.fr",
        "é,lodie@société.fr",
        "☃@société.fr",
        "😀@société.fr",
        # A mark with no letter to stand on.
        "\u0301a@société.fr",
        "a.\u0301b@société.fr",
        "a@\u0301b.fr",
        "a@b.\u0301c.fr",
        # Control characters, invisible ones and half of a character.
        "é\x00lodie@société.fr",
        "é\tlodie@société.fr",
        "élodie@société.fr\n",
        '"\x01"@example.com',
        "é\u200blodie@société.fr",
        "élodie\ud800@société.fr",
        "ada@\ud800.fr",
        "élodie@soci\u202eété.fr",
        "ada\u034f@example.com",
        "ada\u3164@example.com",
        "\uffa0@example.com",
        "a\ufe0fda@example.com",
        "ada@example\U000e0100.com",
        "ada@example\u200c.com",
        "نامه\u200c\u200cای@example.com",
        # One letter that becomes several words.
        "\ufdfa@société.fr",
        "é" * 321 + "@société.fr",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_not_an_email(email: str) -> None:
    assert not rule.is_email(email)
    with pytest.raises(ValidationError) as error:
        WorkspaceUser(workspace=make_workspace(), email=email).clean_fields()
    assert list(error.value.message_dict) == ["email"]


# --- letters of every script, through each way in

ELODIE = "Élodie@Société.FR"
USER_AT_EXAMPLE = "用户@例子.广告"


def kept(workspace: Workspace) -> list[tuple[str, list[str]]]:
    """The users' e-mails, each with its aliases."""
    users = WorkspaceUser.objects.filter(workspace=workspace).order_by("pk")
    return [(user.email, sorted(user.aliases.values_list("email", flat=True))) for user in users]


def test_rest_takes_them_and_finds_them_in_any_form() -> None:
    workspace = make_workspace()
    key = make_key(workspace, ["directory:write", "stats:read"])
    user = {"email": ELODIE, "displayName": "Élodie", "aliases": [USER_AT_EXAMPLE]}
    assert post(key, user, USERS).json()["created"] == 1
    assert kept(workspace) == [("élodie@société.fr", [USER_AT_EXAMPLE])]
    for form in FORMS:
        again = user | {"email": unicodedata.normalize(form, ELODIE.upper())}
        assert post(key, again, USERS).json()["unchanged"] == 1
        assert get(key, USERS, {"search": again["email"]}).json()["count"] == 1
    taken_by_alias = post(key, {"email": USER_AT_EXAMPLE.upper(), "displayName": "x"}, USERS).json()
    assert [(wrong["field"], wrong["code"]) for wrong in taken_by_alias["rejected"]] == [("email", "not_allowed")]
    wrong = post(key, {"email": "é lodie@société.fr"}, USERS).json()["rejected"]
    assert [(one["field"], one["code"]) for one in wrong] == [("email", "invalid")]


def test_a_campaign_is_assigned_to_them() -> None:
    workspace = make_workspace()
    user = make_user(workspace, email=ELODIE)
    campaign = {"name": "Spring", "targetUrl": "https://example.com/", "assignedUsers": [ELODIE.upper()]}
    assert post(make_key(workspace, ["directory:write"]), campaign, CAMPAIGNS).json()["created"] == 1
    assert [one.user_id for one in user.assignments.all()] == [user.pk]


def test_clicks_and_links_name_them_in_any_form() -> None:
    workspace = make_workspace()
    alias = make_alias(make_user(workspace), email=ELODIE)
    key = make_key(workspace, ["clicks:write", "links:write"])
    for form in FORMS:
        spelt = unicodedata.normalize(form, ELODIE.upper())
        assert post(key, {"kind": "vcard", "alias": spelt}, CLICKS).json()["accepted"] == 1
        link = {"kind": "vcard", "targetUrl": "https://example.com/", "alias": spelt}
        assert post(key, link, LINKS).json()["rejected"] == []
    assert list(Click.objects.values_list("alias", "user")) == [(alias.pk, alias.user_id)] * len(FORMS)
    assert list(TrackedLink.objects.values_list("alias", flat=True)) == [alias.pk]
    unknown = {"kind": "vcard", "alias": USER_AT_EXAMPLE, "targetUrl": "https://example.com/"}
    for url, body in ((CLICKS, {"kind": "vcard", "alias": USER_AT_EXAMPLE}), (LINKS, unknown)):
        [rejected] = post(key, body, url).json()["rejected"]
        assert (rejected["field"], rejected["code"]) == ("alias", "not_found")


def test_a_file_of_clicks_names_them(tmp_path: Path) -> None:
    workspace = make_workspace()
    alias = make_alias(make_user(workspace), email=ELODIE)
    path = tmp_path / "clicks.csv"
    path.write_text(f"kind,clickedAt,alias\nvcard,2026-01-02T03:04:05Z,{ELODIE.upper()}\n", encoding="utf-8")
    call_command("import_clicks", str(path), "--workspace", workspace.public_id, stdout=StringIO(), stderr=StringIO())
    assert list(Click.objects.values_list("alias", flat=True)) == [alias.pk]


def test_a_file_of_users_has_them_also_beside_addresses_of_other_protocols(tmp_path: Path) -> None:
    workspace = make_workspace()
    path = tmp_path / "users.csv"
    rows = [
        "email,displayName,aliases",
        f"{ELODIE},Élodie,{USER_AT_EXAMPLE} δοκιμή@παράδειγμα.gr",
        "bob@example.com,Bob,X500:/o=First Organization/cn=bob smtp:БОБ@пример.рф SMTP:bob@example.com",
        f"{unicodedata.normalize('NFD', ELODIE.upper())},Twice,",
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    errors = StringIO()
    call_command("import_users", str(path), "--workspace", workspace.public_id, stdout=StringIO(), stderr=errors)
    assert kept(workspace) == [
        ("élodie@société.fr", ["δοκιμή@παράδειγμα.gr", USER_AT_EXAMPLE]),
        ("bob@example.com", ["боб@пример.рф"]),
    ]


def test_the_admin_takes_them_and_lets_browsers_take_them() -> None:
    workspace, staff = make_workspace(), superuser()
    values = {"workspace": workspace.pk, "email": f" {ELODIE} ", "display_name": "Élodie", "is_active": "on"}
    assert staff.post(address("workspaceuser", "add"), values).status_code == 302
    [user] = WorkspaceUser.objects.all()
    alias = {"workspace": workspace.pk, "user": user.pk, "email": USER_AT_EXAMPLE}
    assert staff.post(address("alias", "add"), alias).status_code == 302
    assert kept(workspace) == [("élodie@société.fr", [USER_AT_EXAMPLE])]
    # Each again in another form, and an alias that is the user's own e-mail.
    spelt = unicodedata.normalize("NFD", ELODIE.upper())
    for model, form, message in (
        ("workspaceuser", values | {"email": spelt}, "Another user of this workspace has this e-mail."),
        ("workspaceuser", values | {"email": USER_AT_EXAMPLE}, "This e-mail is an alias in this workspace."),
        ("alias", alias, "This e-mail is already an alias in this workspace."),
        ("alias", alias | {"email": spelt}, "This is a user&#x27;s own e-mail in this workspace."),
        ("alias", alias | {"email": "é lodie@société.fr"}, "Enter a valid email address."),
    ):
        assert message in staff.post(address(model, "add"), form).content.decode()
    # Browsers refuse such letters in inputs of the type email.
    for model in ("workspaceuser", "alias"):
        [field] = re.findall(r'<input[^>]* name="email"[^>]*>', staff.get(address(model, "add")).content.decode())
        assert 'type="text"' in field
        assert 'inputmode="email"' in field


def test_the_admin_imports_them() -> None:
    workspace, staff = make_workspace(), superuser()
    file = SimpleUploadedFile("people.csv", f"email,displayName\n{ELODIE},Élodie\n".encode())
    shown = staff.post(address("workspaceuser", "import"), {"workspace": workspace.pk, "file": file})
    assert "élodie@société.fr" in shown.content.decode() or ELODIE in shown.content.decode()
    [signed] = re.findall(r'name="confirmed" value="([^"]+)"', shown.content.decode())
    staff.post(address("workspaceuser", "import"), {"confirmed": html.unescape(signed)})
    assert kept(workspace) == [("élodie@société.fr", [])]
