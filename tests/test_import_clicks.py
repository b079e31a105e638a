"""The command `import_clicks` itself: where it reads from, what it says, and how it ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from stats_app import public_ids
from stats_app.imports import run
from stats_app.ingest import ClickInput
from stats_app.management import progress
from stats_app.models import Rollup, Workspace
from tests.factories import make_workspace, record
from tests.import_files import run_import, stored, write
from tests.test_commands import refusal

pytestmark = pytest.mark.django_db

HEAD = "id,kind,clickedAt\n"
ROWS = [f"01KJM9KEG07DDDDDDDDDDDDD{n:02},other,2026-03-01T09:00:{n:02}Z\n" for n in range(10)]
SAID = "accepted 10, duplicates 0, rejected 0."


class Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_it_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    monkeypatch.setattr(sys, "stdin", Stdin((HEAD + "".join(ROWS)).encode()))
    assert run_import(workspace, "-") == [SAID]
    assert len(stored(workspace)) == 10


@pytest.mark.parametrize("size", [1, 3, 10, 1_000])
def test_batches_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(run, "BATCH", size)
    workspace = make_workspace()
    path = write(tmp_path, HEAD + "".join(ROWS) + "x,other,2026-03-01T09:00:00Z\n" + ROWS[0] + ROWS[9])
    said = ['Line 12: id must be a ULID of 26 characters, not "x".', "accepted 10, duplicates 2, rejected 1."]
    assert run_import(workspace, path) == said
    assert len(stored(workspace)) == 10


# --- --dry-run


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_a_dry_run_finds_what_the_run_finds_and_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(run, "BATCH", size)
    workspace = make_workspace()
    record(workspace, ClickInput("other", id="01KJM9KEG07DDDDDDDDDDDDD00", clicked_at="2026-03-01T09:00:00Z"))
    before = [*Rollup.objects.order_by("day", "dimension").values_list()]
    # One that is there, some that come again, also in small letters, and some whose id comes first in a wrong row.
    rows = [*ROWS[:4], "x\n", ROWS[2].lower().replace("t09", "T09").replace("z\n", "Z\n"), *ROWS[1:3]]
    rows += [ROWS[5].replace("other", "none"), ROWS[5], ROWS[5], ROWS[0]]
    no_ids = [f",vcard,2026-03-01T10:00:0{n % 2}Z\n" for n in range(5)]
    path, rejects = write(tmp_path, HEAD + "".join([*rows, *no_ids])), tmp_path / "rejects.csv"
    rehearsed = run_import(workspace, path, "--dry-run", "--rejects", str(rejects))
    assert len(stored(workspace)) == 1
    assert [*Rollup.objects.order_by("day", "dimension").values_list()] == before
    kept = rejects.read_text()
    said = run_import(workspace, path, "--rejects", str(rejects))
    assert said == [
        "Line 6 has 1 cells where the first row has 3.",
        'Line 10: kind must be one of campaign, vcard, other, not "none".',
        "accepted 9, duplicates 6, rejected 2.",
    ]
    assert rehearsed == [*said[:-1], f"Nothing was stored; it would be {said[-1]}"]
    assert kept == rejects.read_text() == HEAD + "x\n" + ROWS[5].replace("other", "none")
    assert len(stored(workspace)) == 10


def test_a_first_dry_run_leaves_no_trace(tmp_path: Path) -> None:
    workspace = make_workspace()
    run_import(workspace, write(tmp_path, HEAD + ROWS[0]), "--dry-run")
    workspace.refresh_from_db()
    assert workspace.counted_timezone == ""


# --- how it ends


def test_a_workspace_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD)
    for public_id in (public_ids.new_workspace_id(), "Acme", ""):
        said = refusal("import_clicks", path, "--workspace", public_id)
        assert said.startswith(f"There is no workspace with the public id {public_id!r}.")


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    workspace = make_workspace()
    missing = str(tmp_path / "missing.csv")
    options = ["--workspace", workspace.public_id]
    assert refusal("import_clicks", missing, *options) == f"{missing}: No such file or directory."
    assert refusal("import_clicks", missing, *options, "--rejects", str(tmp_path)).startswith(
        f"{missing}: No such file"
    )
    assert refusal("import_clicks", str(tmp_path), *options) == f"{tmp_path}: Is a directory."
    path = write(tmp_path, HEAD)
    assert refusal("import_clicks", path, *options, "--rejects", str(tmp_path)) == f"{tmp_path}: Is a directory."
    assert refusal("import_clicks", path, *options, "--rejects", f"{path}/x") == f"{path}/x: Not a directory."


@pytest.mark.parametrize("wrong_lines", [1, 2_000])
@pytest.mark.parametrize("command", ["import_clicks", "import_users"])
def test_rejects_that_cannot_be_written_are_named(tmp_path: Path, command: str, wrong_lines: int) -> None:
    head = {"import_clicks": HEAD, "import_users": "email\n"}[command]
    path, workspace = write(tmp_path, head + "wrong\n" * wrong_lines), make_workspace()
    said = refusal(command, path, "--workspace", workspace.public_id, "--rejects", "/dev/full")
    assert said.startswith("/dev/full: No space left on device.")


@pytest.mark.parametrize("command", ["import_clicks", "import_users"])
def test_rejects_are_not_written_over_standard_input(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, path = make_workspace(), Path(write(tmp_path, HEAD))
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        said = refusal(command, "-", "--workspace", workspace.public_id, "--rejects", str(path), "--dry-run")
    assert (said, path.read_text()) == ("--rejects is the file that is imported; choose another name.", HEAD)


def test_a_full_output_says_what_was_stored(tmp_path: Path) -> None:
    path, workspace = write(tmp_path, HEAD + "wrong\n" * 30 + ROWS[0]), make_workspace()
    arguments = [path, "--workspace", workspace.public_id]
    with open("/dev/full", "w", encoding="utf-8") as full, pytest.raises(CommandError) as error:
        call_command("import_clicks", *arguments, stdout=_Unbuffered(full), stderr=io.StringIO())
    assert str(error.value) == (
        "The output: No space left on device. "
        "1 clicks were stored before; run it again, and they are not counted twice."
    )
    assert run_import(workspace, path)[-1] == "accepted 0, duplicates 1, rejected 30."


class _Unbuffered:
    """An output whose errors are raised at once."""

    def __init__(self, file: TextIO) -> None:
        self._file, self.fileno, self.flush = file, file.fileno, file.flush

    def write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()


@pytest.mark.parametrize("command", ["import_clicks", "import_users"])
def test_a_closed_standard_input_is_one_line(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(command, "-", "--workspace", workspace.public_id) == "Standard input is closed."


def test_a_wrong_format_is_named(tmp_path: Path) -> None:
    said = refusal("import_clicks", write(tmp_path, HEAD), "--workspace", "x", "--format", "xml")
    assert said.startswith("Error: argument --format: invalid choice: 'xml' (choose from 'csv', 'jsonl', 'combined'")


def test_a_workspace_that_is_deleted_meanwhile_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    real = run.record_clicks

    def record_after_the_end(given: Workspace, clicks: Any) -> object:
        Workspace.objects.filter(pk=given.pk).delete()
        return real(given, clicks)

    monkeypatch.setattr(run, "record_clicks", record_after_the_end)
    said = refusal("import_clicks", write(tmp_path, HEAD + ROWS[0]), "--workspace", workspace.public_id)
    assert said == "The workspace was deleted meanwhile."


def test_breaking_off_says_how_far_it_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 4)
    workspace = make_workspace()
    real, calls = run.record_clicks, iter([True, True, False])

    def record_twice(*given: Any) -> object:
        if not next(calls):
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(run, "record_clicks", record_twice)
    path = write(tmp_path, HEAD + "".join(ROWS))
    with pytest.raises(CommandError) as error:
        run_import(workspace, path)
    assert error.value.returncode == 130
    assert str(error.value) == "Interrupted. 8 clicks were stored before; run it again, and they are not counted twice."
    assert len(stored(workspace)) == 8
    monkeypatch.setattr(run, "record_clicks", real)
    assert run_import(workspace, path) == ["accepted 2, duplicates 8, rejected 0."]
    assert len(stored(workspace)) == 10


def test_the_database_is_written_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 4)
    sizes: list[int] = []
    real = run.record_clicks

    def recorded(workspace: Workspace, clicks: list[ClickInput]) -> object:
        sizes.append(len(clicks))
        return real(workspace, clicks)

    monkeypatch.setattr(run, "record_clicks", recorded)
    run_import(make_workspace(), write(tmp_path, HEAD + "".join(ROWS)))
    assert sizes == [4, 4, 2]


# --- the progress bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def _always_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN", 0)


@pytest.mark.usefixtures("_always_drawn")
def test_a_terminal_sees_a_bar_by_the_size_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 5)
    path, screen = write(tmp_path, HEAD + "".join(ROWS)), Terminal()
    workspace = make_workspace()
    call_command("import_clicks", path, workspace=workspace.public_id, stdout=io.StringIO(), stderr=screen)
    # A file as small as this one is read at once.
    assert f"\r[{'#' * 30}] 5 lines\r[{'#' * 30}] 10 lines" in screen.getvalue()
    assert screen.getvalue().endswith(" s\n")


@pytest.mark.usefixtures("_always_drawn")
def test_a_pipe_has_no_size_and_so_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin((HEAD + "".join(ROWS)).encode()))
    screen = Terminal()
    call_command("import_clicks", "-", workspace=make_workspace().public_id, stdout=io.StringIO(), stderr=screen)
    assert "\r10 lines" in screen.getvalue()
    assert "[" not in screen.getvalue()


def test_without_a_terminal_there_is_one_line(tmp_path: Path) -> None:
    log = io.StringIO()
    path = write(tmp_path, HEAD + "".join(ROWS))
    call_command("import_clicks", path, workspace=make_workspace().public_id, stdout=io.StringIO(), stderr=log)
    assert log.getvalue().startswith("10 lines in ")
    assert log.getvalue().count("\n") == 1


# --- as a process of its own


@pytest.mark.django_db(transaction=True)
def test_a_process_reads_a_pipe_and_writes_one(tmp_path: Path) -> None:
    """`export_clicks | import_clicks -`, in processes that share this database."""
    workspace = make_workspace()
    content = (HEAD + "".join(ROWS)).encode()
    assert manage("import_clicks", "-", "--workspace", workspace.public_id, stdin=content).splitlines() == [
        SAID.encode()
    ]
    exported = manage("export_clicks", "--workspace", workspace.public_id)
    assert exported.count(b"\n") == 11
    again = manage("import_clicks", "-", "--workspace", workspace.public_id, stdin=exported)
    assert again.splitlines() == [b"accepted 0, duplicates 10, rejected 0."]


def manage(*arguments: str, stdin: bytes = b"") -> bytes:
    """The standard output of a command of the example project."""
    database = connection.settings_dict
    place = f"{database['USER']}@{database['HOST']}:{database['PORT'] or 5432}" if database["USER"] else ""
    url = f"postgres://{place}/{database['NAME']}" if place else f"sqlite:///{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    found = subprocess.run(
        [sys.executable, "-m", "django", *arguments], input=stdin, capture_output=True, env=environment, check=True
    )
    return found.stdout
