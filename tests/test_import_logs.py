"""Clicks from the logs of web servers: each odd line that they are known to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stats_app.imports import run
from stats_app.models import Click, Workspace
from tests.factories import make_user, make_workspace
from tests.import_files import TOKEN, make_link, run_import, stored, write
from tests.test_commands import refusal

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LINE = f'192.0.2.1 - - [28/Nov/2025:09:15:02 +0100] "GET /c/{TOKEN} HTTP/1.1" 302 0 "-" "{FIREFOX}"'
CLICK = ("campaign", "2025-11-28 08:15:02", "human", "")


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace()
    make_link(workspace, user=make_user(workspace))
    return workspace


def imported(workspace: Workspace, folder: Path, content: str | bytes, *options: str) -> tuple[list[str], list[Any]]:
    options = options if "--format" in options else ("--format", "combined", *options)
    return run_import(workspace, write(folder, content, "access.log"), *options), stored(workspace)


def test_a_line_is_a_click_of_its_link(workspace: Workspace, tmp_path: Path) -> None:
    assert imported(workspace, tmp_path, LINE) == (["accepted 1, duplicates 0, rejected 0."], [CLICK])
    click, link = Click.objects.get(), workspace.links.get()
    assert (click.link, click.campaign, click.user, click.visitor) == (link, link.campaign, link.user, None)


@pytest.mark.parametrize(
    "line",
    [
        LINE + "\r",
        LINE.replace(TOKEN, TOKEN + "?x=1&y=%22"),
        LINE.replace(TOKEN, TOKEN + "#top"),
        LINE.replace(TOKEN, TOKEN + "/"),
        LINE.replace(TOKEN, TOKEN + "/?x=1"),
        LINE.replace(TOKEN, "k7Q%6D2xZp"),
        LINE.replace("HTTP/1.1", "HTTP/2.0"),
        LINE.replace(" HTTP/1.1", ""),
        LINE.replace("/c/", "https://links.example.com/c/"),
        LINE.replace("/c/", "https://links.example.com:443/c/"),
        LINE.replace("/c/", "http://[2001:db8::1]:8000/c/"),
        LINE.replace("192.0.2.1", "2001:db8::7334"),
        LINE.replace("192.0.2.1", "fe80::1%eth0"),
        LINE.replace("192.0.2.1", "::ffff:192.0.2.1"),
        LINE.replace("192.0.2.1", "192.0.2.1:52514"),
        LINE.replace("- -", '- ""'),
        LINE.replace("- -", "- Ada Lovelace"),
        LINE.replace("- -", "- x[28/Nov/2025:09:15:02"),
        LINE.replace(" 302 0 ", " 302 - "),
        LINE.replace('"-"', '"https://mail.example.com/?q=\\"x\\"&r=/c/other"'),
        LINE + ' 0.003 "203.0.113.7, 10.0.0.1" upstream=127.0.0.1:8000',
        "links.example.com:443 " + LINE,
        "Nov 28 09:15:08 web1 nginx: " + LINE,
        "<134>1 2025-11-28T08:15:08Z web1 nginx - - - " + LINE,
        LINE.replace("+0100", "-0330").replace("09:15:02", "04:45:02"),
        *(LINE.replace(" 302 ", f" {status} ") for status in (301, 303, 307, 308)),
    ],
)
def test_a_line_is_read_whatever_stands_around_it(workspace: Workspace, tmp_path: Path, line: str) -> None:
    assert imported(workspace, tmp_path, line + "\n") == (["accepted 1, duplicates 0, rejected 0."], [CLICK])


@pytest.mark.parametrize(
    ("agent", "verdict", "reason"),
    [
        (b"curl/8.5.0", "bot", "program: curl"),
        (b"-", "bot", "no browser named"),
        (b"", "bot", "no browser named"),
        (b'Evil \\"q\\" \\x22raw\\x22', "suspected", "unknown program"),
        (b"\xe9\xff", "suspected", "unknown program"),
        (b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 \xe9\xff", "human", ""),
        (b"Mozilla/5.0 (X11; \\\\ \\x22Linux\\x22) Gecko/20100101 Firefox/140.0", "human", ""),
        (b"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "bot", "link preview: Slack"),
    ],
)
def test_the_browser_is_judged(workspace: Workspace, tmp_path: Path, agent: bytes, verdict: str, reason: str) -> None:
    said, clicks = imported(workspace, tmp_path, LINE.encode().replace(FIREFOX.encode(), agent))
    assert said == ["accepted 1, duplicates 0, rejected 0."]
    assert [(click[2], click[3]) for click in clicks] == [(verdict, reason)]


def test_other_methods_are_no_people(workspace: Workspace, tmp_path: Path) -> None:
    said, clicks = imported(workspace, tmp_path, LINE.replace("GET", "HEAD"))
    assert said == ["accepted 1, duplicates 0, rejected 0."]
    assert [click[2] for click in clicks] == ["bot"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        LINE.replace(" 302 ", " 404 "),
        LINE.replace(" 302 ", " 200 "),
        LINE.replace(" 302 ", " 304 "),
        LINE.replace("/c/" + TOKEN, "/c/"),
        LINE.replace("/c/" + TOKEN, "/"),
        LINE.replace("/c/", "/x/c/"),
        LINE.replace("/c/", "https://links.example.com/x?/c/"),
        LINE.replace('"-"', '"https://links.example.com/c/k7Qm2xZp"').replace(f"/c/{TOKEN} ", "/favicon.ico "),
        LINE.replace(f"GET /c/{TOKEN} HTTP/1.1", "OPTIONS *"),
        LINE.replace(f"GET /c/{TOKEN} HTTP/1.1", "-"),
        LINE.replace(f"GET /c/{TOKEN} HTTP/1.1", ""),
        LINE.replace(f"GET /c/{TOKEN} HTTP/1.1", "CONNECT links.example.com:443"),
        '192.0.2.44 - - [28/Nov/2025:09:15:06 +0100] "GET /c/k7 with spaces HTTP/1.1" 404 0 "-" "-"',
        '94.232.44.112 - - [28/Feb/2021:03:54:40 +0800] "\\x16\\x03\\x01" 400 157 "-" "-"',
        '94.232.44.112 - - [28/Feb/2021:03:54:40 +0800] "\\x16\\x03/c/\\x01" 400 157 "-" "-"',
        '94.232.44.112 - - [28/Feb/2021:03:54:40 +0800] "" 400 0 "/c/" "-"',
        "2025/11/28 09:15:02 [error] 17#17: upstream timed out",
    ],
)
def test_other_lines_are_skipped(workspace: Workspace, tmp_path: Path, line: str) -> None:
    said, clicks = imported(workspace, tmp_path, f"{line}\n{LINE}\n")
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0, skipped 1."], [CLICK])


def test_links_that_are_not_the_workspaces_are_counted_apart(workspace: Workspace, tmp_path: Path) -> None:
    make_link(make_workspace(name="Globex"), "globex1")
    others = ["globex1", "none", "k7 with spaces", "k7Qm2xZp//", "%00", "%ff", "%ed%a0%80", "x" * 5_000]
    lines = [LINE.replace(TOKEN, other) for other in others]
    said, clicks = imported(workspace, tmp_path, "\n".join([*lines, LINE]))
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0, other links 8."], [CLICK])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            LINE.rpartition(' "-"')[0],
            "has no User-Agent: it is in the common format, not in the combined one: 192.0.2.1 ",
        ),
        (LINE.replace("Nov", "Foo"), "has a time that does not exist: 192.0.2.1 - - [28/Foo/2025"),
        (LINE.replace("28/Nov", "31/Nov"), "has a time that does not exist: 192.0.2.1 - - [31/Nov/2025"),
        (LINE.replace("+0100", "+9900"), "has a time that does not exist: 192.0.2.1 - - [28/Nov/2025"),
        (LINE.replace("09:15:02", "09:15:72"), "is not in the combined format: 192.0.2.1 - - "),
        (LINE.replace("28/Nov/2025:09:15:02", "2025-11-28T09:15:02"), "is not in the combined format: 192.0.2.1 - "),
        (LINE.replace('0 "-"', "0 -"), "has no User-Agent: it is in the common format, not in the combined one: "),
        (f"GET /c/{TOKEN}", f"is not in the combined format: GET /c/{TOKEN}"),
    ],
)
def test_a_line_that_may_be_a_click_and_cannot_be_read_is_rejected(
    workspace: Workspace, tmp_path: Path, line: str, message: str
) -> None:
    said, clicks = imported(workspace, tmp_path, f"{LINE}\n{line}\n")
    assert said[0].startswith(f"Line 2 {message}")
    assert (said[1:], clicks) == (["accepted 1, duplicates 0, rejected 1."], [CLICK])


def test_rejects_are_kept_byte_by_byte(workspace: Workspace, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.log"
    wrong = b"/c/ caf\xe9\r\n/c/\x00\xff"
    imported(workspace, tmp_path, LINE.encode() + b"\n" + wrong, "--rejects", str(rejects))
    assert rejects.read_bytes() == wrong + b"\n"


def test_links_may_begin_with_another_path(workspace: Workspace, tmp_path: Path) -> None:
    content = "\n".join([LINE, LINE.replace("/c/", "/go/to/")])
    for prefix in ("/go/to/", "/go/to"):
        said, clicks = imported(workspace, tmp_path, content, "--prefix", prefix)
        assert said[0].endswith("rejected 0, skipped 1.")
    assert clicks == [CLICK]
    options = ["--workspace", workspace.public_id, "--format", "combined", "--prefix", "go"]
    assert refusal("import_clicks", str(tmp_path / "access.log"), *options) == (
        '--prefix must be a path that begins with /, not "go".'
    )


def test_one_status_can_be_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    """The redirect from http to https may stand in the same log."""
    content = "\n".join([LINE.replace(" 302 ", " 301 "), LINE])
    said, clicks = imported(workspace, tmp_path, content, "--status", "302")
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0, skipped 1."], [CLICK])


@pytest.mark.parametrize("option", ["--map", "--only", "--date-format", "--timezone"])
def test_options_of_columns_are_refused(workspace: Workspace, tmp_path: Path, option: str) -> None:
    path = write(tmp_path, LINE)
    options = ["--workspace", workspace.public_id, "--format", "combined", option, "UTC"]
    assert refusal("import_clicks", path, *options) == f"{option} cannot be used with --format combined."


def test_links_are_looked_up_once(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 10)
    lines = [LINE.replace(TOKEN, token) for token in (TOKEN, "none") for _ in range(50)]
    with CaptureQueriesContext(connection) as queries:
        said, _ = imported(workspace, tmp_path, "\n".join(lines))
    assert said == ["accepted 50, duplicates 0, rejected 0, other links 50."]
    look_ups = [query for query in queries if 'FROM "stats_app_trackedlink"' in str(query["sql"])]
    assert len(look_ups) == 2  # one for each token: what was found is kept, and what was not


def test_kept_links_are_bounded(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 10)
    monkeypatch.setattr(run, "KEPT_LINKS", 25)
    lines = [LINE.replace(TOKEN, token) for n in range(100) for token in (TOKEN, f"none{n}")]
    said, _ = imported(workspace, tmp_path, "\n".join(lines))
    assert said == ["accepted 100, duplicates 0, rejected 0, other links 100."]


# --- logs in JSON

CADDY: dict[str, Any] = {
    "level": "info",
    "ts": 1764317702.5241024,
    "logger": "http.log.access",
    "msg": "handled request",
    "request": {
        "remote_ip": "192.0.2.1",
        "client_ip": "192.0.2.1",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "links.example.com",
        "uri": f"/c/{TOKEN}?x=1",
        "headers": {"User-Agent": [FIREFOX], "Accept": ["*/*"]},
    },
    "duration": 0.0009,
    "size": 0,
    "status": 302,
}
TRAEFIK: dict[str, Any] = {
    "ClientAddr": "192.0.2.1:52514",
    "ClientHost": "192.0.2.1",
    "DownstreamStatus": 302,
    "OriginStatus": 302,
    "RequestMethod": "GET",
    "RequestPath": f"/c/{TOKEN}",
    "StartUTC": "2025-11-28T08:15:02.524102412Z",
    "request_User-Agent": FIREFOX,
    "time": "2025-11-28T09:15:02+01:00",
}
LOGS = {"caddy": CADDY, "traefik": TRAEFIK}
JSON_CLICK = ("campaign", "2025-11-28 08:15:02.524102", "human", "")


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """With `a__b` for `b` within `a`, and `-` for blanks that stand for it; None takes it away."""
    copy: dict[str, Any] = json.loads(json.dumps(entry))
    for path, value in changes.items():
        *outer, last = path.replace("User_Agent", "User-Agent").split("__")
        inner = copy
        for name in outer:
            inner = inner[name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return copy


@pytest.mark.parametrize("form", ["caddy", "traefik"])
def test_a_json_line_is_a_click_of_its_link(workspace: Workspace, tmp_path: Path, form: str) -> None:
    content = f"{json.dumps(LOGS[form])}\n"
    said, clicks = imported(workspace, tmp_path, content, "--format", form)
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0."], [JSON_CLICK])
    said, clicks = imported(workspace, tmp_path, content * 2, "--format", form)
    assert (said, clicks) == (["accepted 1, duplicates 1, rejected 0."], [JSON_CLICK, JSON_CLICK])


@pytest.mark.parametrize(
    ("form", "changes", "options", "expected"),
    [
        ("caddy", {"request__headers__User_Agent": ["curl/8.5.0"]}, [], ("bot", "program: curl")),
        ("caddy", {"request__headers__User_Agent": []}, [], ("bot", "no browser named")),
        ("caddy", {"request__headers__User_Agent": None}, [], ("bot", "no browser named")),
        ("caddy", {"request__client_ip": None, "request__remote_addr": "192.0.2.1:52514"}, [], ("human", "")),
        ("caddy", {"ts": "2025-11-28T09:15:02.524102+0100"}, [], ("human", "")),
        (
            "caddy",
            {"ts": "2025/11/28 08:15:02"},
            ["--date-format", "%Y/%m/%d %H:%M:%S", "--timezone", "UTC"],
            ("human", ""),
        ),
        ("caddy", {"ts": 1764317702524.1}, ["--date-format", "unix-ms"], ("human", "")),
        ("caddy", {"request__uri": f"https://links.example.com/c/{TOKEN}"}, [], ("human", "")),
        ("traefik", {"request_User_Agent": "curl/8.5.0"}, [], ("bot", "program: curl")),
        ("traefik", {"request_User_Agent": "-"}, [], ("bot", "no browser named")),
        ("traefik", {"RequestMethod": "HEAD"}, [], None),
    ],
)
def test_json_lines_are_read_as_they_are_written(
    workspace: Workspace, tmp_path: Path, form: str, changes: dict[str, Any], options: list[str], expected: Any
) -> None:
    content = json.dumps(changed(LOGS[form], **changes))
    said, [click] = imported(workspace, tmp_path, content, "--format", form, *options)
    assert said == ["accepted 1, duplicates 0, rejected 0."]
    assert click[1].startswith("2025-11-28 08:15:02")
    assert click[2:] == expected if expected else click[2] == "bot"


@pytest.mark.parametrize(
    ("form", "changes"),
    [
        ("caddy", {"status": 404}),
        ("caddy", {"status": 200}),
        ("caddy", {"request__uri": f"/x/c/{TOKEN}"}),
        ("caddy", {"request": "/c/"}),
        ("caddy", {"status": "/c/"}),
        ("caddy", {"status": True, "msg": "/c/"}),
        ("traefik", {"RequestPath": "/favicon.ico", "Referer": "/c/"}),
        ("traefik", {"DownstreamStatus": 502}),
    ],
)
def test_other_json_lines_are_skipped(workspace: Workspace, tmp_path: Path, form: str, changes: dict[str, Any]) -> None:
    content = "\n".join([json.dumps(changed(LOGS[form], **changes)), "", json.dumps(LOGS[form])])
    said, clicks = imported(workspace, tmp_path, content, "--format", form)
    assert (said, clicks) == (["accepted 1, duplicates 0, rejected 0, skipped 2."], [JSON_CLICK])


@pytest.mark.parametrize(
    ("form", "line", "message"),
    [
        ("caddy", LINE, " is not JSON: 192.0.2.1 - - [28/Nov/2025:09:15:02 +0100] "),
        ("caddy", '["/c/"]', ' is not a JSON object: ["/c/"]'),
        ("caddy", "[" * 100_000 + "/c/", " is not JSON: [[["),
        ("caddy", changed(CADDY, request__headers=None), " has no request.headers, so the browser is unknown: keep "),
        (
            "caddy",
            changed(CADDY, ts="today"),
            ': ts "today" is not a time such as 2026-03-01T09:30:00Z; any other form',
        ),
        ("caddy", changed(CADDY, ts=None), ": ts null is not a time such as 2026-03-01T09:30:00Z; any other form"),
        ("caddy", changed(CADDY, ts=1e300), ": ts 1e+300 is not a number of seconds since 1970."),
        (
            "traefik",
            changed(TRAEFIK, request_User_Agent=None),
            " has no request_User-Agent, so the browser is unknown: "
            "keep it with accesslog.fields.headers.names.User-Agent=keep.",
        ),
    ],
)
def test_a_json_line_that_may_be_a_click_and_cannot_be_read_is_rejected(
    workspace: Workspace, tmp_path: Path, form: str, line: Any, message: str
) -> None:
    wrong = line if isinstance(line, str) else json.dumps(line)
    said, clicks = imported(workspace, tmp_path, f"{json.dumps(LOGS[form])}\n{wrong}", "--format", form)
    assert said[0].startswith(f"Line 2{message}")
    assert (said[1:], clicks) == (["accepted 1, duplicates 0, rejected 1."], [JSON_CLICK])


@pytest.mark.parametrize("form", ["combined", "caddy", "traefik"])
def test_a_log_in_utf_16_is_called_so(form: str, workspace: Workspace, tmp_path: Path) -> None:
    """Windows PowerShell writes one with `>`. Its lines would be skipped."""
    path = write(tmp_path, LINE.encode("utf-16"), "access.log")
    said = refusal("import_clicks", path, "--workspace", workspace.public_id, "--format", form)
    assert said == "The log is UTF-16, as Windows PowerShell writes it with `>`: convert it to UTF-8."


def test_the_time_of_a_line_is_called_so(workspace: Workspace, tmp_path: Path) -> None:
    [said, _], _ = imported(workspace, tmp_path, LINE.replace("2025", "2124"))
    assert said == 'Line 1: time "2124-11-28 08:15:02+00:00" is more than 5 minutes in the future.'
