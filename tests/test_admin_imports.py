"""Import in the admin, and people assigned to a campaign many at once."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from stats_app.admin import imports
from stats_app.directory import NewCampaign, NewUser, fields_of, save_users
from stats_app.errors import FIELD_CODES
from stats_app.models import Campaign, CampaignAssignment, Workspace, WorkspaceUser
from tests.admin_cast import address, first_workspace, login, superuser
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace
from tests.test_directory import campaigns, people

pytestmark = pytest.mark.django_db

PEOPLE = "email,displayName,aliases\nada@example.com,Ada Lovelace,al@example.com\nbob@example.com,Bob,\ncarol,Carol,\n"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def upload(
    client: Client, workspace: Workspace, content: str, model: str = "workspaceuser", **more: Any
) -> HttpResponse:
    file = SimpleUploadedFile(more.pop("name", "people.csv"), content.encode())
    return client.post(address(model, "import"), {"workspace": workspace.pk, "file": file, **more})


def confirmation(response: HttpResponse) -> str:
    [signed] = re.findall(r'name="confirmed" value="([^"]+)"', response.content.decode())
    return html.unescape(signed)


def confirm(client: Client, response: HttpResponse, model: str = "workspaceuser") -> HttpResponse:
    return client.post(address(model, "import"), {"confirmed": confirmation(response)}, follow=True)


def text_of(response: HttpResponse) -> str:
    body = response.content.decode().partition('<div id="content-main">')[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def logged(row: Workspace | Campaign) -> list[str]:
    """What the history of the row says."""
    history = superuser().get(address(type(row)._meta.model_name or "", "history", row)).content.decode()
    body = html.unescape(history.partition('<div id="content-main">')[2])
    return re.findall(r"(?:Imported|Assigned) [^<]*?\.", body)


def test_what_would_change_is_shown_and_then_saved(workspace: Workspace) -> None:
    client = superuser()
    bob = make_user(workspace, email="bob@example.com", display_name="Robert")
    make_alias(bob, email="b@example.com")
    make_user(workspace, email="dave@example.com", display_name="Dave")
    before = people(workspace)
    response = upload(client, workspace, PEOPLE + "dave@example.com,Dave,\n")
    shown = text_of(response)
    assert "In Acme: 1 would be created, 1 changed, 1 unchanged, 1 rejected. Nothing is saved yet." in shown
    assert (
        "Rejected Line Column Problem Details 4 e-mail must be an e-mail address "
        'email must be an e-mail address, not "carol".' in shown
    )
    assert "Changed Line Name Changes 3 Bob name: Robert → Bob aliases: b@example.com" in shown
    assert (
        "New Line Name Values 2 Ada Lovelace e-mail: ada@example.com name: Ada Lovelace aliases: al@example.com"
        in shown
    )
    assert people(workspace) == before
    assert logged(workspace) == []
    done = confirm(client, response).content.decode()
    assert "Imported: 1 created, 1 changed, 1 unchanged, 1 rejected." in done
    assert logged(workspace) == ["Imported workspace users: 1 created, 1 changed, 1 unchanged, 1 rejected."]
    assert [person[1:] for person in people(workspace)] == [
        ("ada@example.com", "Ada Lovelace", True, ["al@example.com"]),
        ("bob@example.com", "Bob", True, []),
        ("dave@example.com", "Dave", True, []),
    ]


def test_names_in_another_direction_do_not_turn_a_change_around(workspace: Workspace) -> None:
    make_user(workspace, email="bob@example.com", display_name="אבא")
    response = upload(superuser(), workspace, "email,displayName\nbob@example.com,אמא\n")
    assert '<del dir="auto">אבא</del> → <ins dir="auto">אמא</ins>' in response.content.decode()


def rejected_rows(response: HttpResponse) -> list[tuple[str, str, str, str]]:
    """The line, the column, the problem and the English sentence of each rejected row."""
    row = re.compile(r"<tr><td>(.*?)</td><td><bdi>(.*?)</bdi></td><td>(.*?)</td><td><bdi lang=\"en\">(.*?)</bdi></td>")
    return [tuple(map(html.unescape, cells)) for cells in row.findall(response.content.decode())]  # type: ignore[misc]


PUBLIC_ID = "usr_" + "0" * 26

FRENCH_OF_PEOPLE = [
    ({"email": "carol"}, "e-mail", "doit être une adresse e-mail"),
    ({"displayName": "Carol"}, "e-mail", "manque, alors qu’un nouvel enregistrement en a besoin"),
    ({"email": "c@x.fr", "displayName": "a\u0007"}, "nom", "doit être un texte visible sans caractères de contrôle"),
    ({"email": "c@x.fr", "externalId": "a\u0007"}, "identifiant externe",
     "doit être un texte visible sans caractères de contrôle"),
    ({"email": "c@x.fr", "isActive": "perhaps"}, "actif", "doit être vrai ou faux, oui ou non, 1 ou 0"),
    ({"email": "c@x.fr", "aliases": ["bob"]}, "alias", "doit se composer d’adresses e-mail"),
    ({"email": "c@x.fr", "colour": "red"}, "colour", "n’est pas une colonne de cette importation"),
    ({"email": "c@x.fr", "displayName": "a" * 201}, "nom", "a trop de caractères"),
    ({"publicId": "x"}, "identifiant public", "doit être un identifiant public, comme l’administration les montre"),
    ({"publicId": PUBLIC_ID}, "identifiant public", "n’est pas dans cet espace de travail"),
    ({"email": "ada@example.com", "externalId": "7"}, "e-mail",
     "est déjà pris, ou appartenait à une personne qui a été effacée"),
    ({"email": "twice@x.fr"}, "", ""),
    ({"email": "twice@x.fr"}, "e-mail", "est donné plus d’une fois, sur cette ligne ou sur une précédente"),
    ("[", "ligne", "ne peut pas être lue : elle doit être en UTF-8, avec autant de cellules que la première ligne ou, "
     "en lignes JSON, un seul objet"),
]  # fmt: skip
FRENCH_OF_CAMPAIGNS = [
    ({"name": "A"}, "adresse cible", "manque, alors qu’un nouvel enregistrement en a besoin"),
    ({"name": "A", "targetUrl": "x"}, "adresse cible", "doit être une adresse http ou https complète"),
    ({"name": " ", "targetUrl": "https://x.fr/"}, "nom", "doit être un texte visible sans caractères de contrôle"),
    ({"startDate": "1.2.2026"}, "commence le",
     "doit être une date comme 2026-03-31, et la fin ne pas précéder le début"),
    ({"endDate": "2126-02-01"}, "finit le", "doit être une date du 2000-01-01 au 2099-12-31"),
    ({"name": "A", "targetUrl": "https://x.fr/", "startDate": "2026-02-02", "endDate": "2026-02-01"}, "finit le",
     "doit être une date comme 2026-03-31, et la fin ne pas précéder le début"),
    ({"isPaused": "perhaps"}, "en pause", "doit être vrai ou faux, oui ou non, 1 ou 0"),
    ({"assignedUsers": ["bob"]}, "utilisateurs affectés",
     "doit se composer d’adresses e-mail ou d’identifiants publics d’utilisateurs"),
    ({"name": "A", "targetUrl": "https://x.fr/", "assignedUsers": ["bob@x.fr"]}, "utilisateurs affectés",
     "n’est pas dans cet espace de travail"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "cases"),
    [("workspaceuser", FRENCH_OF_PEOPLE), ("campaign", FRENCH_OF_CAMPAIGNS)],
    ids=["people", "campaigns"],
)
def test_each_problem_is_french_on_a_french_page(workspace: Workspace, model: str, cases: list[Any]) -> None:
    make_user(workspace, email="ada@example.com")
    make_user(workspace, email="bob@example.com", external_id="7")
    client = superuser()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    content = "\n".join(item if isinstance(item, str) else json.dumps(item) for item, _column, _problem in cases)
    response = upload(client, workspace, content, model, name="rows.jsonl")
    shown = rejected_rows(response)
    expected = [(str(n), column, problem) for n, (_, column, problem) in enumerate(cases, 1) if column]
    assert [row[:3] for row in shown] == expected
    # The sentence of the API names the value. It is English, and marked as such.
    assert all(message.endswith(".") for *_rest, message in shown)
    assert "<th>Détails, en anglais</th>" in response.content.decode()


def test_a_line_of_csv_that_cannot_be_read_is_french_on_a_french_page(workspace: Workspace) -> None:
    client = superuser()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    [row] = rejected_rows(upload(client, workspace, "email,displayName\na@x.fr,A,B\n"))
    assert row == (
        "2",
        "ligne",
        "ne peut pas être lue : elle doit être en UTF-8, avec autant de cellules que la première ligne ou, en lignes "
        "JSON, un seul objet",
        "line has 3 cells where the first row has 2.",
    )


def test_each_code_of_a_row_has_words() -> None:
    # Rows of people and campaigns have no times.
    assert {*imports._PROBLEMS} == {*FIELD_CODES} - {"future", "pruned"}
    fields = {*fields_of(NewUser), *fields_of(NewCampaign)}
    assert {*imports._RULES} == fields | {"line"}
    assert {*imports._COLUMNS} == fields | {"line"}


def test_why_a_file_cannot_be_imported_is_marked_as_english_on_a_french_page(workspace: Workspace) -> None:
    client = superuser()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    body = upload(client, workspace, "mail\nx\n").content.decode()
    assert 'Le fichier ne peut pas être importé : <span lang="en">&quot;mail&quot; is not a field of a user' in body
    body = upload(client, workspace, "email\n" + "a@example.com\n" * 10_001).content.decode()
    assert "Le fichier a trop de lignes" in body
    assert "ne peut pas être importé" not in body


def test_what_has_changed_meanwhile_is_shown_and_not_saved(workspace: Workspace) -> None:
    client = superuser()
    response = upload(client, workspace, PEOPLE)
    make_user(workspace, email="bob@example.com", display_name="Robert")
    before = people(workspace)
    again = confirm(client, response)
    assert "Nothing was saved: something has changed meanwhile." in again.content.decode()
    assert logged(workspace) == []
    assert "1 would be created, 1 changed" in text_of(again)
    assert people(workspace) == before
    confirm(client, again)
    assert len(people(workspace)) == 2


def test_nothing_but_what_was_shown_to_this_login_is_taken(workspace: Workspace) -> None:
    client = superuser()
    signed = confirmation(upload(client, workspace, PEOPLE))
    for model, text in (("workspaceuser", signed[:-3] + "abc"), ("workspaceuser", "x"), ("campaign", signed)):
        answer = client.post(address(model, "import"), {"confirmed": text}, follow=True)
        assert "This page is out of date. Upload the file again." in answer.content.decode()
    other = login(is_superuser=True)
    assert (
        "out of date"
        in other.post(address("workspaceuser", "import"), {"confirmed": signed}, follow=True).content.decode()
    )
    assert not WorkspaceUser.objects.exists()


def test_campaigns_with_the_columns_of_another_system(workspace: Workspace) -> None:
    client = superuser()
    make_user(workspace, email="ada@example.com")
    content = "Title;Link;Who;Colour\nSpring;https://www.example.com/;ada@example.com;red\n"
    maps = "Title=name\nLink=targetUrl\n\nWho=assignedUsers\n"
    response = upload(client, workspace, content, "campaign", maps=maps)
    assert "1 would be created" in text_of(response)
    confirm(client, response, "campaign")
    assert campaigns(workspace)[0][-1] == ["ada@example.com"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("mail\nx\n", "&quot;mail&quot; is not a field of a user"),
        ("", "The submitted file is empty."),
        ("email\n" + "a@example.com\n" * 10_001, "The file has too many rows"),
    ],
)
def test_a_wrong_file_is_said_beside_the_field(workspace: Workspace, content: str, expected: str) -> None:
    response = upload(superuser(), workspace, content)
    assert response.status_code == 200
    assert expected in response.content.decode()


def test_five_thousand_rows_are_shown_and_saved(workspace: Workspace) -> None:
    client = superuser()
    rows = [f"u{n}@example.com,User {n},a{n}@example.com b{n}@example.com" for n in range(5_000)]
    response = upload(client, workspace, "email,displayName,aliases\n" + "\n".join(rows))
    assert "5000 would be created" in text_of(response)
    assert "Imported: 5000 created" in confirm(client, response).content.decode()
    assert WorkspaceUser.objects.count() == 5_000


def test_people_are_assigned_all_by_list_and_by_search(workspace: Workspace) -> None:
    client, campaign = superuser(), make_campaign(workspace)
    ada = make_user(workspace, email="ada@example.com", display_name="Ada")
    bob = make_user(workspace, email="bob@example.com", display_name="Bob", is_active=False)
    carol = make_user(workspace, email="carol@example.com", display_name="Carol")
    make_alias(bob, email="robert@example.com")
    make_user(make_workspace(name="Globex"), email="other@example.com")
    url = address("campaign", "assign", campaign)

    def carriers() -> set[WorkspaceUser]:
        return set(campaign.assigned_users.all())

    assert "Assign many" in client.get(address("campaign", "change", campaign)).content.decode()
    assert client.get(url).status_code == 200
    answer = client.post(url, {"names": "Robert@Example.com; nobody@example.com\nother@example.com"})
    assert (
        "No user has this e-mail, alias or public id: nobody@example.com, other@example.com" in answer.content.decode()
    )
    assert "No user is chosen." in client.post(url, {}).content.decode()
    assert carriers() == set()
    client.post(url, {"names": f"Robert@Example.com, {carol.public_id}"})
    assert carriers() == {bob, carol}
    client.post(url, {"search": "ADA"})
    assert carriers() == {ada, bob, carol}
    CampaignAssignment.objects.all().delete()
    said = client.post(url, {"everybody": "on"}, follow=True).content.decode()
    assert "“Spring launch”: 2 assigned, 0 already assigned." in said
    assert carriers() == {ada, carol}
    client.post(url, {"everybody": "on"})  # nothing new, which is no entry
    history = ["Assigned 2 users.", "Assigned 1 user.", "Assigned 2 users."]
    assert logged(campaign) == history


@pytest.mark.parametrize(
    ("names", "unknown"),
    [
        ("Ada Lovelace <Ada@Example.com>; Bob <bob@example.com>", ""),
        ('"Lovelace, Ada" <ada@example.com>, "b@b" <bob@example.com>', ""),
        ("<ada@example.com>\r\nBob\tB. <bob@example.com>", ""),
        ("ada@example.com <ada@example.com>, bob@example.com", ""),
        ("ada@example.com Bob <bob@example.com>", ""),
        ("nobody@example.com Ada <ada@example.com> bob@example.com", "nobody@example.com"),
        ("Lovelace, Ada <ada@example.com>", "Lovelace"),
    ],
)
def test_people_are_pasted_as_mail_programs_copy_them(workspace: Workspace, names: str, unknown: str) -> None:
    client, campaign = superuser(), make_campaign(workspace)
    people = {make_user(workspace, email=f"{name}@example.com") for name in ("ada", "bob")}
    answer = client.post(address("campaign", "assign", campaign), {"names": names})
    assert set(campaign.assigned_users.all()) == (set() if unknown else people)
    if unknown:
        assert f"No user has this e-mail, alias or public id: {unknown}<" in answer.content.decode()


def test_an_action_assigns_selected_users(workspace: Workspace) -> None:
    client, campaign = superuser(), make_campaign(workspace)
    ada, bob, stranger = make_user(workspace), make_user(workspace), make_user(make_workspace(name="Globex"))
    assign(campaign, bob)
    elsewhere = make_campaign(stranger.workspace, name="Elsewhere")
    chosen = {"action": "assign", "_selected_action": [ada.pk, bob.pk]}
    asked = client.post(address("workspaceuser", "changelist"), chosen).content.decode()
    assert "Spring launch" in asked
    assert "Elsewhere" not in asked
    confirmed = chosen | {"confirmed": "yes", "campaign": campaign.pk}
    said = client.post(address("workspaceuser", "changelist"), confirmed, follow=True).content.decode()
    assert "“Spring launch”: 1 assigned, 1 already assigned." in said
    assert set(campaign.assigned_users.all()) == {ada, bob}
    assert logged(campaign) == ["Assigned 1 user."]
    wrong = client.post(address("workspaceuser", "changelist"), confirmed | {"campaign": elsewhere.pk})
    assert "Select a valid choice" in wrong.content.decode()
    mixed = {"action": "assign", "_selected_action": [ada.pk, stranger.pk]}
    said = client.post(address("workspaceuser", "changelist"), mixed, follow=True).content.decode()
    assert "Choose users of one workspace." in said
    assert not Campaign.objects.get(pk=elsewhere.pk).assigned_users.exists()


def test_an_action_assigns_all_rows_of_a_long_filtered_list(workspace: Workspace) -> None:
    client, campaign = superuser(), make_campaign(workspace)
    # More than Django's DATA_UPLOAD_MAX_NUMBER_FIELDS.
    save_users(workspace, [{"email": f"{number}@example.com"} for number in range(1_001)])
    make_user(workspace, email="other@example.com", is_active=False)
    url = f"{address('workspaceuser')}?is_active__exact=1"
    some = WorkspaceUser.objects.values_list("pk", flat=True)[:100]
    asked = client.post(url, {"action": "assign", "select_across": "1", "_selected_action": [*some]})
    assert "1001 users will be assigned." in asked.content.decode().replace(",", "")
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)">', asked.content.decode())
    confirmed = {name: [value for other, value in fields if other == name] for name, _value in fields}
    said = client.post(url, confirmed | {"campaign": campaign.pk}, follow=True).content.decode()
    assert "1001 assigned" in said
    assert campaign.assigned_users.count() == 1_001


def test_the_lists_lead_to_it_and_keep_the_workspace(workspace: Workspace) -> None:
    client = superuser()
    for model in ("workspaceuser", "campaign"):
        page = client.get(address(model, "changelist"), {"workspace": workspace.pk}).content.decode()
        assert f'href="{address(model, "import")}?workspace={workspace.pk}"' in page
        assert reverse("admin:index") in client.get(address(model, "import")).content.decode()


ALL = ("add_workspaceuser", "change_workspaceuser", "view_workspaceuser")


def test_only_who_may_add_and_change_may_import(workspace: Workspace) -> None:
    url = address("workspaceuser", "import")
    assert login(*ALL).get(url).status_code == 200
    for lacking in ALL[:2]:
        client = login(*(name for name in ALL if name != lacking))
        assert client.get(url).status_code == 403
        assert client.post(url, {"confirmed": "x"}).status_code == 403
        assert url not in client.get(address("workspaceuser", "changelist")).content.decode()
    assert Client().get(url).status_code == 302
    # Aliases are rows of their own.
    response = upload(login(*ALL), workspace, PEOPLE)
    assert "You do not have permission to change what the file has in “aliases”." in response.content.decode()
    assert "1 would be created" in text_of(upload(login(*ALL), workspace, "email\nada@example.com\n"))
    assert "2 would be created" in text_of(upload(login(*ALL, "add_alias", "delete_alias"), workspace, PEOPLE))
    campaign = make_campaign(workspace)
    assert login("view_campaign").get(address("campaign", "assign", campaign)).status_code == 403
    may = login("view_campaign", "add_campaignassignment")
    assert may.get(address("campaign", "assign", campaign)).status_code == 200


def test_a_workspace_that_the_login_may_not_see_is_not_there(settings: Any) -> None:
    mine, other = make_workspace(), make_workspace(name="Globex")
    settings.STATS_APP = {"WORKSPACES_FOR": f"{first_workspace.__module__}.{first_workspace.__name__}"}
    client = login(*ALL, "view_campaign", "add_campaignassignment", "change_workspaceuser")
    page = client.get(address("workspaceuser", "import")).content.decode()
    assert ("Acme" in page, "Globex" in page) == (True, False)
    assert "Select a valid choice" in upload(client, other, "email\na@example.com\n").content.decode()
    response = upload(client, mine, "email\na@example.com\n")
    settings.STATS_APP = {"WORKSPACES_FOR": "tests.test_admin_imports.nothing"}
    assert client.post(address("workspaceuser", "import"), {"confirmed": confirmation(response)}).status_code == 403
    assert client.get(address("campaign", "assign", make_campaign(other))).status_code == 404
    assert not WorkspaceUser.objects.exists()


def nothing(user: object) -> Any:
    return Workspace.objects.none()


def test_it_is_there_in_french(workspace: Workspace) -> None:
    client = superuser()
    page = client.get(address("workspaceuser", "import"), headers={"accept-language": "fr"}).content.decode()
    assert "Montrer ce qui changerait" in page
