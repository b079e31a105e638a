"""What was not counted, by reason, on the pages, in their CSV and in the admin; and what rules on trial match."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from stats_app import store
from stats_app.ingest import ClickInput
from stats_app.links import LinkInput, create_links
from stats_app.models import Campaign, Click, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.rollups import check, rebuild
from stats_app.verdicts import RULES
from tests.admin_cast import address as admin_address
from tests.admin_cast import login
from tests.admin_cast import page as admin_page
from tests.dashboard_cast import NOW, address, at, csv_lines, show, text
from tests.factories import make_campaign, make_user, make_workspace, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

QUERY = {"from": "2026-03-01", "to": "2026-03-31", "breakdown": "month"}
CRAWLER = "It calls itself a bot, crawler or spider, or gives the address of a page that explains it."
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


@pytest.fixture
def workspace() -> Workspace:
    """Ada's campaign has two crawlers and a suspect, Bob a click that an API called a bot, and one is of 2025."""
    workspace = make_workspace()
    campaign, ada = make_campaign(workspace), make_user(workspace, display_name="Ada")
    bob = make_user(workspace, display_name="Bob")
    crawler = ClickInput("campaign", campaign=campaign, user=ada, verdict="bot", reason="crawler")
    record(
        workspace,
        ClickInput("campaign", campaign=campaign, user=ada, clicked_at=at("2026-03-02")),
        crawler._replace(clicked_at=at("2026-03-02")),
        crawler._replace(clicked_at=at("2026-03-09")),
        crawler._replace(clicked_at=at("2026-03-09"), verdict="suspected", reason="mail program, not a browser"),
        ClickInput("other", user=bob, clicked_at=at("2026-03-09"), verdict="bot"),
        ClickInput("other", user=bob, clicked_at=at("2026-03-09"), verdict="suspected", reason="crawler"),
        ClickInput("other", clicked_at=at("2025-03-09"), verdict="bot", reason="our <own> filter"),
    )
    return workspace


def reasons(page: str) -> list[tuple[str, ...]]:
    """The rows of the table of reasons: the reason and what explains it, the verdict, the clicks."""
    if "stats-reasons" not in page:
        return []
    table = page[page.index('<table class="stats-reasons">') :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</table>")], re.DOTALL)
    return [tuple(text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)) for row in rows[1:]]


def names(page: str) -> list[tuple[str, str, str]]:
    """The same without what explains the reason."""
    return [(re.split(" (?=It |Mail |What |Browsers |Chrome )", row[0])[0], *row[1:]) for row in reasons(page)]


def test_the_overview_names_the_reasons(staff: Client, workspace: Workspace) -> None:
    page = show(staff, address(workspace), **QUERY)
    assert "Not counted: 3 by mail scanners, link previews and crawlers, 2 suspected ones." in text(page)
    assert reasons(page) == [
        (f"crawler {CRAWLER}", "bot", "2"),
        ("no reason given", "bot", "1"),
        (f"crawler {CRAWLER}", "suspected", "1"),
        (
            "mail program, not a browser Mail programs and Office open links on their own, and also when a person"
            " follows one.",
            "suspected",
            "1",
        ),
    ]
    assert '<details class="stats-more">' in page


def test_a_campaign_and_a_user_name_their_own(staff: Client, workspace: Workspace) -> None:
    expected = [("crawler", "bot", "2"), ("mail program, not a browser", "suspected", "1")]
    for shown in (Campaign.objects.get(), WorkspaceUser.objects.get(display_name="Ada")):
        page = show(staff, address(shown), **QUERY)
        assert names(page) == expected
        assert "Not counted: 2 by mail scanners, link previews and crawlers, 1 suspected ones." in text(page)
    page = show(staff, address(WorkspaceUser.objects.get(display_name="Bob")), **QUERY)
    assert names(page) == [("no reason given", "bot", "1"), ("crawler", "suspected", "1")]


def test_reasons_of_others_stand_as_they_are(staff: Client, workspace: Workspace) -> None:
    page = show(staff, address(workspace), **QUERY | {"from": "2025-03-01", "to": "2025-03-31"})
    assert reasons(page) == [("our <own> filter", "bot", "1")]


def test_a_period_without_any_has_no_table(staff: Client, workspace: Workspace) -> None:
    page = show(staff, address(workspace), **QUERY | {"from": "2026-02-01", "to": "2026-02-28"})
    assert reasons(page) == []
    assert "Not counted: 0 by" in text(page)


def test_reasons_stand_in_french(staff: Client, workspace: Workspace) -> None:
    page = staff.get(address(workspace), QUERY, headers={"accept-language": "fr"}).content.decode()
    assert [row[1:] for row in reasons(page)] == [("robot", "2"), ("robot", "1"), ("suspect", "1"), ("suspect", "1")]
    assert reasons(page)[1][0] == "sans raison indiquée"
    assert CRAWLER not in page


def test_many_reasons_are_cut(staff: Client, workspace: Workspace) -> None:
    clicks = (ClickInput("other", clicked_at=at("2026-02-09"), verdict="bot", reason=f"no {n}") for n in range(103))
    record(workspace, *clicks)
    page = show(staff, address(workspace), **QUERY | {"from": "2026-02-01", "to": "2026-02-28"})
    assert len(reasons(page)) == 101
    assert reasons(page)[-1] == ("All other reasons", "", "3")


def test_files_name_the_reasons(staff: Client, workspace: Workspace) -> None:
    def lines(shown: Any) -> list[tuple[str, str, str]]:
        rows = csv_lines(staff.get(address(shown), QUERY | {"format": "csv"}, headers={"accept-language": "en"}))
        return [(row["table"], row["name"], row["clicks"]) for row in rows if row["table"].startswith("notCounted")]

    assert lines(workspace) == [
        ("notCounted", "suspected", "2"),
        ("notCounted", "bot", "3"),
        ("notCountedReasons", "bot: crawler", "2"),
        ("notCountedReasons", "bot: ", "1"),
        ("notCountedReasons", "suspected: crawler", "1"),
        ("notCountedReasons", "suspected: mail program, not a browser", "1"),
    ]
    assert lines(Campaign.objects.get()) == [
        ("notCounted", "suspected", "1"),
        ("notCounted", "bot", "2"),
        ("notCountedReasons", "bot: crawler", "2"),
        ("notCountedReasons", "suspected: mail program, not a browser", "1"),
    ]


def test_the_admin_filters_clicks_by_reason(staff: Client, workspace: Workspace) -> None:
    other = make_workspace(name="Globex")
    record(other, ClickInput("other", verdict="bot", reason="theirs"))
    url = admin_address("clickrecord")
    page = admin_page(staff, url, workspace=workspace.pk)
    choices = re.findall(r'<a href="\?reason=[^"]*workspace=\d+"[^>]*>\s*(.*?)\s*</a>', page)
    assert choices == [
        *("suspected: crawler", "suspected: mail program, not a browser"),
        *("bot: no reason given", "bot: crawler", "bot: our &lt;own&gt; filter"),
    ]
    for reason, number in (("bot:crawler", 2), ("suspected:crawler", 1), ("bot:", 1), ("bot:theirs", 0)):
        page = admin_page(staff, url, workspace=workspace.pk, reason=reason)
        assert page.count('class="field-local_time') == number, reason
    assert "bot: theirs" in page
    for wrong in ("crawler", "human:", "people:crawler"):
        assert staff.get(url, {"reason": wrong}).status_code == (200 if wrong == "human:" else 302), wrong
    assert "mail program, not a browser" in admin_page(staff, url, workspace=workspace.pk)
    french = staff.get(url, {"workspace": workspace.pk}, headers={"accept-language": "fr"}).content.decode()
    assert "mail program, not a browser" not in french


def test_who_may_not_see_the_workspace_sees_no_reason(workspace: Workspace) -> None:
    assert login().get(address(workspace)).status_code == 403


def follow(token: str, agent: str = BROWSER, **headers: str) -> None:
    assert Client().get(f"/c/{token}", headers={"User-Agent": agent, **headers}, secure=True).status_code == 302


def test_rules_on_trial_are_tallied_and_change_nothing(staff: Client) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    targets = [LinkInput("other", f"https://www.example.com/{number}", user=user) for number in range(4)]
    first, second, third, fourth = [link.token for link in create_links(workspace, targets).links if link]
    usual = {"Accept-Language": "en", "Sec-Fetch-Mode": "navigate"}
    march = Period(NOW.date(), NOW.date())
    with time_machine.travel(NOW, tick=False) as clock:
        for token, headers in (
            (first, usual),
            (second, usual | {"Accept-Language": ""}),
            (third, {"Accept-Language": "en"}),
            (fourth, {}),
        ):
            follow(token, **headers)
            clock.shift(120)
        follow(first, "curl/8.0")  # a bot's is counted by no rule on trial
    assert [*Click.objects.order_by("clicked_at").values_list("verdict", "shadow")] == [
        *(("human", None), ("human", 1), ("human", 2), ("human", 3)),
        ("bot", None),
    ]
    tally = {(1,): [1], (2,): [1], (3,): [1]}
    assert store.counts(workspace.pk, march, ("shadow",)) == tally
    assert store.counts(workspace.pk, march) == {(): [4]}
    rebuild(workspace)
    assert store.counts(workspace.pk, march, ("shadow",)) == tally
    assert list(check(workspace)) == []
    page = show(staff, address(workspace), **QUERY)
    assert names(page)[1:] == [
        ("Counted, but rules on trial would have made them suspected",),
        ("browser without a language", "suspected", "2"),
        ("browser without its usual headers", "suspected", "2"),
    ]
    [bot, suspected] = [row for row in reasons(page)[:1]], "Not counted: 1 by"
    assert bot[0][1:] == ("bot", "1")
    assert suspected in text(page)
    lines = csv_lines(staff.get(address(workspace), QUERY | {"format": "csv", "table": "onTrial"}))
    assert [(line["name"], line["clicks"]) for line in lines] == [
        ("suspected: browser without a language", "2"),
        ("suspected: browser without its usual headers", "2"),
    ]


def test_each_rule_on_trial_has_a_bit_of_its_own() -> None:
    bits = [rule.shadow_bit for rule in RULES if rule.is_shadow]
    assert len(set(bits)) == len(bits)
    assert all(bit.bit_count() == 1 and bit < 2**15 for bit in bits)
