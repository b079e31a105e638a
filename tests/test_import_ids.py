"""Rows without ids count once, however often, in whatever parts and in whatever form they are imported."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ulid import ULID

from stats_app.imports import run
from stats_app.imports.row_ids import RowIds, Seen
from stats_app.models import Click, ImportKey, Workspace
from tests.factories import make_workspace
from tests.import_files import make_link, run_import, stored, write

pytestmark = pytest.mark.django_db

HEAD = "kind,clickedAt,reason,verdict\n"
A, B, C = (f"other,2026-03-01T09:00:00.5Z,{reason},bot\n" for reason in "abc")


def import_rows(workspace: Workspace, folder: Path, content: str, *options: str) -> str:
    return run_import(workspace, write(folder, content), *options)[-1]


def ids() -> set[str]:
    return {str(click.id) for click in Click.objects.all()}


@pytest.fixture(params=[1, 2, 3, 1_000])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of rows in a batch. The results must not depend on it."""
    size: int = request.param
    monkeypatch.setattr(run, "BATCH", size)
    return size


def test_the_same_file_counts_once(tmp_path: Path, batch: int) -> None:
    workspace = make_workspace()
    content = HEAD + A + B + A + A + C
    assert import_rows(workspace, tmp_path, content) == "accepted 5, duplicates 0, rejected 0."
    assert import_rows(workspace, tmp_path, content) == "accepted 0, duplicates 5, rejected 0."
    assert len(stored(workspace)) == 5


def test_the_order_of_rows_does_not_matter(tmp_path: Path, batch: int) -> None:
    workspace = make_workspace()
    import_rows(workspace, tmp_path, HEAD + A + B + A + A + C)
    assert import_rows(workspace, tmp_path, HEAD + C + A + A + B + A) == "accepted 0, duplicates 5, rejected 0."
    assert import_rows(workspace, tmp_path, HEAD + A + A + A + A + B) == "accepted 1, duplicates 4, rejected 0."


def test_a_file_that_grows_counts_what_is_new(tmp_path: Path, batch: int) -> None:
    workspace = make_workspace()
    import_rows(workspace, tmp_path, HEAD + A + B)
    assert import_rows(workspace, tmp_path, HEAD + A + B + A + C) == "accepted 2, duplicates 2, rejected 0."


def test_a_run_that_broke_off_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    workspace, content = make_workspace(), HEAD + A + B + A + A + C
    real, calls = run.record_clicks, Counter[str]()

    def record(*args: Any, **kwargs: Any) -> object:
        calls["record"] += 1
        if calls["record"] == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(run, "record_clicks", record)
    with pytest.raises(Exception, match=r"^Interrupted\. 4 clicks were stored before; run it again, and they are not"):
        import_rows(workspace, tmp_path, content)
    assert len(stored(workspace)) == 4
    assert import_rows(workspace, tmp_path, content) == "accepted 1, duplicates 4, rejected 0."
    assert len(stored(workspace)) == 5


def test_the_parts_of_a_file_count_as_the_whole(tmp_path: Path) -> None:
    whole, parts = make_workspace(), make_workspace()
    rows = [f"other,2026-03-01T09:00:{n % 60:02}Z,x{n // 7},bot\n" for n in range(90)]
    import_rows(whole, tmp_path, HEAD + "".join(rows))
    import_rows(parts, tmp_path, HEAD + "".join(rows[::2]))
    import_rows(parts, tmp_path, HEAD + "".join(rows[1::2]))
    assert sorted(stored(whole)) == sorted(stored(parts))
    assert import_rows(parts, tmp_path, HEAD + "".join(rows)) == "accepted 0, duplicates 90, rejected 0."


def test_the_same_row_in_two_files_is_one_click(tmp_path: Path) -> None:
    workspace = make_workspace()
    assert import_rows(workspace, tmp_path, HEAD + A + A) == "accepted 2, duplicates 0, rejected 0."
    assert import_rows(workspace, tmp_path, HEAD + A + B) == "accepted 1, duplicates 1, rejected 0."


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("kind;clickedAt;reason;verdict\nother;2026-03-01T09:00:00.5Z;a;bot\n", []),
        ('"verdict"\t"kind"\t"clickedAt"\t"reason"\r\n"bot"\t"other"\t"2026-03-01T09:00:00.5Z"\t"a"\r\n', []),
        ("\ufeffkind,clickedAt,reason,verdict,alias,link,,\nother,2026-03-01T09:00:00.5Z,a,bot,,,,", []),
        (
            json.dumps(
                {"verdict": "bot", "kind": "other", "reason": "a", "clickedAt": "2026-03-01T09:00:00.5Z", "id": None}
            ),
            ["--format", "jsonl"],
        ),
        (HEAD + A, ["--map", "verdict=human", "--map", "reason="]),
        (HEAD + A, ["--timezone", "Asia/Tokyo"]),
    ],
)
def test_the_same_row_in_another_form_is_the_same_click(tmp_path: Path, content: str, options: list[str]) -> None:
    workspace = make_workspace()
    import_rows(workspace, tmp_path, HEAD + A)
    assert import_rows(workspace, tmp_path, content, *options) == "accepted 0, duplicates 1, rejected 0."


@pytest.mark.parametrize(
    "content",
    [
        HEAD + A.replace("00.5Z", "00.501Z"),
        HEAD + A.replace("bot", "suspected"),
        HEAD.replace("reason", "alias") + A.replace(",a,", ",,"),
        HEAD.replace("\n", ",title\n") + A.replace("\n", ",x\n"),
    ],
)
def test_another_row_is_another_click(tmp_path: Path, content: str) -> None:
    workspace = make_workspace()
    import_rows(workspace, tmp_path, HEAD + A)
    assert import_rows(workspace, tmp_path, content, "--map", "kind=kind") == "accepted 1, duplicates 0, rejected 0."


def test_cells_do_not_run_into_each_other(tmp_path: Path) -> None:
    workspace = make_workspace()
    head = "kind,clickedAt,a,b\n"
    content = head + "".join(
        f"other,2026-03-01T09:00:00Z,{a},{b}\n" for a, b in [("x", "yz"), ("xy", "z"), ("xyz", ""), ("", "xyz")]
    )
    import_rows(workspace, tmp_path, content, "--map", "kind=kind")
    for row in content.splitlines()[1:]:
        assert import_rows(workspace, tmp_path, f"{head}{row}\n", "--map", "kind=kind") == (
            "accepted 0, duplicates 1, rejected 0."
        )


def test_each_workspace_counts_the_file(tmp_path: Path) -> None:
    for name in ("Acme", "Globex"):
        assert import_rows(make_workspace(name=name), tmp_path, HEAD + A + A) == "accepted 2, duplicates 0, rejected 0."
    assert len(ids()) == 4


def test_an_id_begins_with_the_time_of_its_click(tmp_path: Path) -> None:
    import_rows(make_workspace(), tmp_path, HEAD + A + A)
    moments = {ULID.from_str(click_id).datetime for click_id in ids()}
    assert moments == {datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)}


def test_an_id_of_another_system_tells_rows_apart_and_nothing_else_does(tmp_path: Path) -> None:
    workspace = make_workspace()
    head = "externalId,kind,clickedAt,title\n"
    row, other = (f"{number},other,2026-03-01T09:00:00Z,x\n" for number in (17, 18))
    options = ["--map", "kind=kind"]
    content = head + row + other + row
    assert import_rows(workspace, tmp_path, content, *options) == "accepted 2, duplicates 1, rejected 0."
    renamed = (head + row + other).replace("externalId", "click_id").replace(",x\n", ",y\n")
    said = import_rows(workspace, tmp_path, renamed, *options, "--map", "click_id=externalId")
    assert said == "accepted 0, duplicates 2, rejected 0."


def test_the_name_of_a_column_is_part_of_a_row_whatever_it_is_mapped_to(tmp_path: Path) -> None:
    workspace = make_workspace()
    token = make_link(workspace).token
    content = f"token,clickedAt\n{token},2026-03-01T09:00:00Z\n"
    assert import_rows(workspace, tmp_path, content) == "accepted 1, duplicates 0, rejected 0."
    said = import_rows(workspace, tmp_path, content, "--map", "token=link")
    assert said == "accepted 0, duplicates 1, rejected 0."


def test_each_workspace_has_its_own_key_for_ids_and_a_dry_run_makes_none(tmp_path: Path) -> None:
    """Without a key, somebody who sees only ids could test whose clicks they are."""
    workspace, other = make_workspace(), make_workspace()
    assert import_rows(workspace, tmp_path, HEAD + A, "--dry-run").endswith("accepted 1, duplicates 0, rejected 0.")
    assert not ImportKey.objects.exists()
    for one in (workspace, other, workspace):
        import_rows(one, tmp_path, HEAD + A)
    first, second = (bytes(key) for key in ImportKey.objects.order_by("pk").values_list("key", flat=True))
    assert (len(ids()), len(first), first != second) == (2, 32, True)


def test_an_id_of_ours_stays(tmp_path: Path) -> None:
    workspace = make_workspace()
    content = "id,externalId,kind,clickedAt\n01kjm9keg07ddddddddddddddd,17,other,2026-03-01T09:00:00Z\n"
    assert import_rows(workspace, tmp_path, content * 1) == "accepted 1, duplicates 0, rejected 0."
    assert ids() == {"01KJM9KEG07DDDDDDDDDDDDDDD"}


def test_lines_of_a_log_that_grows_count_once(tmp_path: Path) -> None:
    workspace = make_workspace()
    make_link(workspace)
    line = '192.0.2.{} - - [28/Nov/2025:09:15:02 +0100] "GET /c/k7Qm2xZp HTTP/1.1" 302 0 "-" "Firefox {}"\n'
    # Two people in one second, and one of them twice.
    lines = [line.format(1, 1), line.format(2, 1), line.format(1, 1)]
    options = ["--format", "combined"]
    assert import_rows(workspace, tmp_path, "".join(lines[:1]), *options) == "accepted 1, duplicates 0, rejected 0."
    assert import_rows(workspace, tmp_path, "".join(lines), *options) == "accepted 2, duplicates 1, rejected 0."
    assert import_rows(workspace, tmp_path, "".join(lines[1:]), *options) == "accepted 0, duplicates 2, rejected 0."
    syslog = "".join(lines).replace("\n", "\r\n")
    assert import_rows(workspace, tmp_path, syslog, *options) == "accepted 0, duplicates 3, rejected 0."


# --- the ids themselves

moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # `timezones` adds UTC
often = st.sampled_from(
    [(datetime(2026, 1, 1, tzinfo=UTC), b"x", False), (datetime(2026, 1, 1, tzinfo=UTC), b"y", True)]
)
rows = st.lists(st.tuples(moments, st.binary(max_size=3), st.just(False)) | often)
KEY = bytes(range(32))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rows, st.lists(st.integers(1, 5), max_size=20), st.randoms(use_true_random=False))
def test_ids_depend_on_rows_and_not_on_batches_or_order(
    given_rows: list[tuple[datetime, bytes, bool]], sizes: list[int], random: object
) -> None:
    expected = RowIds(KEY).of(given_rows)
    repeated = Counter(row for row in given_rows if row[-1])
    assert len(set(expected)) == len(given_rows) - repeated.total() + len(repeated)
    in_parts, remaining, ids = RowIds(KEY), list(given_rows), []
    for size in [*sizes, len(given_rows)]:
        part, remaining = remaining[:size], remaining[size:]
        ids += in_parts.of(part)
    assert ids == expected
    shuffled = sorted(given_rows, key=lambda row: row[1])
    assert set(RowIds(KEY).of(shuffled)) == set(expected)
    assert set(RowIds(bytes(32)).of(given_rows)).isdisjoint(expected)
    for (time, *_), new_id in zip(given_rows, expected, strict=True):
        assert ULID.from_bytes(new_id).milliseconds == int(time.timestamp()) * 1000 + time.microsecond // 1000


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 3).map(lambda n: bytes([n]) * 16))))
def test_what_was_seen_is_counted_as_a_list_would_be(batches: list[list[bytes]]) -> None:
    seen, so_far = Seen(), Counter[bytes]()
    for batch in batches:
        expected = []
        for one in batch:
            expected.append(so_far[one])
            so_far[one] += 1
        assert seen.earlier(batch) == expected
