"""Clicks from JSON lines, including those that the redirect could not record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stats_app.models import Click
from tests.factories import make_alias, make_campaign, make_user, make_workspace
from tests.import_files import TOKEN, make_link, run_import, stored, write

pytestmark = pytest.mark.django_db

NAMES = (
    "id, kind, campaignPublicId, userPublicId, alias, clickedAt, verdict, reason, link, externalId, userAgent, "
    "workspacePublicId"
)
TIME = '"clickedAt": "2026-03-01T09:00:00Z"'


def test_a_line_is_a_click(tmp_path: Path) -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias, link = make_alias(user), make_link(workspace, campaign=campaign)
    click = {
        "id": "01kjm9keg07ddddddddddddddd",
        "kind": "campaign",
        "campaignPublicId": campaign.public_id,
        "userPublicId": user.public_id,
        "alias": alias.email,
        "clickedAt": "2026-03-01T10:00:00.123+01:00",
        "verdict": "suspected",
        "reason": "several links at once",
        "link": link.token,
    }
    lines = [
        json.dumps(click),
        "",
        " ",
        json.dumps({"kind": "vcard", "clickedAt": "2026-03-01T09:00:01Z", "alias": None, "reason": ""}),
    ]
    path = write(tmp_path, "\n".join(lines), "clicks.jsonl")
    assert run_import(workspace, path) == ["accepted 2, duplicates 0, rejected 0."]
    first, second = Click.objects.order_by("clicked_at")
    assert (str(first.id).lower(), first.kind, first.verdict) == (click["id"], "campaign", "suspected")
    assert (first.campaign, first.user, first.alias, first.link) == (campaign, user, alias, link)
    assert (second.kind, second.user, second.link) == ("vcard", None, None)
    assert run_import(workspace, path) == ["accepted 0, duplicates 2, rejected 0."]
    assert len(stored(workspace)) == 2


@pytest.mark.parametrize("name", ["clicks.jsonl", "clicks.ndjson", "CLICKS.JSONL"])
def test_the_name_of_the_file_says_what_it_is(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f'{{"kind": "other", {TIME}}}\n', name)
    assert run_import(make_workspace(), path) == ["accepted 1, duplicates 0, rejected 0."]


def test_a_link_says_the_rest(tmp_path: Path) -> None:
    workspace = make_workspace()
    link = make_link(workspace)
    path = write(tmp_path, f'{{"link": "{TOKEN}", {TIME}}}\n{{"token": "{TOKEN}", {TIME}}}\n', "x.jsonl")
    assert run_import(workspace, path) == ["accepted 2, duplicates 0, rejected 0."]
    assert {(click.kind, click.campaign) for click in Click.objects.all()} == {("campaign", link.campaign)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f'{{"kind": "x", {TIME}}}', ': kind must be one of campaign, vcard, other, not "x".'),
        (f'{{"kind": 3, {TIME}}}', ": kind must be one of campaign, vcard, other, not 3."),
        ('{"kind": "other"}', ": clickedAt is required: a row says when its click was."),
        ('{"kind": "other", "clickedAt": null}', ": clickedAt is required: a row says when its click was."),
        (
            '{"kind": "other", "clickedAt": 1772355600}',
            ": clickedAt 1772355600 is not a time such as 2026-03-01T09:30:00Z; any other form needs --date-format.",
        ),
        (f'{{"kind": "other", {TIME}, "ip": 1}}', f": ip is not a field of a click; the fields are {NAMES}."),
        (f'{{"kind": "other", {TIME}, "kind": "vcard"}}', ": kind is given more than once."),
        (f'{{"kind": "other", {TIME}, "alias": {{"a": 1, "a": 2}}}}', ": a is given more than once."),
        (f'{{"kind": "other", {TIME}, "alias": ["x"]}}', ': alias must be an e-mail address, not ["x"].'),
        (f'{{"kind": "other", {TIME}, "reason": 0}}', ": reason must be text without control characters, not 0."),
        (f'{{"kind": "other", {TIME}, "alias": "a\\u0000b"}}', ': alias must be an e-mail address, not "a\\u0000b".'),
        (f'{{"kind": "other", {TIME}, "alias": "\\ud800"}}', ': alias must be an e-mail address, not "\\ud800".'),
        ('{"kind": "other"', " is not JSON: Expecting ',' delimiter, character 18."),
        ("kind,clickedAt", " is not JSON: Expecting value, character 1."),
        ('{"kind": NaN}', " is not JSON: NaN is not a JSON number."),
        ("[" * 100_000, " is nested too deeply."),
        ('{"kind": ' + "1" * 5_000 + "}", " has a number that is too long."),
        ('["other"]', ' must be one click as an object, not ["other"].'),
        ("null", " must be one click as an object, not null."),
        ('{"kind": "other"}\0', " is not JSON: Extra data, character 18."),
    ],
)
def test_a_wrong_line_is_named_and_the_right_ones_around_it_are_stored(tmp_path: Path, line: str, message: str) -> None:
    workspace, right = make_workspace(), f'{{"kind": "other", {TIME}}}'
    path = write(tmp_path, "\n".join([right, line, right]), "clicks.jsonl")
    said = run_import(workspace, path)
    assert said[0].startswith(f"Line 2{message}")
    assert said[1:] == ["accepted 2, duplicates 0, rejected 1."]
    assert len(stored(workspace)) == 2


def test_keys_of_another_system_are_mapped(tmp_path: Path) -> None:
    workspace = make_workspace()
    make_link(workspace)
    lines = [
        {"at": 1772355600.25, "event": {"url": "/spring", "bot": False}, "n": 1, "link": "theirs"},
        {"at": 1772355601, "event": {"url": "/spring", "bot": True}, "n": 2},
        {"at": 1772355602, "event": "none", "n": 3},
        {"at": 1772355603, "event": {"url": "/other"}, "n": 4},
    ]
    options = ["at=clickedAt", "event.url:/spring=link:" + TOKEN, "event.bot:true=verdict:bot", "n=externalId"]
    said = run_import(
        workspace,
        write(tmp_path, "\n".join(map(json.dumps, lines)), "x.jsonl"),
        *(part for option in options for part in ("--map", option)),
        *("--date-format", "unix", "--only", "event.url=/spring", "--only", "event.url=/other"),
    )
    assert said == [
        "Line 4: kind is required: one of campaign, vcard, other.",
        "accepted 2, duplicates 0, rejected 1, skipped 1.",
    ]
    assert stored(workspace) == [
        ("campaign", "2026-03-01 09:00:00.25", "human", ""),
        ("campaign", "2026-03-01 09:00:01", "bot", ""),
    ]


def test_a_constant_stands_for_every_line(tmp_path: Path) -> None:
    workspace = make_workspace()
    path = write(tmp_path, f'{{"what": 1, {TIME}}}\n', "x.jsonl")
    assert run_import(workspace, path, "--map", "kind=vcard") == ["accepted 1, duplicates 0, rejected 0."]
    assert stored(workspace) == [("vcard", "2026-03-01 09:00:00", "human", "")]


def test_rejects_are_kept_as_they_came(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    content = f'\ufeff{{"kind": "é", {TIME}}}\r\n\n{{"kind": "other", {TIME}}}\nx'
    run_import(make_workspace(), write(tmp_path, content, "x.jsonl"), "--rejects", str(rejects))
    assert rejects.read_bytes().decode() == f'\ufeff{{"kind": "é", {TIME}}}\r\nx\n'
