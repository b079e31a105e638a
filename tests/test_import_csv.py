"""Clicks from CSV files: what is read, and what is wrong, each pitfall of the format by itself."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from stats_app.imports.sources import MAX_LINE
from stats_app.models import Click
from tests.factories import make_alias, make_campaign, make_user, make_workspace
from tests.import_files import TOKEN, make_link, run_import, stored, write
from tests.test_commands import refusal

pytestmark = pytest.mark.django_db

ONE = "2026-03-01 09:00:00"
TWO = "2026-03-01 09:00:01"
ONLY_ONE = [("other", ONE, "human", "")]
BOTH = [*ONLY_ONE, ("vcard", TWO, "human", "")]


def imported(folder: Path, content: str | bytes, *options: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """What the command prints of a file, and what it stores."""
    workspace = make_workspace()
    return run_import(workspace, write(folder, content), *options), [*stored(workspace)]


# --- what is read


def test_a_row_is_a_click(tmp_path: Path) -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias, link = make_alias(user), make_link(workspace, campaign=campaign)
    path = write(
        tmp_path,
        "reason,verdict,clickedAt,alias,link,userPublicId,campaignPublicId,kind,id\n"
        f"mail scanner: Barracuda,bot,2026-03-01T10:00:00.123456+01:00,{alias.email},{link.token},{user.public_id},"
        f"{campaign.public_id},campaign,01KJM9KEG07DDDDDDDDDDDDDDD\n",
    )
    assert run_import(workspace, path) == ["accepted 1, duplicates 0, rejected 0."]
    click = Click.objects.get()
    assert str(click.id) == "01KJM9KEG07DDDDDDDDDDDDDDD"
    assert (click.kind, click.verdict, click.reason) == ("campaign", "bot", "mail scanner: Barracuda")
    assert (click.campaign, click.user, click.alias, click.link) == (campaign, user, alias, link)
    assert click.clicked_at.isoformat() == "2026-03-01T09:00:00.123456+00:00"
    assert run_import(workspace, path) == ["accepted 0, duplicates 1, rejected 0."]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_signs_encodings_and_line_ends_are_found_out(tmp_path: Path, sign: str, encoding: str, end: str) -> None:
    lines = [["kind", "clickedAt"], ["other", "2026-03-01T09:00:00Z"], ["vcard", "2026-03-01T09:00:01Z"]]
    text = end.join(sign.join(line) for line in lines)
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    said, clicks = imported(tmp_path, (mark + text).encode(encoding))
    assert (said, clicks) == (["accepted 2, duplicates 0, rejected 0."], BOTH)


def test_the_first_row_alone_decides_the_sign(tmp_path: Path) -> None:
    said, clicks = imported(
        tmp_path,
        "kind,clickedAt,verdict,reason\n"
        'other,2026-03-01T09:00:00Z,bot,"a;b;c;d;e"\n'
        "vcard,2026-03-01T09:00:01Z,bot,a;b;c;d;e;f;g\n",
    )
    assert said == ["accepted 2, duplicates 0, rejected 0."]
    assert [reason for *_, reason in clicks] == ["a;b;c;d;e", "a;b;c;d;e;f;g"]


@pytest.mark.parametrize("line", ["#TYPE Selected.System.Management.Automation.PSCustomObject", "sep=;", '"sep=\t"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_line_of_powershell_or_excel_before_the_first_row_is_passed_over(
    tmp_path: Path, line: str, encoding: str
) -> None:
    workspace = make_workspace()
    lines = [line, "kind;clickedAt", "vcard;2026-03-09T10:00:00Z", "x;2026-03-09T10:00:00Z"]
    said = run_import(workspace, write(tmp_path, "\r\n".join(lines).encode(encoding)))
    assert said[0].startswith("Line 4: kind must be")
    assert said[1] == "accepted 1, duplicates 0, rejected 1."


def test_one_column_needs_no_sign(tmp_path: Path) -> None:
    said, clicks = imported(tmp_path, "clickedAt\n2026-03-01T09:00:00Z\n", "--map", "kind=other")
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0."], ONLY_ONE)


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    workspace = make_workspace()
    path = write(tmp_path, gzip.compress(b"kind,clickedAt\nother,2026-03-01T09:00:00Z\n"), "clicks.csv.gz")
    assert run_import(workspace, path) == ["accepted 1, duplicates 0, rejected 0."]
    assert stored(workspace) == ONLY_ONE


def test_a_cell_may_hold_line_ends(tmp_path: Path) -> None:
    said, clicks = imported(
        tmp_path,
        "kind,clickedAt,title\n"
        'other,2026-03-01T09:00:00Z,"one\ntwo\r\n\nthree ""four"""\n'
        'vcard,2026-03-01T09:00:01Z,"x"\n'
        "none,2026-03-01T09:00:02Z,y\n",
        "--map",
        "kind=kind",
    )
    assert said == [
        'Line 7: kind must be one of campaign, vcard, other, not "none".',
        "Not read: title.",
        "accepted 2, duplicates 0, rejected 1.",
    ]
    assert clicks == BOTH


def test_rows_without_anything_are_passed_over(tmp_path: Path) -> None:
    said, clicks = imported(tmp_path, "kind;clickedAt;\n\nother;2026-03-01T09:00:00Z;\n;;\n\r\n")
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0."], ONLY_ONE)


def test_the_apostrophe_that_keeps_a_cell_from_being_computed_is_taken_away(tmp_path: Path) -> None:
    said, clicks = imported(
        tmp_path,
        "kind,clickedAt,verdict,reason\n"
        "other,2026-03-01T09:00:00Z,bot,'=1+1\n"
        "other,2026-03-01T09:00:01Z,bot,'quoted'\n"
        "other,2026-03-01T09:00:02Z,bot,''-x\n",
    )
    assert said == ["accepted 3, duplicates 0, rejected 0."]
    assert [reason for *_, reason in clicks] == ["=1+1", "'quoted'", "'-x"]


def test_a_link_says_what_its_row_does_not(tmp_path: Path) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    campaign_link = make_link(workspace, user=user)
    make_link(workspace, "vcard1", kind="vcard", alias=make_alias(user))
    path = write(
        tmp_path,
        f"token,clickedAt,kind\n{TOKEN},2026-03-01T09:00:00Z,\nvcard1,2026-03-01T09:00:01Z,\n"
        f"{TOKEN},2026-03-01T09:00:02Z,other\nnone,2026-03-01T09:00:03Z,\n\x7f,2026-03-01T09:00:03Z,\n",
    )
    assert run_import(workspace, path) == [
        'Line 5: link "none" is not in this workspace.',
        'Line 6: link "\\u007f" is not in this workspace.',
        "accepted 3, duplicates 0, rejected 2.",
    ]
    clicks = Click.objects.order_by("clicked_at")
    assert [(click.kind, click.campaign, click.user, click.link.token) for click in clicks] == [
        ("campaign", campaign_link.campaign, user, TOKEN),
        ("vcard", None, user, "vcard1"),
        ("other", None, None, TOKEN),
    ]


def test_a_link_of_another_workspace_is_unknown(tmp_path: Path) -> None:
    make_link(make_workspace(name="Globex"))
    said, clicks = imported(tmp_path, f"link,clickedAt\n{TOKEN},2026-03-01T09:00:00Z\n")
    assert said == [f'Line 2: link "{TOKEN}" is not in this workspace.', "accepted 0, duplicates 0, rejected 1."]
    assert clicks == []


def test_an_alias_that_is_another_users_by_now_is_left_out(tmp_path: Path) -> None:
    workspace = make_workspace()
    ada, grace = make_user(workspace), make_user(workspace)
    make_link(workspace, user=ada, alias=make_alias(grace))
    path = write(tmp_path, f"link,clickedAt\n{TOKEN},2026-03-01T09:00:00Z\n")
    assert run_import(workspace, path) == ["accepted 1, duplicates 0, rejected 0."]
    click = Click.objects.get()
    assert (click.user, click.alias) == (ada, None)


def test_a_browser_is_judged_and_not_kept(tmp_path: Path) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    said, clicks = imported(
        tmp_path,
        "kind,clickedAt,userAgent,verdict\n"
        f"other,2026-03-01T09:00:00Z,{firefox},\n"
        "other,2026-03-01T09:00:01Z,curl/8.5.0,\n"
        "other,2026-03-01T09:00:02Z,curl/8.5.0,human\n",
    )
    assert said == ["accepted 3, duplicates 0, rejected 0."]
    assert clicks == [
        ("other", ONE, "human", ""),
        ("other", TWO, "bot", "program: curl"),
        ("other", "2026-03-01 09:00:02", "human", ""),
    ]


# --- columns


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", [], "The file has no first row with the names of the columns."),
        ("\n\n", [], "The file has no first row with the names of the columns."),
        (",,\n", [], "The file has no first row with the names of the columns."),
        ("kind\nother\n", [], "There is no column clickedAt, so the times of the clicks are unknown."),
        (
            "clickedAt\n",
            [],
            "There is no column kind and no column link; --map kind=other gives all rows one kind.",
        ),
        (
            "kind,clickedAt,verdikt\n",
            [],
            '"verdikt" is not a field of a click; the fields are id, kind, campaignPublicId, userPublicId, alias, '
            "clickedAt, verdict, reason, link, externalId, userAgent, workspacePublicId. "
            "Map the columns of another system to these (--map).",
        ),
        ("kind,clickedAt,kind\n", [], 'The column "kind" is given more than once.'),
        ("link,clickedAt,token\n", [], '"token" is not a field of a click; the fields are '),
        ("a,a\n", ["--map", "a=clickedAt", "--map", "kind=other"], 'The column "a" is given more than once.'),
        ('"kind,clickedAt\nother', [], "The first row is not CSV: unexpected end of data."),
        (
            "kind,at\n",
            ["--map", "time=clickedAt"],
            'There is no column "time", which --map or --only names; the file has kind, at.',
        ),
        (
            "kind,clickedAt\n",
            ["--only", "type=3"],
            'There is no column "type", which --map or --only names; the file has kind, clickedAt.',
        ),
        (
            "k\0i\0n\0d\0",
            [],
            "The first row has NUL characters: is it UTF-16 without a byte-order mark, or not text at all?",
        ),
        (
            "PK\x03\x04\x14\0\x06\0[Content_Types].xml",
            [],
            "The file is a workbook of Excel or another ZIP file: save it as CSV UTF-8, or unpack it.",
        ),
        (
            "kind,clickedAt\n",
            ["--timezone", "Mars/Base"],
            '--timezone must be an IANA time zone, such as Europe/Paris, not "Mars/Base".',
        ),
        (
            "kind,clickedAt\n",
            ["--date-format", "%Q"],
            "--date-format must be unix, unix-ms or a format of Python's strptime",
        ),
        ("kind,clickedAt\n", ["--only", "kind"], '--only must be COLUMN=VALUE, not "kind".'),
        (
            "kind,clickedAt\n",
            ["--map", "kind"],
            '--map "kind" is not COLUMN=FIELD, FIELD=VALUE or COLUMN:VALUE=FIELD:VALUE',
        ),
        (
            "kind,clickedAt\n",
            ["--map", "a=b"],
            '--map "a=b" is not COLUMN=FIELD, FIELD=VALUE or COLUMN:VALUE=FIELD:VALUE',
        ),
        ("a,b\n", ["--map", "a=kind", "--map", "b=kind"], '--map "b=kind": another --map already sets kind.'),
        (
            "a,b\n",
            ["--map", "kind=other", "--map", "a:1=kind:vcard"],
            '--map "a:1=kind:vcard": another --map already sets kind',
        ),
        (
            "a,b\n",
            ["--map", "a:1=kind:vcard", "--map", "a:1=kind:other"],
            '--map "a:1=kind:other": another --map already sets',
        ),
        (
            "a,b\n",
            ["--map", "a:1=kind:vcard", "--map", "b:1=kind:other"],
            '--map "b:1=kind:other": another --map already sets',
        ),
        ("kind,clickedAt\n", ["--prefix", "/go/"], "--prefix cannot be used with --format csv."),
        ("kind,clickedAt\n", ["--status", "302"], "--status cannot be used with --format csv."),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(
    tmp_path: Path, content: str, options: list[str], message: str
) -> None:
    workspace = make_workspace()
    path = write(tmp_path, content)
    assert refusal("import_clicks", path, "--workspace", workspace.public_id, *options).startswith(message)
    assert stored(workspace) == []


def test_a_column_that_is_mapped_is_not_its_own_field(tmp_path: Path) -> None:
    said, clicks = imported(
        tmp_path,
        "id,kind,reason,clickedAt\n17,spring,vcard,2026-03-01T09:00:00Z\n",
        *("--map", "id=externalId", "--map", "reason=kind", "--map", "kind=userAgent"),
    )
    assert said == ["accepted 1, duplicates 0, rejected 0."]
    assert [kind for kind, *_ in clicks] == ["vcard"]


def test_a_value_is_translated_and_any_other_too(tmp_path: Path) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    path = write(
        tmp_path,
        "page,at\n/a=b:c,2026-03-01T09:00:00Z\n/x,2026-03-01T09:00:01Z\n,2026-03-01T09:00:02Z\n",
    )
    options = ["at=clickedAt", "page:/a=b:c=kind:campaign", "page:*=kind:other"]
    options += [f"page:/a=b:c=campaignPublicId:{campaign.public_id}"]
    said = run_import(workspace, path, *(part for option in options for part in ("--map", option)))
    assert said == ["accepted 3, duplicates 0, rejected 0."]
    clicks = Click.objects.order_by("clicked_at")
    assert [(click.kind, click.campaign) for click in clicks] == [
        ("campaign", campaign),
        ("other", None),
        ("other", None),
    ]


def test_rows_of_other_workspaces_are_skipped(tmp_path: Path) -> None:
    workspace, other = make_workspace(), make_workspace()
    rows = "".join(
        f"vcard,2026-03-01T09:00:0{second}Z,{name}\n"
        for second, name in enumerate([workspace.public_id, other.public_id, "", workspace.public_id.upper()])
    )
    path = write(tmp_path, f"kind,clickedAt,workspacePublicId\n{rows}")
    assert run_import(workspace, path) == [
        f'Line 5: workspacePublicId must be 26 characters of a lowercase ULID, not "{workspace.public_id.upper()}".',
        "accepted 2, duplicates 0, rejected 1, skipped 1.",
    ]
    assert [time[-2:] for _, time, *_ in stored(workspace)] == ["00", "02"]


def test_rows_that_are_not_asked_for_are_skipped(tmp_path: Path) -> None:
    rows = "".join(
        f"{kind},2026-03-01T09:00:0{second}Z,{bot}\n" for second, (kind, bot) in enumerate(["a0", "b0", "c0", "a1"])
    )
    options = ["--map", "kind=vcard", "--only", "type=a", "--only", "type=c", "--only", "bot=0"]
    said, clicks = imported(tmp_path, f"type,clickedAt,bot\n{rows}", *options)
    assert said == ["accepted 2, duplicates 0, rejected 0, skipped 2."]
    assert [time[-2:] for _, time, *_ in clicks] == ["00", "02"]


# --- times


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("2026-03-01T09:00:00Z", [], ONE),
        ("2026-03-01T10:00:00+01:00", [], ONE),
        ("2026-03-01 10:00:00.25+01", [], f"{ONE}.25"),
        ("2026-03-01 03:30:00-0530", [], ONE),
        ("2026-03-01T09:00:00.123456789Z", [], f"{ONE}.123456"),
        ("2026-03-01 09:00", ["--timezone", "UTC"], ONE),
        ("2026-03-01 10:00:00", ["--timezone", "Europe/Paris"], ONE),
        ("2026-03-01T09:00:00Z", ["--timezone", "Europe/Paris"], ONE),
        ("01/03/2026 10:00", ["--timezone", "Europe/Paris", "--date-format", "%d/%m/%Y %H:%M"], ONE),
        ("03/01/2026 9:00 AM +0000", ["--date-format", "%m/%d/%Y %I:%M %p %z"], ONE),
        ("1772355600", ["--date-format", "unix"], ONE),
        ("1772355600.5", ["--date-format", "unix"], f"{ONE}.5"),
        ("1772355600500", ["--date-format", "unix-ms"], f"{ONE}.5"),
        # Clocks go back at 3: the first 02:30 of two.
        ("2025-10-26 02:30:00", ["--timezone", "Europe/Paris"], "2025-10-26 00:30:00"),
    ],
)
def test_a_time_is_read(tmp_path: Path, text: str, options: list[str], expected: str) -> None:
    said, clicks = imported(tmp_path, f"kind;clickedAt\nother;{text}\n", *options)
    assert said == ["accepted 1, duplicates 0, rejected 0."]
    assert clicks == [("other", expected, "human", "")]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", [], "clickedAt is required: a row says when its click was."),
        (
            "03/04/2026 10:00",
            [],
            'clickedAt "03/04/2026 10:00" is ambiguous; give its form with --date-format, such as '
            "'%d/%m/%Y %H:%M:%S'.",
        ),
        ("3.4.26", [], 'clickedAt "3.4.26" is ambiguous; give its form with --date-format, such as '),
        ("13-04-2026 10:00", [], 'clickedAt "13-04-2026 10:00" is ambiguous; give its form with --date-format, '),
        (
            "2026-03-01 09:00:00",
            [],
            'clickedAt "2026-03-01 09:00:00" has no offset; give its time zone with --timezone, such as '
            "--timezone UTC.",
        ),
        (
            "2026-03-01",
            [],
            'clickedAt "2026-03-01" is not a time such as 2026-03-01T09:30:00Z; any other form needs --date-format.',
        ),
        ("2026/03/01 09:00:00", [], 'clickedAt "2026/03/01 09:00:00" is not a time such as 2026-03-01T09:30:00Z; any '),
        ("46082.375", [], 'clickedAt "46082.375" is not a time such as 2026-03-01T09:30:00Z; any other form needs '),
        ("2026-02-30T09:00:00Z", [], 'clickedAt "2026-02-30T09:00:00Z" is not a time: day is out of range for month.'),
        ("2026-03-01T25:00:00Z", [], 'clickedAt "2026-03-01T25:00:00Z" is not a time: hour must be in 0..23.'),
        ("٢٠٢٦-03-01T09:00:00Z", [], 'clickedAt "٢٠٢٦-03-01T09:00:00Z" is not a time such as'),
        (
            "2026-03-29 02:30:00",
            ["--timezone", "Europe/Paris"],
            'clickedAt "2026-03-29 02:30:00" was skipped by the clocks of Europe/Paris: is that the right zone?',
        ),
        ("2026-03-01", ["--date-format", "%d/%m/%Y"], 'clickedAt "2026-03-01" is not a time in the form %d/%m/%Y.'),
        ("x", ["--date-format", "unix"], 'clickedAt "x" is not a number of seconds since 1970.'),
        ("nan", ["--date-format", "unix"], 'clickedAt "nan" is not a number of seconds since 1970.'),
        ("1e300", ["--date-format", "unix-ms"], 'clickedAt "1e300" is not a number of milliseconds since 1970.'),
        ("0001-01-01T00:00:00+14:00", [], 'clickedAt "0001-01-01'),
        ("0001-01-01T00:00:00", ["--timezone", "Asia/Tokyo"], 'clickedAt "0001-01-01'),
        ("9999-12-31T23:59:59-14:00", [], 'clickedAt "9999-12-31'),
        ("1969-12-31T23:59:59Z", [], 'clickedAt "1969-12-31 23:59:59+00:00" is not between 2000-01-01 and 2099-12-31.'),
        ("2099-01-01T00:00:00Z", [], 'clickedAt "2099-01-01 00:00:00+00:00" is more than 5 minutes in the future.'),
    ],
)
def test_a_wrong_time_is_rejected_and_never_now(tmp_path: Path, text: str, options: list[str], message: str) -> None:
    said, clicks = imported(tmp_path, f"kind;clickedAt\nother;{text}\n", *options)
    assert said[0].startswith(f"Line 2: {message}")
    assert said[1:] == ["accepted 0, duplicates 0, rejected 1."]
    assert clicks == []


def test_a_message_calls_a_field_as_the_file_does(tmp_path: Path) -> None:
    said, _ = imported(
        tmp_path,
        "what,at,who\nx,2026-03-01T09:00:00Z,\nvcard,never,\nvcard,2026-03-01T09:00:00Z,usr_1\n",
        *("--map", "what=kind", "--map", "at=clickedAt", "--map", "who=userPublicId"),
    )
    assert said == [
        'Line 2: what must be one of campaign, vcard, other, not "x".',
        'Line 3: at "never" is not a time such as 2026-03-01T09:30:00Z; any other form needs --date-format.',
        'Line 4: who must be usr_ and 26 characters of a lowercase ULID, not "usr_1".',
        "accepted 0, duplicates 0, rejected 3.",
    ]


# --- wrong lines


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("other,2026-03-01T09:00:00Z,x,y", " has 4 cells where the first row has 3."),
        ("other,2026-03-01T09:00:00Z", " has 2 cells where the first row has 3."),
        ("other,2026-03-01T09:00:00Z,a\0b", " has a NUL character."),
        ('other,2026-03-01T09:00:00Z,"a"b', " is not CSV: ',' expected after '\"'."),
        (f"other,2026-03-01T09:00:00Z,{'x' * 131_073}", " is not CSV: field larger than field limit (131072)."),
        ("other,2026-03-01T09:00:00Z,x", ": reason is not allowed for a human click."),
    ],
)
def test_a_wrong_line_is_named_and_the_right_ones_around_it_are_stored(tmp_path: Path, line: str, message: str) -> None:
    said, clicks = imported(
        tmp_path, f"kind,clickedAt,reason\nother,2026-03-01T09:00:00Z,\n{line}\nvcard,2026-03-01T09:00:01Z,\n"
    )
    assert said == [f"Line 3{message}", "accepted 2, duplicates 0, rejected 1."]
    assert clicks == BOTH


@pytest.mark.parametrize("after", [0, 1, 98, 99, 100, 101, 2_500])
def test_a_quote_that_is_not_closed_swallows_no_row(tmp_path: Path, after: int) -> None:
    rows = [f"other,2026-03-01T09:{n // 60:02}:{n % 60:02}Z,\n" for n in range(after)]
    said, clicks = imported(tmp_path, "".join(["kind,clickedAt,reason\n", 'other,2026-03-01T08:00:00Z,"\n', *rows]))
    error = "unexpected end of data" if after < 100 else "more than 100 lines"
    assert said == [
        f"Line 2 is not CSV: {error}." + (" Is a quote opened here and not closed?" if after else ""),
        f"accepted {after:,}, duplicates 0, rejected 1.",
    ]
    assert len(clicks) == after


def test_nor_does_one_that_another_row_closes_where_that_makes_no_row(tmp_path: Path) -> None:
    rows = [f"other,2026-03-01T09:00:{n:02}Z,\n" for n in range(10)]
    wrong = ['other,2026-03-01T08:00:00Z,"\n', 'other,"2026-03-01T08:00:00Z",\n']
    said, clicks = imported(tmp_path, "".join(["kind,clickedAt,reason\n", wrong[0], *rows, wrong[1]]))
    hint = "Is a quote opened here and not closed?"
    assert said == [f"Line 2 is not CSV: ',' expected after '\"'. {hint}", "accepted 11, duplicates 0, rejected 1."]
    assert len(clicks) == 11


def test_a_cell_of_many_lines_swallows_no_row_either(tmp_path: Path) -> None:
    """131,072 characters end it, too."""
    rows = [f"other,2026-03-01T09:00:{n:02}Z,{'x' * 10_000}" for n in range(30)]
    said, clicks = imported(
        tmp_path, "\n".join(["kind,clickedAt,title", 'other,2026-03-01T08:00:00Z,"', *rows]), "--map", "kind=kind"
    )
    assert said == [
        "Line 2 is not CSV: field larger than field limit (131072). Is a quote opened here and not closed?",
        "Not read: title.",
        "accepted 30, duplicates 0, rejected 1.",
    ]
    assert len(clicks) == 30


def test_only_the_first_wrong_lines_are_named(tmp_path: Path) -> None:
    said, clicks = imported(
        tmp_path, "kind,clickedAt\n" + "x,2026-03-01T09:00:00Z\n" * 5_000 + "other,2026-03-01T09:00:00Z\n"
    )
    assert len(said) == 22
    assert said[19] == 'Line 21: kind must be one of campaign, vcard, other, not "x".'
    assert said[20:] == ["... and 4,980 more wrong lines.", "accepted 1, duplicates 0, rejected 5,000."]
    assert clicks == ONLY_ONE


def test_text_that_is_not_utf_8_is_wrong_only_where_it_is_read(tmp_path: Path) -> None:
    said, clicks = imported(
        tmp_path,
        b"kind,clickedAt,alias,title\n"
        b"other,2026-03-01T09:00:00Z,,caf\xe9\n"
        b"other,2026-03-01T09:00:01Z,ren\xe9@example.com,x\n",
        "--map",
        "kind=kind",
    )
    assert said == [
        'Line 3: alias must be an e-mail address, not "ren\\udce9@example.com".',
        "Not read: title.",
        "accepted 1, duplicates 0, rejected 1.",
    ]
    assert clicks == ONLY_ONE


def test_a_utf_16_file_that_is_cut_ends_with_one_line(tmp_path: Path) -> None:
    workspace = make_workspace()
    text = "kind,clickedAt\nother,2026-03-01T09:00:00Z\nvcard"
    path = write(tmp_path, text.encode("utf-16")[:-1])
    assert refusal("import_clicks", path, "--workspace", workspace.public_id).startswith("The text after line 2 is not")


def test_a_packed_file_that_is_cut_ends_with_one_line(tmp_path: Path) -> None:
    workspace = make_workspace()
    rows = "".join(f"other,2026-03-01T{n % 24:02}:{n % 59:02}:{n % 60:02}Z,{n * n * 7919}\n" for n in range(9_000))
    path = write(tmp_path, gzip.compress(f"kind,clickedAt,externalId\n{rows}".encode())[:-2_000])
    said = refusal("import_clicks", path, "--workspace", workspace.public_id)
    assert "cannot be unpacked after line" in said
    assert said.endswith(" clicks were stored before; run it again, and they are not counted twice.")
    number = len(stored(workspace))
    assert number > 0
    assert f" {number:,} clicks were stored before" in said


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    workspace = make_workspace()
    path = write(tmp_path, "kind,clickedAt\n" + "x" * (MAX_LINE + 1))
    assert refusal("import_clicks", path, "--workspace", workspace.public_id) == (
        "Line 2 has more than 16,777,216 characters: this is not a file of rows."
    )


# --- --rejects


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rejects_are_kept_as_they_came_and_can_be_corrected(tmp_path: Path, encoding: str) -> None:
    workspace = make_workspace()
    wrong = ['vcard;03/04/2026;"a;""b""\r\nc"\r\n', "other;2026-03-01T09:00:00Z\r\n", "é;2026-03-01T09:00:00Z;x"]
    content = "".join(["kind;clickedAt;title\r\n", "other;2026-03-01T09:00:00Z;x\r\n", *wrong])
    path, rejects = write(tmp_path, content.encode(encoding)), tmp_path / "rejects.csv"
    said = run_import(workspace, path, "--rejects", str(rejects), "--map", "kind=kind")
    assert said[-1] == "accepted 1, duplicates 0, rejected 3."
    kept = rejects.read_bytes().decode(encoding)
    assert kept == "".join(["kind;clickedAt;title\r\n", *wrong, "\n"])
    corrected = kept.replace("03/04/2026", "2026-04-03T00:00:00Z").replace("é;", "campaign;").replace("00Z\r", "00Z;\r")
    again = write(tmp_path, corrected.encode(encoding), "again.csv")
    said = run_import(workspace, again, "--rejects", str(rejects), "--map", "kind=kind")
    assert said[-1] == "accepted 2, duplicates 0, rejected 1."
    assert len(rejects.read_bytes().decode(encoding).splitlines()) == 2


def test_rejects_that_are_not_utf_8_are_kept_byte_by_byte(tmp_path: Path) -> None:
    workspace, rejects = make_workspace(), tmp_path / "rejects.csv"
    path = write(tmp_path, b"kind,clickedAt,title\nnone,2026-03-01T09:00:00Z,caf\xe9\xff\n")
    run_import(workspace, path, "--rejects", str(rejects), "--map", "kind=kind")
    assert rejects.read_bytes() == b"kind,clickedAt,title\nnone,2026-03-01T09:00:00Z,caf\xe9\xff\n"


def test_without_rejects_the_file_is_empty(tmp_path: Path) -> None:
    workspace, rejects = make_workspace(), tmp_path / "rejects.csv"
    rejects.write_text("of an earlier run")
    run_import(workspace, write(tmp_path, "kind,clickedAt\nother,2026-03-01T09:00:00Z\n"), "--rejects", str(rejects))
    assert rejects.read_bytes() == b""


def test_rejects_do_not_overwrite_the_file_itself(tmp_path: Path) -> None:
    workspace, content = make_workspace(), "kind,clickedAt\nother,2026-03-01T09:00:00Z\n"
    path = write(tmp_path, content)
    (tmp_path / "link.csv").symlink_to(path)
    for rejects in (path, str(tmp_path / "link.csv"), str(tmp_path / "." / "clicks.csv")):
        said = refusal("import_clicks", path, "--workspace", workspace.public_id, "--rejects", rejects)
        assert said == "--rejects is the file that is imported; choose another name."
    assert Path(path).read_text() == content


def test_cells_of_any_size_within_the_bound_are_read(tmp_path: Path) -> None:
    assert csv.field_size_limit() == 131_072
    said, clicks = imported(
        tmp_path, f"kind,clickedAt,title\nother,2026-03-01T09:00:00Z,{'x' * 131_072}\n", "--map", "kind=kind"
    )
    assert said[-1] == "accepted 1, duplicates 0, rejected 0."
    assert clicks == ONLY_ONE
