"""Saving people and campaigns: finding or creating them, each list as a whole, with few statements."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_app.directory import Change, DirectoryResult, assign_users, save_campaigns, save_users
from stats_app.errors import FieldError, Refused, WorkspaceGone
from stats_app.ingest import ClickInput, Rejection
from stats_app.links import LinkInput, create_links
from stats_app.models import Address, Alias, Campaign, CampaignAssignment, Click, TrackedLink, Workspace, WorkspaceUser
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record
from tests.rest import statements

pytestmark = pytest.mark.django_db

TARGET = "https://www.example.com/"
Item = dict[str, Any]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def outcomes(result: DirectoryResult) -> tuple[int, int, int, list[tuple[int, str, str]]]:
    """Created, updated, unchanged, and what is wrong by position."""
    wrong = [(one.index, one.field, one.code) for one in result.rejected]
    return result.created, result.updated, result.unchanged, wrong


def people(workspace: Workspace) -> list[tuple[Any, ...]]:
    """Everybody in the workspace. The addresses must be theirs. Databases may sort e-mails differently than Python."""
    users = WorkspaceUser.objects.filter(workspace=workspace).prefetch_related("aliases")
    addresses = set(Address.objects.filter(workspace=workspace).values_list("email", "user", "alias"))
    assert addresses == {(user.email, user.pk, None) for user in users} | {
        (alias.email, None, alias.pk) for user in users for alias in user.aliases.all()
    }
    return [
        (
            user.external_id,
            user.email,
            user.display_name,
            user.is_active,
            sorted(one.email for one in user.aliases.all()),
        )
        for user in sorted(users, key=lambda user: user.email)
    ]


def rejection(workspace: Workspace, item: Any) -> tuple[str, str, str]:
    """What is wrong with the one item; nothing may be saved of it."""
    before = people(workspace)
    result = save_users(workspace, [item])
    [wrong] = result.rejected
    assert (result.created, result.updated, result.unchanged, result.results) == (0, 0, 0, [])
    assert people(workspace) == before
    return wrong.field, wrong.code, wrong.message


# --- users


def test_a_user_is_made_of_all_fields_or_of_an_email(workspace: Workspace) -> None:
    result = save_users(
        workspace,
        [
            {
                "externalId": "17",
                "email": " Ada@Example.com ",
                "displayName": "Ada Lovelace",
                "isActive": False,
                "aliases": ["a.l@example.com", "ADA.L@example.com", "ada@example.com", "ada.l@example.com"],
            },
            {"email": "bob@example.com"},
        ],
    )
    assert outcomes(result) == (2, 0, 0, [])
    assert people(workspace) == [
        ("17", "ada@example.com", "Ada Lovelace", False, ["a.l@example.com", "ada.l@example.com"]),
        (None, "bob@example.com", "", True, []),
    ]
    ids = dict(WorkspaceUser.objects.values_list("email", "public_id"))
    assert [(saved.index, saved.public_id) for saved in result.results] == [
        (0, ids["ada@example.com"]),
        (1, ids["bob@example.com"]),
    ]


def test_a_field_left_out_stays_and_the_same_again_changes_nothing(workspace: Workspace) -> None:
    whole = {"externalId": "17", "email": "ada@example.com", "displayName": "Ada", "aliases": ["al@example.com"]}
    save_users(workspace, [whole])
    before = people(workspace)
    for item in (whole, {"email": "ada@example.com"}, {"externalId": "17"}):
        assert outcomes(save_users(workspace, [item])) == (0, 0, 1, [])
        assert people(workspace) == before
    result = save_users(workspace, [{"externalId": "17", "isActive": False}])
    assert outcomes(result) == (0, 1, 0, [])
    assert result.results[0].changes == (Change("isActive", True, False),)
    assert people(workspace) == [("17", "ada@example.com", "Ada", False, ["al@example.com"])]


def test_a_user_is_found_by_public_id_then_external_id_then_email(workspace: Workspace) -> None:
    ada = make_user(workspace, email="ada@example.com", external_id="1", display_name="")
    bob = make_user(workspace, email="bob@example.com", external_id="2", display_name="")
    result = save_users(
        workspace,
        [
            {"publicId": ada.public_id, "externalId": "9", "email": "new@example.com"},
            {"externalId": "2", "email": "bobby@example.com"},
        ],
    )
    assert [saved.public_id for saved in result.results] == [ada.public_id, bob.public_id]
    assert people(workspace) == [("2", "bobby@example.com", "", True, []), ("9", "new@example.com", "", True, [])]
    # Another directory has other external ids for everybody.
    assert outcomes(save_users(workspace, [{"externalId": "77", "email": "BOBBY@example.com"}])) == (0, 1, 0, [])
    assert people(workspace)[0] == ("77", "bobby@example.com", "", True, [])
    assert outcomes(save_users(workspace, [{"publicId": ada.public_id, "externalId": None}])) == (0, 1, 0, [])
    assert people(workspace)[1] == (None, "new@example.com", "", True, [])


def test_emails_and_external_ids_are_swapped_within_a_list(workspace: Workspace) -> None:
    ada = make_user(workspace, email="ada@example.com", external_id="1", display_name="Ada")
    bob = make_user(workspace, email="bob@example.com", external_id="2", display_name="Bob")
    save_users(
        workspace,
        [{"externalId": "1", "email": "bob@example.com"}, {"externalId": "2", "email": "ada@example.com"}],
    )
    assert [person[:3] for person in people(workspace)] == [
        ("2", "ada@example.com", "Bob"),
        ("1", "bob@example.com", "Ada"),
    ]
    save_users(
        workspace,
        [{"publicId": ada.public_id, "externalId": "2"}, {"publicId": bob.public_id, "externalId": "1"}],
    )
    assert [person[:3] for person in people(workspace)] == [
        ("1", "ada@example.com", "Bob"),
        ("2", "bob@example.com", "Ada"),
    ]


def test_aliases_move_between_the_users_of_a_list_and_change_place_with_emails(workspace: Workspace) -> None:
    ada = make_user(workspace, email="ada@example.com", external_id="1", display_name="")
    bob = make_user(workspace, email="bob@example.com", external_id="2", display_name="")
    make_alias(ada, email="first@example.com")
    make_alias(bob, email="second@example.com")
    swap = [
        {"externalId": "1", "aliases": ["second@example.com"]},
        {"externalId": "2", "aliases": ["first@example.com"]},
    ]
    result = save_users(workspace, swap)
    assert outcomes(result) == (0, 2, 0, [])
    assert result.results[0].changes == (Change("aliases", ("first@example.com",), ("second@example.com",)),)
    assert [person[4] for person in people(workspace)] == [["second@example.com"], ["first@example.com"]]
    # An old e-mail becomes an alias, the alias of another one an e-mail.
    result = save_users(
        workspace,
        [
            {"externalId": "1", "email": "first@example.com", "aliases": ["ada@example.com"]},
            {"externalId": "2", "email": "second@example.com", "aliases": ["bob@example.com"]},
        ],
    )
    assert outcomes(result) == (0, 2, 0, [])
    assert people(workspace) == [
        ("1", "first@example.com", "", True, ["ada@example.com"]),
        ("2", "second@example.com", "", True, ["bob@example.com"]),
    ]


def test_an_own_alias_may_become_the_own_email(workspace: Workspace) -> None:
    save_users(workspace, [{"externalId": "1", "email": "old@example.com", "aliases": ["new@example.com"]}])
    assert outcomes(save_users(workspace, [{"externalId": "1", "email": "new@example.com"}])) == (0, 1, 0, [])
    assert people(workspace) == [("1", "new@example.com", "", True, [])]


def test_a_new_person_gets_the_email_that_another_one_parts_with(workspace: Workspace) -> None:
    save_users(workspace, [{"externalId": "1", "email": "smith@example.com"}])
    result = save_users(
        workspace,
        [{"externalId": "2", "email": "smith@example.com"}, {"externalId": "1", "email": "smith.old@example.com"}],
    )
    assert outcomes(result) == (1, 1, 0, [])
    assert [person[:2] for person in people(workspace)] == [("1", "smith.old@example.com"), ("2", "smith@example.com")]


def test_what_another_user_has_is_not_given_away(workspace: Workspace) -> None:
    bob = make_user(workspace, email="bob@example.com", external_id="2", display_name="")
    make_alias(bob, email="robert@example.com")
    ada = make_user(workspace, email="ada@example.com", display_name="")
    for item in (
        {"email": "Robert@example.com"},
        {"externalId": "9", "email": "robert@example.com"},
        {"publicId": ada.public_id, "email": "bob@example.com"},
    ):
        field, code, message = rejection(workspace, item)
        assert (field, code) == ("email", "not_allowed")
        assert message in (f'email "{email}@example.com" belongs to another user.' for email in ("robert", "bob"))
    for alias in ("bob@example.com", "ROBERT@example.com"):
        assert rejection(workspace, {"email": "ada@example.com", "aliases": [alias]}) == (
            "aliases",
            "not_allowed",
            f'aliases "{alias.lower()}" belongs to another user.',
        )
    assert rejection(workspace, {"publicId": ada.public_id, "externalId": "2"}) == (
        "externalId",
        "not_allowed",
        'externalId "2" belongs to another user.',
    )


def test_of_two_items_for_one_person_the_first_is_saved(workspace: Workspace) -> None:
    save_users(workspace, [{"externalId": "1", "email": "ada@example.com"}])
    result = save_users(
        workspace,
        [
            {"email": "ada@example.com", "displayName": "Ada"},
            {"externalId": "1", "displayName": "Ada Lovelace"},
            {"email": "bob@example.com"},
            {"email": "BOB@example.com", "displayName": "Bob"},
            {"externalId": "7", "email": "carol@example.com"},
            {"externalId": "7", "email": "dave@example.com"},
            {"email": "erin@example.com", "aliases": ["carol@example.com"]},
        ],
    )
    assert outcomes(result) == (
        2,
        1,
        0,
        [
            (1, "externalId", "repeated"),
            (3, "email", "repeated"),
            (5, "externalId", "repeated"),
            (6, "aliases", "repeated"),
        ],
    )
    assert result.rejected[0].message == 'externalId "1" names a user that an earlier item already names.'
    assert result.rejected[1].message == 'email "bob@example.com" is already given by an earlier item.'
    assert [person[1:3] for person in people(workspace)] == [
        ("ada@example.com", "Ada"),
        ("bob@example.com", ""),
        ("carol@example.com", ""),
    ]


def test_an_item_that_is_refused_keeps_what_it_has_from_the_others(workspace: Workspace) -> None:
    save_users(workspace, [{"externalId": str(n), "email": f"user{n}@example.com"} for n in range(4)])
    # Everybody takes over the next one's e-mail, but the last one wants one that is taken.
    make_user(workspace, email="taken@example.com", display_name="")
    emails = ["user1@example.com", "user2@example.com", "user3@example.com", "taken@example.com"]
    before = people(workspace)
    result = save_users(workspace, [{"externalId": str(n), "email": email} for n, email in enumerate(emails)])
    assert outcomes(result) == (0, 0, 0, [(n, "email", "not_allowed") for n in range(4)])
    assert people(workspace) == before


@pytest.mark.parametrize(
    ("written", "stored"),
    [("ADA@ÉCOLE.FR", "ada@école.fr"), ("Straße@Example.com".replace("ß", "ss"), "strasse@example.com")],
)
def test_emails_are_one_whatever_their_case_and_form(workspace: Workspace, written: str, stored: str) -> None:
    assert outcomes(save_users(workspace, [{"email": written}])) == (1, 0, 0, [])
    assert outcomes(save_users(workspace, [{"email": stored}])) == (0, 0, 1, [])
    decomposed = stored.replace("é", "e\u0301")
    assert outcomes(save_users(workspace, [{"email": decomposed}])) == (0, 0, 1, [])
    assert people(workspace)[0][1] == stored


@pytest.mark.parametrize(
    ("item", "field", "code"),
    [
        ({}, "email", "required"),
        ({"displayName": "Ada"}, "email", "required"),
        ({"externalId": "1"}, "email", "required"),
        ({"email": None}, "email", "invalid"),
        ({"email": ""}, "email", "invalid"),
        ({"email": "ada"}, "email", "invalid"),
        ({"email": ["ada@example.com"]}, "email", "invalid"),
        ({"email": "ada\0@example.com"}, "email", "invalid"),
        ({"email": f"{'a' * 250}@example.com"}, "email", "too_long"),
        ({"email": "a@example.com", "displayName": "x" * 201}, "displayName", "too_long"),
        ({"email": "a@example.com", "displayName": "A\nB"}, "displayName", "invalid"),
        ({"email": "a@example.com", "displayName": "\u200b"}, "displayName", "invalid"),
        ({"email": "a@example.com", "displayName": "\ud800"}, "displayName", "invalid"),
        ({"email": "a@example.com", "displayName": 5}, "displayName", "invalid"),
        ({"email": "a@example.com", "isActive": "yes"}, "isActive", "invalid"),
        ({"email": "a@example.com", "isActive": None}, "isActive", "invalid"),
        ({"email": "a@example.com", "isActive": 1}, "isActive", "invalid"),
        ({"email": "a@example.com", "aliases": "b@example.com"}, "aliases", "invalid"),
        ({"email": "a@example.com", "aliases": ["b"]}, "aliases", "invalid"),
        ({"email": "a@example.com", "aliases": [None]}, "aliases", "invalid"),
        ({"email": "a@example.com", "aliases": None}, "aliases", "invalid"),
        ({"email": "a@example.com", "externalId": 5}, "externalId", "invalid"),
        ({"email": "a@example.com", "externalId": "5" * 201}, "externalId", "too_long"),
        ({"publicId": "usr_x", "email": "a@example.com"}, "publicId", "invalid"),
        ({"publicId": "usr_01jzk3f8q2v6x9w4r7t5n0m1ab", "email": "a@example.com"}, "publicId", "not_found"),
        ({"email": "a@example.com", "mail": "b@example.com"}, "mail", "unknown"),
        ("ada@example.com", "user", "invalid"),
        (None, "user", "invalid"),
        (FieldError("line", "invalid", "line is not CSV."), "line", "invalid"),
    ],
)
def test_a_wrong_user_is_refused_by_field_and_code(workspace: Workspace, item: object, field: str, code: str) -> None:
    found_field, found_code, message = rejection(workspace, item)
    assert (found_field, found_code) == (field, code)
    assert message.startswith(field)


def test_right_items_around_wrong_ones_are_saved(workspace: Workspace) -> None:
    items = [{"email": "a@example.com"}, {"email": "?"}, {"email": "b@example.com"}, {"isActive": True}]
    result = save_users(workspace, items)
    assert (result.created, [saved.index for saved in result.results]) == (2, [0, 2])
    assert result.rejected == [
        Rejection(1, "email", "invalid", 'email must be an e-mail address, not "?".'),
        Rejection(3, "email", "required", "email is required: an e-mail address, such as ada@example.com."),
    ]


def test_another_workspace_is_not_met(workspace: Workspace) -> None:
    stranger = make_user(make_workspace(name="Globex"), email="ada@example.com", external_id="1")
    make_alias(stranger, email="al@example.com")
    result = save_users(workspace, [{"externalId": "1", "email": "ada@example.com", "aliases": ["al@example.com"]}])
    assert outcomes(result) == (1, 0, 0, [])
    assert rejection(workspace, {"publicId": stranger.public_id})[:2] == ("publicId", "not_found")
    stranger.refresh_from_db()
    assert (stranger.display_name, stranger.aliases.count()) == ("Ada Lovelace", 1)


def test_a_dry_run_finds_the_same_and_saves_nothing(workspace: Workspace) -> None:
    items = [{"externalId": "1", "email": "a@example.com", "aliases": ["b@example.com"]}, {"email": "c@example.com"}]
    save_users(workspace, items)
    before = people(workspace)
    changed = [
        {"externalId": "1", "aliases": []},
        {"email": "c@example.com"},
        {"email": "d@example.com"},
        {"email": "e"},
    ]
    rehearsed = save_users(workspace, changed, dry_run=True)
    assert people(workspace) == before
    assert outcomes(rehearsed) == (1, 1, 1, [(3, "email", "invalid")])
    done = save_users(workspace, changed)
    assert outcomes(done) == outcomes(rehearsed)
    assert [saved.changes for saved in done.results] == [saved.changes for saved in rehearsed.results]


def test_an_alias_that_goes_is_taken_out_of_clicks_and_links(workspace: Workspace) -> None:
    save_users(workspace, [{"email": "ada@example.com", "aliases": ["al@example.com"]}])
    create_links(workspace, [LinkInput("other", TARGET, alias="al@example.com")])
    record(workspace, ClickInput("other", alias="al@example.com"))
    assert outcomes(save_users(workspace, [{"email": "ada@example.com", "aliases": []}])) == (0, 1, 0, [])
    user = WorkspaceUser.objects.get()
    assert list(Click.objects.values_list("user", "alias")) == [(user.pk, None)]
    assert list(TrackedLink.objects.values_list("user", "alias")) == [(user.pk, None)]


def test_the_number_of_statements_does_not_grow() -> None:
    def items(number: int, name: str) -> list[Item]:
        return [
            {
                "externalId": f"{n}",
                "email": f"user{n}{name}@example.com",
                "displayName": name,
                "aliases": [f"alias{n}{name}@example.com", f"further{n}@example.com"],
            }
            for n in range(number)
        ]

    def counts(number: int) -> list[int]:
        """Of making, of the same again, and of changing every one."""
        workspace, numbers = make_workspace(), []
        for name in ("x", "x", "y"):
            with statements() as executed:
                result = save_users(workspace, items(number, name))
            assert result.rejected == []
            numbers.append(len(executed))
        return numbers

    few, many = counts(2), counts(400)
    assert many[:2] == few[:2]
    # Deleting aliases is Django's own, which takes them in parts.
    assert few[2] <= many[2] <= few[2] + 10
    assert max(many) < 50


def test_a_workspace_that_is_gone_is_told() -> None:
    gone = make_workspace()
    Workspace.objects.all().delete()
    with pytest.raises(WorkspaceGone):
        save_users(gone, [{"email": "a@example.com"}])


# --- whom a whole list does not name


def make_staff(workspace: Workspace, number: int) -> list[Item]:
    items: list[Item] = [{"externalId": str(n), "email": f"user{n}@example.com"} for n in range(number)]
    save_users(workspace, items)
    return items


def active(workspace: Workspace) -> list[str]:
    users = WorkspaceUser.objects.filter(workspace=workspace, is_active=True)
    return sorted(users.values_list("email", flat=True))


def test_who_is_not_named_is_made_inactive_and_nobody_is_deleted(workspace: Workspace) -> None:
    items = make_staff(workspace, 4)
    other = make_user(make_workspace(name="Globex"))
    result = save_users(workspace, items[:2], deactivate_missing=True)
    assert (outcomes(result), result.deactivated) == ((0, 0, 2, []), ["user2@example.com", "user3@example.com"])
    assert active(workspace) == ["user0@example.com", "user1@example.com"]
    assert WorkspaceUser.objects.filter(workspace=workspace).count() == 4
    other.refresh_from_db()
    assert other.is_active
    assert save_users(workspace, items[:2], deactivate_missing=True).deactivated == []


def test_more_than_half_are_not_made_inactive_unless_forced(workspace: Workspace) -> None:
    items = make_staff(workspace, 5)
    with pytest.raises(Refused, match="3 of 5 active users are missing, more than half"):
        save_users(workspace, [*items[:2], {"email": "new@example.com"}], deactivate_missing=True)
    assert len(active(workspace)) == 5
    result = save_users(workspace, items[:2], deactivate_missing=True, force=True)
    assert len(result.deactivated) == 3
    assert len(active(workspace)) == 2


def test_a_wrong_item_names_somebody_and_one_that_cannot_be_read_may(workspace: Workspace) -> None:
    items = make_staff(workspace, 5)
    wrong = {"email": "renamed@example.com", "aliases": ["user4@example.com"]}
    result = save_users(workspace, [*items[:3], {"externalId": "3", "email": "?"}, wrong], deactivate_missing=True)
    assert (len(result.rejected), result.deactivated) == (2, [])
    unreadable = FieldError("line", "invalid", "line is not CSV.")
    with pytest.raises(Refused, match="1 of the items cannot be read"):
        save_users(workspace, [*items[:4], unreadable], deactivate_missing=True)
    assert len(active(workspace)) == 5
    dry = save_users(workspace, [*items[:4], unreadable], deactivate_missing=True, force=True, dry_run=True)
    assert (dry.deactivated, len(active(workspace))) == (["user4@example.com"], 5)


@pytest.mark.parametrize("item", [{"email": "user4example.com"}, {"email": "?", "publicId": "usr_4"}])
def test_an_item_whose_only_id_is_misspelled_may_name_anybody(workspace: Workspace, item: dict[str, Any]) -> None:
    items = make_staff(workspace, 5)
    with pytest.raises(Refused, match="1 of the items cannot be read"):
        save_users(workspace, [*items[:4], item], deactivate_missing=True)
    assert len(active(workspace)) == 5
    nobody = {"email": "", "displayName": "Room 1"}
    assert save_users(workspace, [*items[:4], nobody], deactivate_missing=True).deactivated == ["user4@example.com"]


# --- any lists at all

EMAILS = [f"{name}@example.com" for name in ("a", "b", "c", "d")]
some_emails = st.sampled_from(EMAILS)
some_users = st.fixed_dictionaries(
    {},
    optional={
        "publicId": st.integers(0, 2),  # which of the users that are there
        "externalId": st.sampled_from(["1", "2", None]),
        "email": some_emails,
        "displayName": st.sampled_from(["", "Ada"]),
        "isActive": st.booleans(),
        "aliases": st.lists(some_emails, max_size=2),
    },
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.lists(some_users, max_size=5), min_size=1, max_size=3))
def test_whatever_comes_the_rules_hold_and_the_same_again_changes_nothing(lists: list[list[Item]]) -> None:
    workspace = make_workspace()
    for given_items in lists:
        ids = list(WorkspaceUser.objects.filter(workspace=workspace).order_by("pk").values_list("public_id", flat=True))
        items = [
            item | {"publicId": ids[item["publicId"]]}
            if item.get("publicId", 9) < len(ids)
            else {name: value for name, value in item.items() if name != "publicId"}
            for item in given_items
        ]
        before = people(workspace)
        rehearsed = save_users(workspace, items, dry_run=True)
        assert people(workspace) == before
        result = save_users(workspace, items)
        after = people(workspace)  # with the addresses
        assert outcomes(result) == outcomes(rehearsed)
        assert len(result.results) + len(result.rejected) == len(items)
        assert len(after) == len(before) + result.created
        for saved in result.results:
            user = WorkspaceUser.objects.get(public_id=saved.public_id)
            item = items[saved.index]
            assert item.get("email", user.email) == user.email
            assert item.get("externalId", user.external_id) == user.external_id
            named = {alias.email for alias in user.aliases.all()}
            assert "aliases" not in item or set(item["aliases"]) - {user.email} == named
        if not result.rejected:
            again = save_users(workspace, items)
            assert outcomes(again) == (0, 0, len(items), [])
            assert people(workspace) == after


# --- campaigns


def campaigns(workspace: Workspace) -> list[tuple[Any, ...]]:
    rows = Campaign.objects.filter(workspace=workspace).order_by("pk").prefetch_related("assigned_users")
    return [
        (
            row.external_id,
            row.name,
            row.target_url,
            row.starts_on,
            row.ends_on,
            row.is_paused,
            sorted(user.email for user in row.assigned_users.all()),
        )
        for row in rows
    ]


def test_a_campaign_is_made_of_all_fields_or_of_two(workspace: Workspace) -> None:
    ada, bob = make_user(workspace, email="ada@example.com"), make_user(workspace, email="bob@example.com")
    make_alias(bob, email="robert@example.com")
    whole = {
        "externalId": "spring",
        "name": " Spring launch ",
        "targetUrl": "https://www.example.com/spring",
        "startDate": "2026-03-01",
        "endDate": "2026-03-31",
        "isPaused": True,
        "assignedUsers": [ada.public_id, "Robert@example.com", "bob@example.com"],
    }
    result = save_campaigns(workspace, [whole, {"name": "Summer", "targetUrl": TARGET}])
    assert outcomes(result) == (2, 0, 0, [])
    assert campaigns(workspace) == [
        (
            "spring",
            "Spring launch",
            "https://www.example.com/spring",
            date(2026, 3, 1),
            date(2026, 3, 31),
            True,
            ["ada@example.com", "bob@example.com"],
        ),
        (None, "Summer", TARGET, None, None, False, []),
    ]
    assert [saved.public_id for saved in result.results] == [row.public_id for row in Campaign.objects.order_by("pk")]
    assert set(CampaignAssignment.objects.values_list("workspace", flat=True)) == {workspace.pk}


def test_the_same_campaigns_again_change_nothing_with_an_external_id_or_without(workspace: Workspace) -> None:
    make_user(workspace, email="ada@example.com")
    items = [
        {"externalId": "1", "name": "Spring", "targetUrl": TARGET, "assignedUsers": ["ada@example.com"]},
        {"name": "Summer", "targetUrl": TARGET, "startDate": "2026-06-01", "assignedUsers": ["ada@example.com"]},
    ]
    assert outcomes(save_campaigns(workspace, items)) == (2, 0, 0, [])
    before = campaigns(workspace)
    assigned = list(CampaignAssignment.objects.values_list("pk", "assigned_at"))
    assert outcomes(save_campaigns(workspace, items)) == (0, 0, 2, [])
    assert campaigns(workspace) == before
    assert list(CampaignAssignment.objects.values_list("pk", "assigned_at")) == assigned
    assert outcomes(save_campaigns(workspace, [items[1], items[1]])) == (0, 0, 1, [(1, "name", "repeated")])
    # With another date it is another one.
    assert outcomes(save_campaigns(workspace, [items[1] | {"startDate": "2027-06-01"}])) == (1, 0, 0, [])


def test_a_campaign_changes_field_by_field(workspace: Workspace) -> None:
    ada, _bob = make_user(workspace, email="ada@example.com"), make_user(workspace, email="bob@example.com")
    campaign = make_campaign(workspace, external_id="1", ends_on=date(2026, 3, 31))
    assign(campaign, ada)
    result = save_campaigns(
        workspace,
        [{"externalId": "1", "endDate": None, "isPaused": True, "assignedUsers": ["bob@example.com"]}],
    )
    assert result.results[0].changes == (
        Change("endDate", date(2026, 3, 31), None),
        Change("isPaused", False, True),
        Change("assignedUsers", ("ada@example.com",), ("bob@example.com",)),
    )
    assert campaigns(workspace) == [("1", "Spring launch", TARGET, None, None, True, ["bob@example.com"])]
    assert outcomes(save_campaigns(workspace, [{"publicId": campaign.public_id, "name": "Autumn"}])) == (0, 1, 0, [])
    assert outcomes(save_campaigns(workspace, [{"externalId": "1", "assignedUsers": []}])) == (0, 1, 0, [])
    assert campaigns(workspace) == [("1", "Autumn", TARGET, None, None, True, [])]


def test_external_ids_of_campaigns_are_swapped_within_a_list(workspace: Workspace) -> None:
    first, second = (make_campaign(workspace, name=name, external_id=name) for name in ("a", "b"))
    result = save_campaigns(
        workspace,
        [{"publicId": first.public_id, "externalId": "b"}, {"publicId": second.public_id, "externalId": "a"}],
    )
    assert outcomes(result) == (0, 2, 0, [])
    assert [(row[0], row[1]) for row in campaigns(workspace)] == [("b", "a"), ("a", "b")]
    result = save_campaigns(workspace, [{"publicId": first.public_id, "externalId": "a"}])
    assert [wrong.message for wrong in result.rejected] == ['externalId "a" belongs to another campaign.']


@pytest.mark.parametrize(
    ("item", "field", "code"),
    [
        ({}, "name", "required"),
        ({"name": "Spring"}, "targetUrl", "required"),
        ({"name": "", "targetUrl": TARGET}, "name", "invalid"),
        ({"name": "x" * 201, "targetUrl": TARGET}, "name", "too_long"),
        ({"name": "Spring", "targetUrl": "javascript:alert(1)"}, "targetUrl", "invalid"),
        ({"name": "Spring", "targetUrl": "www.example.com"}, "targetUrl", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET + "x" * 2000}, "targetUrl", "too_long"),
        ({"name": "Spring", "targetUrl": TARGET + "日" * 250}, "targetUrl", "too_long"),
        ({"name": "Spring", "targetUrl": TARGET + "\ud800" * 250}, "targetUrl", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "startDate": "1.3.2026"}, "startDate", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "endDate": "2026-02-30"}, "endDate", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "endDate": "1999-12-31"}, "endDate", "out_of_range"),
        (
            {"name": "Spring", "targetUrl": TARGET, "startDate": "2026-03-02", "endDate": "2026-03-01"},
            "endDate",
            "invalid",
        ),
        ({"externalId": "known", "startDate": "2026-04-01"}, "startDate", "invalid"),
        ({"externalId": "known", "endDate": "2026-02-28"}, "endDate", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "isPaused": 0}, "isPaused", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "assignedUsers": "ada@example.com"}, "assignedUsers", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "assignedUsers": ["?"]}, "assignedUsers", "invalid"),
        ({"name": "Spring", "targetUrl": TARGET, "assignedUsers": ["n@example.com"]}, "assignedUsers", "not_found"),
        ({"name": "Spring", "targetUrl": TARGET, "assignedUsers": ["s@example.com"]}, "assignedUsers", "not_found"),
        ({"publicId": "cp_01jzk3f8q2v6x9w4r7t5n0m1ab"}, "publicId", "not_found"),
        ({"name": "Spring", "targetUrl": TARGET, "status": "running"}, "status", "unknown"),
        ([], "campaign", "invalid"),
    ],
)
def test_a_wrong_campaign_is_refused_by_field_and_code(workspace: Workspace, item: Any, field: str, code: str) -> None:
    make_user(make_workspace(name="Globex"), email="s@example.com")
    make_campaign(workspace, external_id="known", starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 31))
    before = campaigns(workspace)
    result = save_campaigns(workspace, [item, {"name": "Right", "targetUrl": TARGET}])
    assert outcomes(result) == (1, 0, 0, [(0, field, code)])
    assert result.rejected[0].message.startswith(field)
    assert campaigns(workspace)[:-1] == before


def test_the_number_of_statements_for_campaigns_does_not_grow() -> None:
    def counts(number: int) -> list[int]:
        """Of making, of the same again, and of changing every one."""
        workspace, numbers = make_workspace(), []
        save_users(workspace, [{"email": f"user{n}@example.com"} for n in range(number + 5)])
        for shift in (0, 0, 1):
            items = [
                {
                    "externalId": f"{n}",
                    "name": f"Campaign {n} {shift}",
                    "targetUrl": TARGET,
                    "assignedUsers": [f"user{(n + m + shift) % (number + 5)}@example.com" for m in range(5)],
                }
                for n in range(number)
            ]
            with statements() as executed:
                assert save_campaigns(workspace, items).rejected == []
            numbers.append(len(executed))
        return numbers

    assert counts(2) == counts(300)


def test_the_database_holds_what_a_list_may_not_say(workspace: Workspace) -> None:
    """Whoever writes past the directory is refused, too."""
    user, stranger = make_user(workspace), make_user(make_workspace(name="Globex"))
    campaign = make_campaign(workspace)
    for write in (
        lambda: make_alias(user, email=user.email),
        lambda: make_campaign(workspace, starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 1)),
        lambda: make_campaign(workspace, target_url="javascript:alert(1)"),
        lambda: Alias.objects.create(workspace=workspace, user=stranger, email="x@example.com"),
        lambda: assign(campaign, stranger),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()


def test_nobody_is_assigned_to_a_campaign_that_was_deleted_meanwhile() -> None:
    workspace = make_workspace()
    campaign, ada = make_campaign(workspace), make_user(workspace)
    Campaign.objects.filter(pk=campaign.pk).delete()
    assert assign_users(campaign, [ada.pk]) == 0
