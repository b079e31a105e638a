"""The commands: what they print, how they end, and that they can be run again."""

from __future__ import annotations

import shlex
import sys
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connection, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import Client, override_settings

from stats_app import demo, public_ids
from stats_app.dimensions import WORKSPACE_DAYS
from stats_app.ingest import ClickInput
from stats_app.management.commands import create_api_key
from stats_app.models import (
    Alias,
    ApiKey,
    Campaign,
    CampaignAssignment,
    Click,
    Rollup,
    TrackedLink,
    Workspace,
    WorkspaceUser,
)
from stats_app.rollups import check
from stats_app.verdicts import rule_of
from tests.factories import make_campaign, make_user, make_workspace, record
from tests.rest import CLICKS, OVERVIEW, get

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 10, 25, 0, 250_000, tzinfo=UTC)
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
PASSWORD = "demo-signatures"


def run(command: str, *arguments: str) -> list[str]:
    """The lines that a command prints to standard output."""
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def refusal(command: str, *arguments: str) -> str:
    """The one line of a command that ends with an error."""
    with pytest.raises(CommandError) as error:
        run(command, *arguments)
    assert error.value.returncode == 1
    message = str(error.value)
    assert "\n" not in message
    return message


def clicked(workspace: Workspace, *days: str, **values: Any) -> None:
    record(workspace, *(ClickInput("other", clicked_at=f"{day}T12:00:00Z", **values) for day in days))


def spoil(workspace: Workspace, day: str) -> None:
    """Makes the stored counts of a day wrong."""
    Rollup.objects.filter(workspace=workspace, day=day).update(other_clicks=99)


# --- create_workspace


def test_a_new_workspace_s_id_is_the_last_line_and_takes_a_key() -> None:
    lines = run("create_workspace", "  Élan GmbH & Co. ", "--timezone", "Europe/Berlin")
    workspace = Workspace.objects.get()
    assert lines == ["Workspace Élan GmbH & Co. in the time zone Europe/Berlin; its public id:", workspace.public_id]
    assert (workspace.name, workspace.timezone, workspace.is_active) == ("Élan GmbH & Co.", "Europe/Berlin", True)
    secret = run("create_api_key", lines[-1], "--name", "x")[-1]
    assert get(secret, OVERVIEW, PERIOD).json()["workspace"] == {"name": "Élan GmbH & Co."}


def test_a_workspace_is_in_utc_unless_told_otherwise_and_each_run_makes_one() -> None:
    ids = {run("create_workspace", "Acme")[-1] for _ in range(2)}
    assert set(Workspace.objects.values_list("public_id", "name", "timezone")) == {(one, "Acme", "UTC") for one in ids}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["x", "--timezone", "Mars/Olympus"],
            "timezone: “Mars/Olympus” is not an IANA time zone, such as Europe/Paris.",
        ),
        (["x", "--timezone", ""], "timezone: This field cannot be blank."),
        (["x", "--timezone", "../etc"], "timezone: “../etc” is not an IANA time zone, such as Europe/Paris."),
        (["x", "--timezone", "\udcff"], "--timezone must be text without control characters, not '\\udcff'."),
        ([" "], "name: This field cannot be blank."),
        (["x\ny"], "NAME must be text without control characters, not 'x\\ny'."),
        (["\udcff"], "NAME must be text without control characters, not '\\udcff'."),
        (["x" * 201], "name: Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_a_wrong_workspace_is_not_made(arguments: list[str], message: str) -> None:
    assert refusal("create_workspace", *arguments) == message
    assert not Workspace.objects.exists()


# --- create_api_key


def test_an_unknown_workspace_is_told_the_known_ones() -> None:
    command = ("create_api_key", "01hzzzzzzzzzzzzzzzzzzzzzzz", "--name", "x")
    none = "There is no workspace with the public id '01hzzzzzzzzzzzzzzzzzzzzzzz'."
    assert refusal(*command) == f"{none} There is none yet; create_workspace makes one."
    made = [make_workspace(name=f"W{number:02}\n" + "x" * 50) for number in range(10)]
    assert refusal("check_rollups", "--workspace", "W00").endswith(f", {made[9].public_id} (W09\\u000a{'x' * 36}…).")
    make_workspace(name="W10")
    message = refusal(*command)
    assert message.startswith(
        f"{none} The workspaces are {made[0].public_id} (W00\\u000a{'x' * 36}…), {made[1].public_id} (W01"
    )
    assert message.endswith("x…) and 1 more.")
    assert message.count(" (W") == 10


def test_a_new_key_is_the_last_line_and_opens_the_tools_only() -> None:
    workspace = make_workspace()
    lines = run("create_api_key", workspace.public_id, "--name", "Reports")
    key = workspace.api_keys.get()
    assert lines == [
        f"API key Reports ({key.public_part}) for Acme with stats:read; the secret, shown only now:",
        lines[-1],
    ]
    assert (key.name, key.scopes, key.expires_at) == ("Reports", ["stats:read"], None)
    assert get(lines[-1], OVERVIEW, PERIOD).status_code == 200
    assert get(lines[-1], CLICKS).status_code == 403


def test_a_key_has_the_scopes_that_it_is_given() -> None:
    workspace = make_workspace()
    scopes = ["--scope", "clicks:read", "--scope", "clicks:write", "--scope", "clicks:read"]
    secret = run("create_api_key", workspace.public_id, "--name", "x", *scopes)[-1]
    assert workspace.api_keys.get().scopes == ["clicks:read", "clicks:write"]
    assert (get(secret, CLICKS).status_code, get(secret, OVERVIEW, PERIOD).status_code) == (200, 403)


@pytest.mark.parametrize(("now", "status"), [("2026-03-31T23:59:59.999999", 200), ("2026-04-01T00:00:00", 401)])
def test_a_key_is_good_through_its_last_day(now: str, status: int) -> None:
    workspace = make_workspace(timezone="Asia/Kathmandu")
    with time_machine.travel(NOW, tick=False):
        secret = run("create_api_key", workspace.public_id, "--name", "x", "--expires", "2026-03-31")[-1]
    with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=UTC), tick=False):
        assert get(secret, OVERVIEW, PERIOD).status_code == status


def test_each_run_makes_another_key() -> None:
    workspace = make_workspace()
    secrets = {run("create_api_key", workspace.public_id, "--name", "x")[-1] for _ in range(2)}
    assert (len(secrets), workspace.api_keys.count()) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--expires", "tomorrow"], "--expires must be a date as Y-m-d, not 'tomorrow'."),
        (["--expires", ""], "--expires must be a date as Y-m-d, not ''."),
        (["--expires", "2100-01-01"], "--expires must be between 2000-01-01 and 2099-12-31, not '2100-01-01'."),
        (["--expires", "2025-12-31"], "--expires 2025-12-31 is in the past: the key would never be valid."),
        (["--name", "x\ny"], "name: Enter text without control characters."),
        (["--name", "\udcff"], "name: Enter text without control characters. Enter text with visible characters."),
        (["--name", "\u200b"], "name: Enter text with visible characters."),
        (["--name", ""], "name: This field cannot be blank."),
        (["--name", "x" * 201], "name: Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_a_wrong_key_is_not_made(arguments: list[str], message: str) -> None:
    workspace = make_workspace()
    assert refusal("create_api_key", workspace.public_id, "--name", "x", *arguments) == message
    assert not ApiKey.objects.exists()


def test_a_wrong_scope_is_not_given() -> None:
    message = refusal("create_api_key", make_workspace().public_id, "--name", "x", "--scope", "all")
    assert message.startswith("Error: argument --scope: invalid choice: 'all' (choose from 'stats:read', 'clicks:read'")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("create_api_key", ["{}", "--name", "x"]),
        ("check_rollups", ["--workspace", "{}"]),
        ("rebuild_rollups", ["--workspace", "{}"]),
    ],
)
def test_a_workspace_that_is_not_there_is_named(command: str, arguments: list[str]) -> None:
    known = make_workspace().public_id
    for public_id in (public_ids.new_workspace_id(), "Acme", "\udcff", ""):
        given = [argument.format(public_id) for argument in arguments]
        assert refusal(command, *given) == (
            f"There is no workspace with the public id {public_id!r}. The only workspace is {known} (Acme)."
        )


# --- check_rollups and rebuild_rollups


def test_true_counts_pass() -> None:
    assert run("check_rollups") == ["The counts of 0 workspace(s) agree with the clicks."]
    clicked(make_workspace(), "2026-03-01")
    make_workspace()
    assert run("check_rollups") == ["The counts of 2 workspace(s) agree with the clicks."]


@pytest.fixture
def old_rules(tmp_path: Path) -> Iterator[None]:
    """Time zone tables by which Egypt has no summer time: as they were until 2023, as far as these tests go."""
    tables = tmp_path / "Africa"
    tables.mkdir()
    eet = files("tzdata") / "zoneinfo" / "Etc" / "GMT-2"
    (tables / "Cairo").write_bytes(eet.read_bytes())
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path), *before])
    zoneinfo.ZoneInfo.clear_cache(only_keys=["Africa/Cairo"])
    yield
    renew_rules()


def renew_rules() -> None:
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache(only_keys=["Africa/Cairo"])


@pytest.mark.usefixtures("old_rules")
def test_days_that_new_time_zone_rules_move_are_found_and_counted_anew() -> None:
    cairo = make_workspace(timezone="Africa/Cairo")
    record(cairo, ClickInput("other", clicked_at="2023-05-10T21:30:00Z"))
    days = Rollup.objects.filter(workspace=cairo, dimension=WORKSPACE_DAYS).values_list("day", flat=True)
    assert run("check_rollups") == ["The counts of 1 workspace(s) agree with the clicks."]
    assert [*days] == [date(2023, 5, 10)]
    renew_rules()
    assert "After an update of the time zone data, differences are expected" in refusal("check_rollups")
    run("rebuild_rollups", "--workspace", cairo.public_id, "--from", "2023-05-01", "--to", "2023-05-31")
    assert run("check_rollups") == ["The counts of 1 workspace(s) agree with the clicks."]
    assert [*days.all()] == [date(2023, 5, 11)]


def test_a_difference_is_named_until_it_is_rebuilt() -> None:
    acme, globex = make_workspace(), make_workspace(name="Globex")
    clicked(acme, "2026-03-01", "2026-03-02", "2026-03-02")
    clicked(acme, "2026-03-02", verdict="bot")
    clicked(globex, "2026-03-01")
    spoil(acme, "2026-03-02")
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("check_rollups", stdout=out)
    assert error.value.returncode == 1
    assert str(error.value) == (
        "2 difference(s); rebuild_rollups recounts. After an update of the time zone data, differences are expected in "
        "zones whose rules have changed."
    )
    assert sorted(out.getvalue().splitlines()) == [
        f'{acme.public_id} Acme: 2026-03-02 reason bot "": 0/0/1 counted, 0/0/99 stored',
        f"{acme.public_id} Acme: 2026-03-02 workspace: 0/0/2 counted, 0/0/99 stored",
    ]
    assert run("check_rollups", "--workspace", globex.public_id) == [
        "The counts of 1 workspace(s) agree with the clicks."
    ]
    for _ in range(2):
        rebuilt = run("rebuild_rollups", "--workspace", acme.public_id)
        assert rebuilt == [f"{acme.public_id} Acme: 4 day(s) recounted."]
        assert [*check(acme)] == []


def test_only_the_days_asked_for_are_rebuilt() -> None:
    workspace = make_workspace()
    clicked(workspace, "2026-03-01", "2026-03-02", "2026-03-03")
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        spoil(workspace, day)
    lines = run("rebuild_rollups", "--from", "2026-03-02", "--to", "2026-03-02")
    assert lines == [f"{workspace.public_id} Acme: 1 day(s) recounted."]
    assert [difference.place for difference in check(workspace)] == ["2026-03-01 workspace", "2026-03-03 workspace"]


def test_all_workspaces_are_rebuilt_unless_one_is_named() -> None:
    workspaces = [make_workspace(name=name) for name in ("Acme", "Globex")]
    for workspace in workspaces:
        clicked(workspace, "2026-03-01")
        spoil(workspace, "2026-03-01")
    assert len(run("rebuild_rollups")) == 2
    assert [[*check(workspace)] for workspace in workspaces] == [[], []]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "x"], "--from must be a date as Y-m-d, not 'x'."),
        (["--to", "2026-02-29"], "--to must be a date as Y-m-d, not '2026-02-29'."),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--from 2026-03-02 is after --to 2026-03-01."),
    ],
)
def test_a_wrong_day_is_not_rebuilt(arguments: list[str], message: str) -> None:
    assert refusal("rebuild_rollups", *arguments) == message


def test_days_whose_clicks_are_gone_are_not_rebuilt() -> None:
    workspace = make_workspace()
    clicked(workspace, "2026-02-01", "2026-03-01")
    Workspace.objects.update(clicks_kept_from=date(2026, 3, 1))
    other = make_workspace(name="Globex")
    before = [*Rollup.objects.order_by("day", "dimension").values_list()]
    out = StringIO()
    with pytest.raises(CommandError, match=r"^1 workspace\(s\) could not be recounted\.$"):
        call_command("rebuild_rollups", "--from", "2026-02-01", stdout=out)
    refused, recounted = out.getvalue().splitlines()
    reason = "Raw clicks before 2026-03-01 are pruned: 2026-02-01 cannot be recounted."
    assert refused == f"{workspace.public_id} Acme: {reason}"
    assert recounted == f"{other.public_id} Globex: 0 day(s) recounted."
    assert [*Rollup.objects.order_by("day", "dimension").values_list()] == before


class DeletingOutput(StringIO):
    """An output that deletes a workspace as soon as something is printed."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace

    def write(self, text: str) -> int:
        Workspace.objects.filter(pk=self.workspace.pk).delete()
        return super().write(text)


@pytest.mark.parametrize(
    "arguments",
    [["check_rollups"], ["rebuild_rollups"], ["prune_clicks", "--before", "2026-03-02"], ["reclassify_clicks"]],
    ids=lambda arguments: arguments[0],
)
def test_a_workspace_that_is_deleted_during_the_run_is_named(arguments: list[str]) -> None:
    acme, globex = make_workspace(), make_workspace(name="Globex")
    clicked(acme, "2026-03-01")
    spoil(acme, "2026-03-01")
    out = DeletingOutput(globex)
    with suppress(CommandError):  # because of the difference in the first workspace
        call_command(*arguments, stdout=out, stderr=StringIO())
    first, last = out.getvalue().splitlines()
    assert first.startswith(f"{acme.public_id} Acme: ")
    assert last == f"{globex.public_id} Globex: it was deleted meanwhile."


# --- seed_demo


def everything() -> dict[str, Any]:
    """All that the demo makes but for keys and logins, without the numbers of rows."""
    return {
        "workspaces": [
            *Workspace.objects.order_by("public_id").values_list("public_id", "name", "timezone", "created_at")
        ],
        "campaigns": [
            *Campaign.objects.order_by("public_id").values_list(
                "public_id", "name", "starts_on", "ends_on", "is_paused"
            )
        ],
        "users": [*WorkspaceUser.objects.order_by("public_id").values_list("public_id", "email", "is_active")],
        "aliases": [*Alias.objects.order_by("user__public_id", "email").values_list("user__public_id", "email")],
        "assignments": [
            *CampaignAssignment.objects.order_by("campaign__public_id", "user__public_id").values_list(
                "campaign__public_id", "user__public_id"
            )
        ],
        "links": [
            *TrackedLink.objects.order_by("token").values_list(
                "token", "kind", "target_url", "campaign__public_id", "user__public_id"
            )
        ],
        "clicks": [
            *Click.objects.order_by("id").values_list(
                "id", "clicked_at", "kind", "verdict", "reason", "campaign__public_id", "user__public_id"
            )
        ],
    }


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside leaves no trace."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def seeded(*arguments: str, at: datetime = NOW) -> dict[str, Any]:
    with undone(), time_machine.travel(at, tick=False):
        run("seed_demo", *arguments)
        return everything()


def test_the_demo_is_two_workspaces_with_a_year_of_clicks() -> None:
    with time_machine.travel(NOW, tick=False):
        run("seed_demo", "--clicks", "600")
    assert [(w.name, w.timezone, w.clicks.count()) for w in Workspace.objects.order_by("name")] == [
        ("Acme", "Europe/Paris", 400),
        ("Globex", "America/New_York", 200),
    ]
    times = [click.clicked_at for click in Click.objects.all()]
    assert timedelta(days=350) < max(times) - min(times) <= timedelta(days=366)
    assert max(times) <= NOW
    for workspace in Workspace.objects.all():
        assert set(workspace.clicks.values_list("kind", flat=True)) == {"campaign", "vcard", "other"}
        for click in workspace.clicks.exclude(verdict="human"):
            rule = rule_of(click.reason)
            assert rule is not None
            assert rule.verdict == click.verdict
        assert [*check(workspace)] == []


def test_the_same_seed_makes_the_same_demo() -> None:
    first = seeded("--clicks", "300")
    assert len(first["clicks"]) == 300
    assert seeded("--clicks", "300") == first
    other = seeded("--clicks", "300", "--seed", "2")
    assert {row[0] for row in other["workspaces"]}.isdisjoint(row[0] for row in first["workspaces"])
    assert {row[0] for row in other["clicks"]}.isdisjoint(row[0] for row in first["clicks"])
    assert {row[1] for row in first["links"]} == {"campaign", "vcard", "other"}
    assert {row[0] for row in other["links"]}.isdisjoint(row[0] for row in first["links"])


def test_run_again_it_adds_nothing_but_a_key() -> None:
    with time_machine.travel(NOW, tick=False):
        first = run("seed_demo", "--clicks", "300")
    before = everything()
    with time_machine.travel(NOW + timedelta(days=3), tick=False):
        second = run("seed_demo", "--clicks", "300")
        assert run("seed_demo", "--clicks", "100")[1] == first[1]
        for lines in (first, second):
            assert get(secret_of(lines), OVERVIEW, PERIOD).status_code == 200
    assert everything() == before
    assert secret_of(first) != secret_of(second)
    assert (ApiKey.objects.count(), get_user_model().objects.count()) == (3, 1)


def secret_of(lines: list[str]) -> str:
    [line] = [line for line in lines if line.startswith("API key")]
    return line.split()[2]


def test_a_run_that_was_broken_off_is_completed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seeded("--clicks", "300")
    monkeypatch.setattr(demo, "BATCH", 70)

    def break_off(done: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.seed(300, 1, NOW, break_off)
    assert Click.objects.count() == 140
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        run("seed_demo", "--clicks", "300")
    assert everything() == whole
    for workspace in Workspace.objects.all():
        assert [*check(workspace)] == []


def test_more_clicks_are_added_to_those_that_are_there() -> None:
    with time_machine.travel(NOW, tick=False):
        run("seed_demo", "--clicks", "0")
        assert Click.objects.count() == 0
        run("seed_demo", "--clicks", "100")
        before = set(Click.objects.values_list("id", flat=True))
        run("seed_demo", "--clicks", "150")
    after = set(Click.objects.values_list("id", flat=True))
    assert (len(before), len(after), before <= after) == (100, 150, True)


def test_it_prints_where_to_look(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setenv("PORT", "8123")
    with time_machine.travel(NOW, tick=False):
        lines = run("seed_demo", "--clicks", "300")
    acme, globex = (Workspace.objects.get(name=name) for name in ("Acme", "Globex"))
    secret, link = secret_of(lines), acme.links.filter(kind="vcard").earliest("user")
    url = "http://127.0.0.1:8123/api/v1/workspace/overview/?from=2026-02-27&to=2026-03-28&breakdown=week"
    for line in (
        f"Workspace    {acme.public_id}  Acme (Europe/Paris)",
        f"Workspace    {globex.public_id}  Globex (America/New_York)",
        "Staff pages  http://127.0.0.1:8123/stats/",
        "Admin        http://127.0.0.1:8123/admin/",
        f"Staff login  demo, password {PASSWORD}",
        "API          http://127.0.0.1:8123/api/v1/docs/",
        "MCP          http://127.0.0.1:8123/mcp",
        f"Tracked link http://127.0.0.1:8123/c/{link.token}  (vCard of {link.user}: follow it in a browser)",
        f"API key      {secret}  (for Acme)",
        f"curl -H 'x-api-key: {secret}' '{url}'",
    ):
        assert line in lines
    [curl] = [shlex.split(line) for line in lines if line.startswith("curl")]
    assert curl[:2] == ["curl", "-H"]
    parts = urlsplit(curl[3])
    response = get(curl[2].removeprefix("x-api-key: "), parts.path, parts.query)
    assert response.status_code == 200
    assert response.json()["totals"]["totalClicks"] > 0
    # The key may do all that a key can.
    assert get(secret, CLICKS).status_code == 200
    assert client.login(username="demo", password=PASSWORD)
    assert client.get("/admin/").status_code == 200


@override_settings(ROOT_URLCONF="tests.admin_only_urls")
def test_it_names_no_page_that_the_project_does_not_serve() -> None:
    lines = run("seed_demo", "--clicks", "0")
    assert [line.split("  ")[0] for line in lines] == ["", "Workspace", "Workspace", "Admin", "Staff login", "API key"]


def test_a_login_of_that_name_is_left_as_it_is() -> None:
    get_user_model().objects.create_user("demo", password="my own")
    run("seed_demo", "--clicks", "0")
    user = get_user_model().objects.get()
    assert (user.check_password("my own"), user.is_superuser) == (True, False)


def test_a_negative_number_of_clicks_is_refused() -> None:
    assert refusal("seed_demo", "--clicks", "-1") == "--clicks must be 0 or more, not -1."
    assert refusal("seed_demo", "--clicks", "x") == "Error: argument --clicks: invalid int value: 'x'"
    assert not Workspace.objects.exists()


def test_progress_goes_to_standard_error_unless_quiet() -> None:
    for verbosity, expected in ((1, "30 clicks in "), (0, "")):
        with undone():
            err = StringIO()
            call_command("seed_demo", clicks=30, verbosity=verbosity, stdout=StringIO(), stderr=err)
            assert err.getvalue().startswith(expected)
            assert bool(err.getvalue()) is bool(expected)


# --- when the database is not there


@pytest.mark.parametrize(
    "arguments",
    [
        ["create_api_key", public_ids.new_workspace_id(), "--name", "y"],
        ["check_rollups"],
        ["rebuild_rollups"],
        ["seed_demo", "--clicks", "1"],
        ["mcp_stdio"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_database_that_cannot_be_used_is_one_line(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATS_API_KEY", "sk_x")
    values = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/at/all/db.sqlite3", "OPTIONS": {}}
    away = DatabaseWrapper(connection.settings_dict | values, "default")
    original = connections["default"]
    connections["default"] = away
    try:
        message = refusal(*arguments)
    finally:
        connections["default"] = original
    assert message == (
        "The database cannot be used: unable to open database file. "
        "It must be reachable and migrated (manage.py migrate)."
    )


# --- from a shell


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("arguments", "status", "out", "error"),
    [
        (["check_rollups"], 0, "The counts of 1 workspace(s) agree with the clicks.\n", ""),
        (["rebuild_rollups", "--from", "x"], 1, "", "CommandError: --from must be a date as Y-m-d, not 'x'.\n"),
        (["seed_demo", "--clicks", "-1"], 1, "", "CommandError: --clicks must be 0 or more, not -1.\n"),
        (
            ["create_api_key", "x", "--name", "y"],
            1,
            "",
            "CommandError: There is no workspace with the public id 'x'. "
            "The only workspace is 01hzzzzzzzzzzzzzzzzzzzzzzz (Acme).\n",
        ),
    ],
)
def test_a_shell_sees_one_line_and_a_status(
    arguments: list[str], status: int, out: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_campaign(make_workspace(public_id="01hzzzzzzzzzzzzzzzzzzzzzzz"))
    try:
        ManagementUtility(["manage.py", *arguments]).execute()
        code: Any = 0
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    assert (code, captured.out, captured.err) == (status, out, error), sys.argv


@contextmanager
def terminal(encoding: str) -> Iterator[TextIOWrapper]:
    """Standard output as Python makes it for a terminal with this encoding."""
    with pytest.MonkeyPatch.context() as patched:
        stream = TextIOWrapper(BytesIO(), encoding)
        patched.setattr(sys, "stdout", stream)
        yield stream


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_name_that_the_terminal_cannot_show_is_printed_with_escapes(encoding: str, tmp_path: Path) -> None:
    def printed(*arguments: str) -> list[str]:
        with terminal(encoding) as stream:
            call_command(*arguments, stderr=StringIO())
            stream.seek(0)
            return stream.read().splitlines()

    title, public_id = printed("create_workspace", "日本")
    assert title == "Workspace \\u65e5\\u672c in the time zone UTC; its public id:"
    workspace = Workspace.objects.get(public_id=public_id, name="日本")
    assert get(printed("create_api_key", public_id, "--name", "鍵")[-1], OVERVIEW, PERIOD).status_code == 200
    acme = make_workspace()
    clicked(workspace, "2026-03-01")
    first, second = printed("prune_clicks", "--before", "2026-03-01")
    assert first == f"{public_id} \\u65e5\\u672c: 0 click(s) before 2026-03-01 deleted; their counts stay."
    assert second.startswith(f"{acme.public_id} Acme: ")
    people = tmp_path / "people.csv"
    people.write_text("email,displayName\nada@example.com,愛\n", encoding="utf-8")
    for arguments in (
        ["check_rollups"],
        ["rebuild_rollups"],
        ["reclassify_clicks"],
        ["import_users", str(people), "--workspace", public_id, "--dry-run"],
        ["delete_workspace", public_id, "--dry-run"],
        ["seed_demo", "--clicks", "10"],
    ):
        assert printed(*arguments)


@pytest.mark.parametrize(
    "command", ["export_clicks", "export_user", "rebuild_rollups", "create_api_key", "create_workspace"]
)
def test_an_output_that_cannot_be_written_is_one_line(command: str) -> None:
    workspace = make_workspace()
    arguments = {
        "export_clicks": ["--workspace", workspace.public_id],
        "export_user": [make_user(workspace).public_id],
        "rebuild_rollups": [],
        "create_api_key": [workspace.public_id, "--name", "x"],
        "create_workspace": ["Globex"],
    }
    # Leaving the block flushes the rest, as Python does at its end.
    with open("/dev/full", "w", encoding="utf-8") as full, pytest.raises(CommandError) as error:
        call_command(command, *arguments[command], stdout=full)
    assert str(error.value) == "The output is not complete: No space left on device."
    assert error.value.returncode == 1
    # Nothing was made that nobody knows of.
    assert (Workspace.objects.count(), ApiKey.objects.count()) == (1, 0)


def test_a_workspace_that_is_deleted_meanwhile_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    Workspace.objects.filter(pk=workspace.pk).delete()
    monkeypatch.setattr(create_api_key, "workspace_of", lambda _: workspace)
    assert refusal("create_api_key", workspace.public_id, "--name", "x") == "The workspace was deleted meanwhile."


def test_a_closed_output_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(CommandError, match=r"^Standard output is closed\.$"):
        call_command("rebuild_rollups")


@contextmanager
def interrupted_at(start: str) -> Iterator[None]:
    """Ctrl-C in the first statement that begins so."""

    def execute(real: Any, sql: str, *args: Any) -> Any:
        if sql.startswith(start):
            raise KeyboardInterrupt
        return real(sql, *args)

    with connection.execute_wrapper(execute):
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("start", "arguments"),
    [
        ("SELECT", ["check_rollups"]),
        ("DELETE", ["rebuild_rollups"]),
        ("SELECT", ["reclassify_clicks"]),
        ("DELETE", ["prune_clicks", "--before", "2026-03-02"]),
        ("SELECT", ["prune_audit", "--before", "2026-03-02"]),
        ("DELETE", ["delete_workspace", "01hzzzzzzzzzzzzzzzzzzzzzzz", "--yes"]),
        ("INSERT", ["create_workspace", "Globex"]),
        ("INSERT", ["seed_demo", "--clicks", "10"]),
        ("SELECT", ["export_clicks", "--workspace", "01hzzzzzzzzzzzzzzzzzzzzzzz"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_interruption_is_one_line_and_the_command_can_be_run_again(
    start: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    clicked(make_workspace(public_id="01hzzzzzzzzzzzzzzzzzzzzzzz"), "2026-03-01")
    with interrupted_at(start), pytest.raises(SystemExit) as end:
        ManagementUtility(["manage.py", *arguments]).execute()
    assert (end.value.code, capsys.readouterr().err) == (130, "CommandError: Interrupted: run the command again.\n")
    run(*arguments)


@pytest.mark.django_db(transaction=True)
def test_interrupting_the_server_of_mcp_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATS_API_KEY", run("create_api_key", make_workspace().public_id, "--name", "x")[-1])
    with interrupted_at(""), pytest.raises(CommandError, match=r"^Interrupted\.$") as error:
        run("mcp_stdio")
    assert error.value.returncode == 130
