"""The command `export_clicks`: what it writes, in what order, and that `import_clicks` reads it."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_app import exports, public_ids
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import Alias, Click, Rollup, Workspace
from stats_app.rollups import check
from tests.factories import make_alias, make_campaign, make_user, make_workspace, record
from tests.import_files import make_link, run_import, write
from tests.test_commands import refusal

pytestmark = pytest.mark.django_db

HEAD = "id,kind,campaignPublicId,userPublicId,alias,clickedAt,verdict,reason,link"


def export(workspace: Workspace, *options: str) -> str:
    out = io.StringIO()
    call_command("export_clicks", "--workspace", workspace.public_id, *options, stdout=out)
    return out.getvalue()


def ulid(number: int) -> str:
    return f"01kjm9keg07ddddddddddddd{number:02}"


def test_it_writes_each_click_once_the_oldest_first() -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias = make_alias(user, email="ada@example.com")
    link = make_link(workspace, campaign=campaign)
    record(
        workspace,
        ClickInput("other", ulid(3), clicked_at="2026-03-02T09:00:00Z", verdict="bot", reason="program: curl"),
        ClickInput("vcard", ulid(2), alias=alias, clicked_at="2026-03-01T10:00:00.123456+01:00"),
        ClickInput("campaign", ulid(1), campaign, user, link=link, clicked_at="2026-03-01T09:00:00Z"),
    )
    record(make_workspace(name="Globex"), ClickInput("other"))
    assert export(workspace).splitlines() == [
        HEAD,
        f"{ulid(1)},campaign,{campaign.public_id},{user.public_id},,2026-03-01T09:00:00+00:00,human,,k7Qm2xZp",
        f"{ulid(2)},vcard,,{user.public_id},ada@example.com,2026-03-01T09:00:00.123456+00:00,human,,",
        f"{ulid(3)},other,,,,2026-03-02T09:00:00+00:00,bot,program: curl,",
    ]
    assert [json.loads(line) for line in export(workspace, "--format", "jsonl").splitlines()] == [
        {
            "id": ulid(1),
            "kind": "campaign",
            "campaignPublicId": campaign.public_id,
            "userPublicId": user.public_id,
            "clickedAt": "2026-03-01T09:00:00+00:00",
            "verdict": "human",
            "link": "k7Qm2xZp",
        },
        {
            "id": ulid(2),
            "kind": "vcard",
            "userPublicId": user.public_id,
            "alias": "ada@example.com",
            "clickedAt": "2026-03-01T09:00:00.123456+00:00",
            "verdict": "human",
        },
        {
            "id": ulid(3),
            "kind": "other",
            "clickedAt": "2026-03-02T09:00:00+00:00",
            "verdict": "bot",
            "reason": "program: curl",
        },
    ]


def test_without_clicks_there_is_the_first_row_alone() -> None:
    workspace = make_workspace()
    assert export(workspace) == HEAD + "\n"
    assert export(workspace, "--format", "jsonl") == ""


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ([], [1, 2, 3, 4]),
        (["--from", "2026-03-02"], [2, 3, 4]),
        (["--to", "2026-03-02"], [1, 2, 3]),
        (["--from", "2026-03-02", "--to", "2026-03-02"], [2, 3]),
        (["--from", "2026-03-04"], []),
    ],
)
def test_days_are_the_workspaces(options: list[str], numbers: list[int]) -> None:
    workspace = make_workspace(timezone="Asia/Kathmandu")
    moments = ["2026-03-01T18:14:59.999Z", "2026-03-01T18:15:00Z", "2026-03-02T18:14:59Z", "2026-03-02T18:15:00Z"]
    record(workspace, *(ClickInput("other", ulid(n), clicked_at=clicked_at) for n, clicked_at in enumerate(moments, 1)))
    ids = [line.partition(",")[0] for line in export(workspace, *options).splitlines()[1:]]
    assert ids == [ulid(number) for number in numbers]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "x"], "--from must be a date as Y-m-d, not 'x'."),
        (["--to", "1999-12-31"], "--to must be between 2000-01-01 and 2099-12-31, not '1999-12-31'."),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--from 2026-03-02 is after --to 2026-03-01."),
        (["--format", "xml"], "Error: argument --format: invalid choice: 'xml' (choose from 'csv', 'jsonl')"),
    ],
)
def test_wrong_options_are_named(options: list[str], message: str) -> None:
    assert refusal("export_clicks", "--workspace", make_workspace().public_id, *options) == message


def test_a_workspace_that_is_not_there_is_named() -> None:
    for public_id in (public_ids.new_workspace_id(), "Acme", ""):
        said = refusal("export_clicks", "--workspace", public_id)
        assert said.startswith(f"There is no workspace with the public id {public_id!r}.")


@pytest.mark.parametrize("page", [1, 2, 3, 10, 5_000])
def test_pages_leave_no_click_out_and_write_none_twice(monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """Also where many were at the same moment."""
    monkeypatch.setattr(exports, "PAGE", page)
    workspace = make_workspace()
    clicks = [ClickInput("other", ulid(n), clicked_at=f"2026-03-01T09:00:0{n // 7}Z") for n in range(20)]
    clicks += [ClickInput("other", ulid(n), clicked_at=f"2026-03-0{n - 18}T00:00:00Z") for n in range(20, 25)]
    record(workspace, *clicks)
    ids = [line.partition(",")[0] for line in export(workspace).splitlines()[1:]]
    assert ids == [ulid(number) for number in range(25)]


def test_clicks_that_come_in_meanwhile_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    workspace = make_workspace()
    record(workspace, *(ClickInput("other", ulid(n), clicked_at=f"2026-03-01T09:00:{n:02}Z") for n in range(6)))
    parts = exports.export_clicks(workspace)
    first = [next(parts), next(parts)]
    record(workspace, ClickInput("other", ulid(10), clicked_at="2026-03-01T08:00:00Z"))
    record(workspace, ClickInput("other", ulid(11), clicked_at="2026-03-01T09:00:03.5Z"))
    ids = [line.partition(",")[0] for line in "".join([*first, *parts]).splitlines()[1:]]
    assert ids == [ulid(number) for number in (0, 1, 2, 3, 11, 4, 5)]


def test_queries_grow_with_pages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE", 10)
    workspace = make_workspace()
    user = make_user(workspace)
    alias, link = make_alias(user), make_link(workspace)
    named = {"user": user, "alias": alias, "link": link, "campaign": link.campaign}
    record(workspace, *(ClickInput("campaign", clicked_at=f"2026-03-01T09:00:{n:02}Z", **named) for n in range(30)))
    with CaptureQueriesContext(connection) as queries:
        export(workspace)
    # The workspace; four pages, the last one empty; campaigns, users, aliases, their owners and links, once each.
    assert len(queries) == 1 + 4 + 5


def test_kept_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE", 3)
    monkeypatch.setattr(exports, "KEPT_NAMES", 4)
    workspace = make_workspace()
    users = [make_user(workspace) for _ in range(20)]
    record(
        workspace,
        *(ClickInput("vcard", user=user, clicked_at=f"2026-03-01T09:00:{n:02}Z") for n, user in enumerate(users)),
    )
    lines = export(workspace).splitlines()[1:]
    assert [line.split(",")[3] for line in lines] == [user.public_id for user in users]


def test_what_a_spreadsheet_would_compute_is_text() -> None:
    workspace = make_workspace()
    reasons = ["=1+1", "a;=1", "'=1", "plain"]
    record(
        workspace,
        *(
            ClickInput("other", ulid(n), clicked_at=f"2026-03-01T09:00:0{n}Z", verdict="bot", reason=reason)
            for n, reason in enumerate(reasons)
        ),
    )
    cells = [line.split(",")[7] for line in export(workspace).splitlines()[1:]]
    assert cells == ["'=1+1", "a;'=1", "''=1", "plain"]


# --- there and back


def test_what_is_imported_again_is_there(tmp_path: Path) -> None:
    workspace = make_workspace()
    user, other = make_user(workspace), make_user(workspace)
    alias, link = make_alias(user), make_link(workspace, user=user)
    record(
        workspace,
        ClickInput("campaign", campaign=link.campaign, alias=alias, link=link, clicked_at="2026-03-01T09:00:00Z"),
        ClickInput("vcard", user=other, clicked_at="2026-03-01T09:00:00Z", verdict="suspected"),
        ClickInput("other", clicked_at="2026-03-01T09:00:00Z"),
    )
    # The alias belongs to another user now than when the link was followed.
    Alias.objects.update(user=other)
    for form in ("csv", "jsonl"):
        path = write(tmp_path, export(workspace, "--format", form), f"clicks.{form}")
        assert run_import(workspace, path) == ["accepted 0, duplicates 3, rejected 0."]


def everything(workspace: Workspace) -> dict[str, Any]:
    columns = ("id", "kind", "clicked_at", "campaign", "user", "alias", "link", "verdict", "reason")
    return {
        "clicks": sorted(Click.objects.filter(workspace=workspace).values_list(*columns), key=str),
        "counts": sorted(
            Rollup.objects.filter(workspace=workspace).values_list(
                "dimension", "key", "day", "campaign_clicks", "vcard_clicks", "other_clicks"
            )
        ),
    }


texts = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from([*"=+-@|'\";, "]), max_size=40).filter(
    str.isprintable
)
clicks = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001  # the test adds the zone
        st.sampled_from(["human", "suspected", "bot"]),
        texts,
    ),
    max_size=12,
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(clicks, st.sampled_from(["csv", "jsonl"]), st.sampled_from([1, 2, 5_000]))
def test_the_copy_of_a_workspace_has_the_same_clicks_and_counts(
    tmp_path: Path, drawn: list[tuple[int, datetime, str, str]], form: str, page: int
) -> None:
    with transaction.atomic():
        workspace = make_workspace(timezone="America/St_Johns")
        user = make_user(workspace)
        alias, link = make_alias(user), make_link(workspace, f"t{workspace.pk}", user=user)
        made = []
        for number, time, verdict, reason in drawn:
            named: dict[str, Any] = {"campaign": link.campaign} if number % 2 else {}
            named |= ({"user": user} if number & 2 else {}) | ({"alias": alias, "link": link} if number & 4 else {})
            said = "" if verdict == "human" else reason
            kind = "campaign" if number % 2 else "vcard"
            made.append(ClickInput(kind, clicked_at=time.replace(tzinfo=UTC), verdict=verdict, reason=said, **named))
        result = record_clicks(workspace, made)
        assert result.rejected == []
        before = everything(workspace)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(exports, "PAGE", page)
            path = write(tmp_path, export(workspace, "--format", form), f"clicks.{form}")
        assert run_import(workspace, path)[-1] == f"accepted 0, duplicates {len(made)}, rejected 0."
        Click.objects.filter(workspace=workspace).delete()
        Rollup.objects.filter(workspace=workspace).delete()
        assert run_import(workspace, path)[-1] == f"accepted {len(made)}, duplicates 0, rejected 0."
        assert everything(workspace) == before
        assert list(check(workspace)) == []
        transaction.set_rollback(True)


@pytest.mark.parametrize("command", ["export_clicks", "export_user"])
def test_whoever_reads_it_may_stop_early(command: str) -> None:
    """As `head` does."""
    workspace = make_workspace()
    given = [make_user(workspace).public_id] if command == "export_user" else ["--workspace", workspace.public_id]
    reader, writer = os.pipe()
    os.close(reader)
    # Leaving the block flushes the rest, as Python does at its end.
    with open(writer, "w", encoding="utf-8") as out:
        call_command(command, *given, stdout=out)
