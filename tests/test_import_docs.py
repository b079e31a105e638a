"""The examples of docs/import.md do what the page says, and its files are those that the systems write."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stats_app import exports, imports
from stats_app.models import Campaign, Click, Workspace, WorkspaceUser
from tests.factories import make_workspace
from tests.import_files import TOKEN, make_link, run_import, stored, write
from tests.test_commands import run
from tests.test_layout import ROOT

pytestmark = pytest.mark.django_db

PAGE = (ROOT.parent / "docs" / "import.md").read_text(encoding="utf-8")
ID = "01k0000000000000000000000a"
FILES = dict(re.findall(r"`([^`]+)`:\n\n```\n(.*?)```", PAGE, re.DOTALL))
# A command and the block of what it prints.
EXAMPLES = re.findall(r"```\npython manage\.py (import_clicks (\S+) .*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace(public_id=ID)
    campaign = Campaign.objects.create(
        workspace=workspace, public_id=f"cp_{ID}", name="x", target_url="https://a.example/"
    )
    WorkspaceUser.objects.create(workspace=workspace, public_id=f"usr_{ID}", email="ada@example.com")
    make_link(workspace, campaign=campaign)
    return workspace


def test_the_page_has_all_examples() -> None:
    names = [name for _, name, _ in EXAMPLES]
    assert names == ["clicks.csv", "umami.csv", "shlink.csv", "yourls.csv", "goatcounter.csv", "access.log"]


@pytest.mark.parametrize(("command", "name", "output"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES])
def test_an_example_prints_what_the_page_says(
    workspace: Workspace, tmp_path: Path, command: str, name: str, output: str
) -> None:
    path = write(tmp_path, FILES[name], name)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["import_clicks", name]
    printed = run("import_clicks", path, *words[2:])
    # Of the columns that are not read the page names what the reader has to know.
    assert printed[-len(output.splitlines()) :] == output.splitlines()
    before = stored(workspace)
    run("import_clicks", path, *words[2:])
    assert stored(workspace) == before


def example(name: str) -> list[str]:
    """The options of the page's example for a file."""
    [command] = [command for command, other, _ in EXAMPLES if other == name]
    return shlex.split(command.replace("\\\n", " "))[4:]


# --- the files themselves, as the systems write them

UMAMI = """\
event_id,website_id,session_id,visit_id,created_at,url_path,url_query,utm_source,utm_medium,utm_campaign,utm_content,\
utm_term,referrer_path,referrer_query,referrer_domain,page_title,gclid,fbclid,msclkid,ttclid,li_fat_id,twclid,\
event_type,event_name,tag,hostname,lcp,inp,cls,fcp,ttfb
8c0e…,1f2a…,9b…,77…,2026-03-09 10:00:00.123+00,/q/spring,,,,,,,,,,,,,,,,,3,,,links.example.com,,,,,
"""
SHLINK = """\
"date","potentialBot","userAgent","browser","os","referer","country","region","city","latitude","longitude","visitedUrl"
"2026-03-09T11:00:00+01:00","false","curl/8.5.0","Others","Others","Direct","France","Unknown","Unknown","48.8","2.3",\
"https://s.test/abc"
"""
YOURLS = """\
click_id,click_time,shorturl,referrer,user_agent,ip_address,country_code
1,2026-03-09 10:00:00,abc,direct,Mozilla/5.0,203.0.113.7,FR
"""
GOATCOUNTER = """\
2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date
click-cv-html,HTML source,1,"Mozilla/5.0 (…)",Chrome 86,Windows 7,287fb97cbed4e4f-8e4f5c975b8fee06,0,,,"1280,768,1",\
AR,1,2020-12-01T00:07:10Z
"""
GOATCOUNTER_OPTIONS = " ".join(map(shlex.quote, example("goatcounter.csv")))


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        pytest.param(
            UMAMI,
            "--only event_type=3 --map event_id=externalId --map created_at=clickedAt "
            f"--map website_id:1f2a…=link:{TOKEN}",
            ("campaign", "2026-03-09 10:00:00.123", "human", ""),
            id="umami",
        ),
        pytest.param(
            UMAMI.replace(".123+00", ""),
            "--map created_at=clickedAt --timezone UTC --map kind=other",
            ("other", "2026-03-09 10:00:00", "human", ""),
            id="umami-clickhouse",
        ),
        pytest.param(
            SHLINK,
            f"--map date=clickedAt --map link={TOKEN}",
            ("campaign", "2026-03-09 10:00:00", "bot", "program: curl"),
            id="shlink",
        ),
        pytest.param(
            SHLINK.replace('"\n', '","type"\n', 1).replace('abc"\n', 'abc","base_url"\n'),
            "--map date=clickedAt --map kind=other --map potentialBot:true=verdict:bot "
            "--map potentialBot:false=verdict:human",
            ("other", "2026-03-09 10:00:00", "human", ""),
            id="shlink-orphan",
        ),
        pytest.param(
            YOURLS,
            "--map click_id=externalId --map click_time=clickedAt --timezone UTC --map user_agent=userAgent "
            f"--map shorturl:abc=link:{TOKEN}",
            ("campaign", "2026-03-09 10:00:00", "suspected", "mail program, not a browser"),
            id="yourls",
        ),
        pytest.param(
            YOURLS.replace(",", "\t"),
            "--map click_time=clickedAt --timezone UTC --map kind=other",
            ("other", "2026-03-09 10:00:00", "human", ""),
            id="yourls-tabs",
        ),
        pytest.param(
            GOATCOUNTER, GOATCOUNTER_OPTIONS, ("campaign", "2020-12-01 00:07:10", "human", ""), id="goatcounter"
        ),
        pytest.param(
            GOATCOUNTER.replace(",0,,,", ",4,,,"),
            GOATCOUNTER_OPTIONS,
            ("campaign", "2020-12-01 00:07:10", "bot", ""),
            id="goatcounter-bot",
        ),
    ],
)
def test_files_of_other_systems_are_read(
    workspace: Workspace, tmp_path: Path, content: str, options: str, expected: tuple[str, ...]
) -> None:
    path = write(tmp_path, content)
    assert run_import(workspace, path, *shlex.split(options))[-1] == "accepted 1, duplicates 0, rejected 0."
    assert stored(workspace) == [expected]
    assert run_import(workspace, path, *shlex.split(options))[-1] == "accepted 0, duplicates 1, rejected 0."


def test_the_fields_are_all_documented() -> None:
    documented = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \| ", PAGE, re.MULTILINE)))
    assert set(imports.NAMES) <= set(documented)


def test_what_is_exported_is_documented() -> None:
    section = PAGE[PAGE.index("## Export") :]
    assert re.findall(r"`(\w+)`", section)[: len(exports.NAMES)] == list(exports.NAMES)


def test_the_example_that_could_not_be_recorded(workspace: Workspace, tmp_path: Path) -> None:
    line = (
        f'{{"id": "01KJM9KEG07DDDDDDDDDDDDDDD", "kind": "campaign", "campaignPublicId": "cp_{ID}", '
        f'"userPublicId": "usr_{ID}", "clickedAt": "2026-03-01T09:00:00.123456+00:00", "verdict": "human", '
        f'"reason": "", "link": "{TOKEN}"}}\n'
    )
    path = write(tmp_path, line, "stats_app.clicks.jsonl")
    assert run_import(workspace, path) == ["accepted 1, duplicates 0, rejected 0."]
    click = Click.objects.get()
    assert (click.link.token, click.user.public_id) == (TOKEN, f"usr_{ID}")
