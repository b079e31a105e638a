"""People and campaigns from files, as real directories export them."""

from __future__ import annotations

import json
import re
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from stats_app.directory import NewCampaign, NewUser, fields_of
from stats_app.models import Workspace, WorkspaceUser
from tests.factories import make_campaign, make_user, make_workspace
from tests.import_files import write
from tests.test_commands import refusal
from tests.test_directory import campaigns, people

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parent / "data"
GOOGLE = [
    "--map", "Email Address [Required]=email",
    "--map", "First Name [Required]=displayName",
    "--map", "Last Name [Required]=displayName",
    "--map", "Employee ID=externalId",
    "--map", "Status [READ ONLY]:Suspended=isActive:false",
    "--map", "Status [READ ONLY]:*=isActive:true",
]  # fmt: skip
ENTRA = [
    "--map", "id=externalId",
    "--map", "userPrincipalName=email",
    "--map", "displayName=displayName",
    "--map", "accountEnabled=isActive",
    "--map", "mail=aliases",
    "--map", "proxyAddresses=aliases",
]  # fmt: skip


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def run(command: str, workspace: Workspace, path: str | Path, *options: str) -> list[str]:
    """The lines that the command prints."""
    out = StringIO()
    call_command(command, str(path), "--workspace", workspace.public_id, *options, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


# --- files as they are exported


def test_users_of_google_workspace(workspace: Workspace) -> None:
    assert run("import_users", workspace, DATA / "google_users.csv", *GOOGLE) == [
        "Not read: Password [Required], Password Hash Function [UPLOAD ONLY], Org Unit Path [Required], "
        "New Primary Email [UPLOAD ONLY], Last Sign In [READ ONLY], Recovery Email, Home Secondary Email, "
        "Work Secondary Email, Recovery Phone [MUST BE IN THE E.164 FORMAT], Work Phone, Department.",
        "created 3, updated 0, unchanged 0, rejected 0.",
    ]
    assert people(workspace) == [
        ("1001", "ada@example.com", "Ada Lovelace", True, []),
        ("1002", "grace@example.com", "Grace Hopper", False, []),
        (None, "zoe@example.com", "Zoë Müller", True, []),
    ]
    assert run("import_users", workspace, DATA / "google_users.csv", *GOOGLE)[-1] == (
        "created 0, updated 0, unchanged 3, rejected 0."
    )


@pytest.mark.parametrize("name", ["entra_users.csv", "entra_users.jsonl"])
def test_users_of_microsoft_entra(workspace: Workspace, name: str) -> None:
    assert run("import_users", workspace, DATA / name, *ENTRA)[-1] == "created 3, updated 0, unchanged 0, rejected 0."
    assert people(workspace) == [
        (
            "0f4e3c0e-0000-4000-8000-000000000001",
            "ada@example.com",
            "Ada Lovelace",
            True,
            ["a.lovelace@example.com", "ada@example.onmicrosoft.com"],
        ),
        (
            "0f4e3c0e-0000-4000-8000-000000000002",
            "grace@example.com",
            "Grace Hopper",
            False,
            ["grace.hopper@example.com"],
        ),
        ("0f4e3c0e-0000-4000-8000-000000000003", "room@example.com", "Room 1", True, []),
    ]
    assert run("import_users", workspace, DATA / name, *ENTRA)[-1] == "created 0, updated 0, unchanged 3, rejected 0."


LEGACY = "X500:/o=First Organization/cn=ada"
CALLS = "eum:123;phone-context=plan.example"


@pytest.mark.parametrize(
    ("cell", "aliases"),
    [
        ("SMTP:ada@example.com+smtp:a+l@example.com+SIP:sip@example.com", ["a+l@example.com"]),
        (f"smtp:a@example.com,{LEGACY},SPO:SPO_1@SPO_2,smtp:b@example.com", ["a@example.com", "b@example.com"]),
        (f"smtp:a@example.com;{CALLS};smtp:b@example.com", ["a@example.com", "b@example.com"]),
        (f"smtp:a@example.com {LEGACY} smtp:b@example.com", ["a@example.com", "b@example.com"]),
        ("smtp:a@example.com;SIP:sip@example.com;b@example.com", ["a@example.com", "b@example.com"]),
    ],
)
def test_addresses_of_exchange_in_every_kind_of_list(
    workspace: Workspace, tmp_path: Path, cell: str, aliases: list[str]
) -> None:
    path = write(tmp_path, f'mail,proxyAddresses\nada@example.com,"{cell}"\n')
    run("import_users", workspace, path, "--map", "mail=email", "--map", "proxyAddresses=aliases")
    assert people(workspace) == [(None, "ada@example.com", "", True, aliases)]


def test_addresses_of_a_further_column_are_kept(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, "mail,proxyAddresses,otherMails\nada@example.com,SIP:sip@example.com,a@example.com\n")
    maps = ("mail=email", "proxyAddresses=aliases", "otherMails=aliases")
    run("import_users", workspace, path, *(option for one in maps for option in ("--map", one)))
    assert people(workspace) == [(None, "ada@example.com", "", True, ["a@example.com"])]


# --- any file


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_signs_and_encodings_are_found_out(workspace: Workspace, tmp_path: Path, sign: str, encoding: str) -> None:
    rows = [
        ["displayName", "aliases", "isActive", "email"],
        ["Zoë", "z@example.com zo@example.com", "no", "zoe@example.com"],
    ]
    path = write(tmp_path, "\r\n".join(sign.join(row) for row in rows).encode(encoding))
    assert run("import_users", workspace, path) == ["created 1, updated 0, unchanged 0, rejected 0."]
    assert people(workspace) == [(None, "zoe@example.com", "Zoë", False, ["z@example.com", "zo@example.com"])]


def test_an_empty_cell_takes_away_what_may_be_empty_and_says_nothing_else(workspace: Workspace, tmp_path: Path) -> None:
    first = "externalId,email,displayName,isActive,aliases\n1,a@example.com,Ada,false,x@example.com;y@example.com\n"
    run("import_users", workspace, write(tmp_path, first))
    run("import_users", workspace, write(tmp_path, "email,externalId,isActive\na@example.com,,\n"))
    assert people(workspace) == [("1", "a@example.com", "Ada", False, ["x@example.com", "y@example.com"])]
    said = run("import_users", workspace, write(tmp_path, "externalId,displayName,aliases\n1,,\n"), "--dry-run")
    assert said == [
        'Line 2: a@example.com: displayName "Ada" → ""; aliases - x@example.com - y@example.com.',
        "Nothing was saved; it would be created 0, updated 1, unchanged 0, rejected 0.",
    ]


@pytest.mark.parametrize(
    ("yes", "no"), [("true", "False"), ("Yes", "NO"), ("1", "0"), ("VRAI", "FAUX"), (" oui ", "non")]
)
def test_a_flag_is_a_word_of_english_or_french(workspace: Workspace, tmp_path: Path, yes: str, no: str) -> None:
    rows = f"email,isActive\nada@example.com,{no}\nbob@example.com,{yes}\neva@example.com,peut-être\n"
    said = run("import_users", workspace, write(tmp_path, rows))
    assert 'isActive must be true or false, not "peut-être".' in said[0]
    active = dict(WorkspaceUser.objects.values_list("email", "is_active"))
    assert active == {"ada@example.com": False, "bob@example.com": True}


def test_json_lines_are_as_the_api_has_them(workspace: Workspace, tmp_path: Path) -> None:
    make_user(workspace, email="ada@example.com", display_name="Ada")
    lines: list[Any] = [
        {"email": "ada@example.com", "aliases": ["al@example.com"], "isActive": False},
        {"email": "bob@example.com", "externalId": 17, "displayName": None},
        {"email": "carol@example.com", "mail": "x"},
        ["dave@example.com"],
    ]
    path = write(tmp_path, "\n".join(map(json.dumps, lines)), "people.jsonl")
    names = "publicId, externalId, email, displayName, isActive, aliases"
    assert run("import_users", workspace, path) == [
        f"Line 3: mail is not a field of a user; the fields are {names}.",
        'Line 4 must be one user as an object, not ["dave@example.com"].',
        "created 1, updated 1, unchanged 0, rejected 2.",
    ]
    assert people(workspace) == [
        (None, "ada@example.com", "Ada", False, ["al@example.com"]),
        ("17", "bob@example.com", "", True, []),
    ]


def test_campaigns_come_with_who_carries_them(workspace: Workspace, tmp_path: Path) -> None:
    ada, _bob = make_user(workspace, email="ada@example.com"), make_user(workspace, email="bob@example.com")
    path = write(
        tmp_path,
        "externalId;name;targetUrl;startDate;endDate;isPaused;assignedUsers\n"
        f"s;Spring;https://www.example.com/;2026-03-01;;true;{ada.public_id} bob@example.com\n"
        "t;Summer;https://www.example.com/;2026-06-01;2026-05-01;;\n",
    )
    assert run("import_campaigns", workspace, path) == [
        "Line 3: endDate 2026-05-01 is before startDate 2026-06-01.",
        "created 1, updated 0, unchanged 0, rejected 1.",
    ]
    [spring] = campaigns(workspace)
    assert spring[5:] == (True, ["ada@example.com", "bob@example.com"])
    # One who is not named carries it no more; several are separated by semicolons where the cells are not.
    again = write(tmp_path, "externalId,endDate,assignedUsers\ns,2026-03-31,bob@example.com;\n")
    assert run("import_campaigns", workspace, again, "--dry-run") == [
        'Line 2: Spring: endDate null → "2026-03-31"; assignedUsers - ada@example.com.',
        "Nothing was saved; it would be created 0, updated 1, unchanged 0, rejected 0.",
    ]
    assert campaigns(workspace) == [spring]
    assert run("import_campaigns", workspace, again)[-1] == "created 0, updated 1, unchanged 0, rejected 0."


def test_wrong_lines_are_named_by_the_files_own_words_and_kept(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, 'Mail,Name\nada@example.com,Ada\nbob,Bob\n"carol,Carol\n')
    kept = tmp_path / "rejects.csv"
    options = ["--map", "Mail=email", "--map", "Name=displayName", "--rejects", str(kept)]
    said = run("import_users", workspace, path, *options)
    assert said[0] == 'Line 3: Mail must be an e-mail address, not "bob".'
    assert said[1].startswith("Line 4 is not CSV")
    assert said[2] == "created 1, updated 0, unchanged 0, rejected 2."
    assert kept.read_text() == 'Mail,Name\nbob,Bob\n"carol,Carol\n'


def test_who_is_not_named_is_made_inactive_when_asked(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(3):
        make_user(workspace, email=f"user{number}@example.com", display_name="")
    path = write(tmp_path, "email\nuser0@example.com\nuser1@example.com\n")
    assert run("import_users", workspace, path)[-1] == "created 0, updated 0, unchanged 2, rejected 0."
    assert run("import_users", workspace, path, "--deactivate-missing", "--dry-run") == [
        "Not named: user2@example.com becomes inactive.",
        "Nothing was saved; it would be created 0, updated 0, unchanged 2, rejected 0, made inactive 1.",
    ]
    assert WorkspaceUser.objects.filter(is_active=True).count() == 3
    said = run("import_users", workspace, path, "--deactivate-missing")
    assert said == ["created 0, updated 0, unchanged 2, rejected 0, made inactive 1."]
    few = write(tmp_path, "email\nnew@example.com\n")
    command = ("import_users", few, "--workspace", workspace.public_id, "--deactivate-missing")
    assert refusal(*command) == (
        "2 of 2 active users are missing, more than half: the list is probably not complete. Nothing was saved. "
        "--force does it anyway."
    )
    assert WorkspaceUser.objects.filter(is_active=True).count() == 2
    run("import_users", workspace, few, "--deactivate-missing", "--force")
    assert [user.email for user in WorkspaceUser.objects.filter(is_active=True)] == ["new@example.com"]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("mail\n", [], '"mail" is not a field of a user; the fields are publicId'),
        (
            "email\n",
            ["--map", "Mail=email"],
            'There is no column "Mail", which --map or --only names; the file has',
        ),
        ("email\n", ["--map", "nothing=mail"], '--map "nothing=mail" is not COLUMN=FIELD'),
        (
            "a,b\n",
            ["--map", "a=email", "--map", "b=email"],
            '--map "b=email": another --map already sets email',
        ),
        ("email,email\n", [], 'The column "email" is given more than once.'),
        ("", [], "The file has no first row with the names of the columns."),
    ],
)
def test_a_wrong_file_is_one_clear_line(
    workspace: Workspace, tmp_path: Path, content: str, options: list[str], expected: str
) -> None:
    path = write(tmp_path, content)
    assert refusal("import_users", path, "--workspace", workspace.public_id, *options).startswith(expected)


def test_other_refusals_are_one_clear_line(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, "name,targetUrl\n")
    missing = str(tmp_path / "nothing.csv")
    known = ("--workspace", workspace.public_id)
    assert refusal("import_campaigns", missing, *known) == f"{missing}: No such file or directory."
    assert refusal("import_campaigns", path, *known, "--rejects", path).startswith("--rejects is the file")
    assert refusal("import_users", path, "--workspace", "x").startswith("There is no workspace with the public id 'x'")


def test_a_campaign_file_of_one_system_is_repeated_without_doubles(workspace: Workspace, tmp_path: Path) -> None:
    make_campaign(workspace, name="Other")
    path = write(tmp_path, "name,targetUrl\nSpring,https://www.example.com/\n")
    assert run("import_campaigns", workspace, path) == ["created 1, updated 0, unchanged 0, rejected 0."]
    assert run("import_campaigns", workspace, path) == ["created 0, updated 0, unchanged 1, rejected 0."]


# --- what docs/directory.md shows

PAGE = (Path(__file__).parent.parent / "docs" / "directory.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`([^`]+)`:\n\n```\n(.*?)```", PAGE, re.DOTALL))
EXAMPLES = re.findall(r"```\npython manage\.py (import_\w+ (\S+) .*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_all_examples() -> None:
    assert [name for _, name, _ in EXAMPLES] == ["people.csv", "campaigns.csv", "google.csv", "entra.csv"]


def test_the_examples_of_the_page_print_what_it_says(tmp_path: Path) -> None:
    """One after the other, as a reader would try them."""
    workspace = make_workspace(public_id="01k0000000000000000000000a")
    for command, name, output in EXAMPLES:
        path = write(tmp_path, FILES[name], name)
        called, file, *options = shlex.split(command.replace("\\\n", " "))
        assert file == name
        out = StringIO()
        call_command(called, path, *options, stdout=out, stderr=StringIO())
        assert out.getvalue() == output
    assert campaigns(workspace)[0][-1] == ["ada@example.com", "grace@example.com"]
    assert people(workspace) == [
        ("1001", "ada@example.com", "Ada Lovelace", True, ["a.lovelace@example.com"]),
        ("1002", "grace@example.com", "Grace Hopper", False, []),
        ("ae59b9d5-0d5c-4c7e-9d7d-111111111111", "zoe@example.com", "Zoë Müller", True, ["zoe.mueller@example.com"]),
    ]


def test_the_page_names_every_field() -> None:
    for declaration in (NewUser, NewCampaign):
        assert [name for name in fields_of(declaration) if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("c.csv", ["name,targetUrl", "Été,https://example.com/", "Spring,https://example.com/"]),
        (
            "c.jsonl",
            [
                "",
                '{"name": "Été", "targetUrl": "https://example.com/"}',
                '{"name": "Spring", "targetUrl": "https://example.com/"}',
            ],
        ),
    ],
)
def test_a_line_in_another_encoding_is_told_so(
    workspace: Workspace, tmp_path: Path, name: str, lines: list[str]
) -> None:
    """As Excel saves plain CSV on Windows."""
    path = write(tmp_path, "\n".join(lines).encode("cp1252"), name)
    assert run("import_campaigns", workspace, path) == [
        "Line 2 is not UTF-8: save the file in UTF-8, in Excel as CSV UTF-8.",
        "created 1, updated 0, unchanged 0, rejected 1.",
    ]
    assert [campaign.name for campaign in workspace.campaigns.all()] == ["Spring"]
