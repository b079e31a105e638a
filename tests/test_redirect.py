"""Following a tracked link: the visitor is always redirected, and a person's click is counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.encoding import iri_to_uri

from stats_app import known_links, visits
from stats_app.links import LinkInput, create_links
from stats_app.models import Campaign, Click, RecentVisit, TrackedLink, VisitorSalt, Workspace, WorkspaceUser
from stats_app.rollups import check
from stats_app.verdicts import Visit
from tests.factories import make_alias, make_campaign, make_key, make_user, make_workspace
from tests.rest import OVERVIEW, get
from tests.test_commands import run

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TARGET = "https://www.example.com/landing?a=1#top"
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def link_of(workspace: Workspace, *args: Any, **values: Any) -> TrackedLink:
    [link] = create_links(workspace, [LinkInput(*args, **values)]).links
    assert link is not None
    return link


def follow(link: TrackedLink | str, *, at: datetime = NOON, method: str = "GET", **headers: str) -> HttpResponse:
    token = link if isinstance(link, str) else link.token
    remote = headers.pop("remote", "192.0.2.7")
    sent = {"user-agent": BROWSER, "accept-language": "fr"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    with time_machine.travel(at, tick=False):
        return Client(headers=sent).generic(method, f"/c/{token}", REMOTE_ADDR=remote)


def verdicts(workspace: Workspace) -> list[tuple[str, str]]:
    return list(Click.objects.filter(workspace=workspace).order_by("clicked_at", "id").values_list("verdict", "reason"))


def counted(workspace: Workspace) -> int:
    query = {"from": "2026-03-01", "to": "2026-03-31"}
    total: int = get(make_key(workspace), OVERVIEW, query).json()["totals"]["totalClicks"]
    return total


def test_it_leads_to_the_target_and_counts_a_click(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias = make_alias(user)
    link = link_of(workspace, "campaign", TARGET, campaign, None, alias)
    response = follow(link)
    assert (response.status_code, response.content) == (302, b"")
    assert response.headers["Location"] == TARGET
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Robots-Tag"] == "noindex"
    click = Click.objects.get()
    stored = (click.workspace, click.kind, click.campaign, click.user, click.alias, click.link, click.clicked_at)
    assert stored == (workspace, "campaign", campaign, user, alias, link, NOON)
    assert (click.verdict, click.reason, len(bytes(click.visitor))) == ("human", "", 16)
    assert counted(workspace) == 1
    assert list(check(workspace)) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
def test_other_methods_are_refused_without_a_page_of_the_host(workspace: Workspace, method: str) -> None:
    link = link_of(workspace, "other", TARGET)
    response = Client(enforce_csrf_checks=True).generic(method, f"/c/{link.token}")
    assert (response.status_code, response.headers["Allow"], response.content) == (405, "GET, HEAD", b"")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_campaign_link_leads_to_the_campaigns_current_target(workspace: Workspace) -> None:
    campaign = make_campaign(workspace, target_url="https://www.example.com/one")
    link = link_of(workspace, "campaign", campaign=campaign)
    assert follow(link).headers["Location"] == "https://www.example.com/one"
    Campaign.objects.update(target_url="https://www.example.com/two")
    assert follow(link).headers["Location"] == "https://www.example.com/two"


@pytest.mark.parametrize("query", ["?redirect_to=https://evil.example/", "?a=1&b=2", "?" + "x" * 3000, "?%00%ff"])
def test_a_query_on_the_address_changes_nothing(workspace: Workspace, query: str) -> None:
    link = link_of(workspace, "other", TARGET)
    assert follow(link.token + query).headers["Location"] == TARGET
    assert follow(f"{link.token}/{query}", at=NOON + timedelta(hours=1)).headers["Location"] == TARGET
    assert counted(workspace) == 2


@pytest.mark.parametrize(
    "token", ["nothing", "x" * 40, "%00", "..%2f..", "javascript:alert(1)", "%0d%0aSet-Cookie:x", "é"]
)
def test_an_unknown_token_is_a_plain_404(token: str) -> None:
    response = Client().get(f"/c/{token}")
    assert response.status_code == 404
    assert b"alert" not in response.content


def test_a_link_that_is_switched_off_is_a_404_at_once(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    assert follow(link).status_code == 302
    TrackedLink.objects.update(is_active=False)
    for language, text in (("en", "There is no such link.\n"), ("fr", "Ce lien n’existe pas.\n")):
        response = follow(link, accept_language=language)
        assert (response.status_code, response.content.decode(), response.headers["Content-Type"]) == (
            404, text, "text/plain; charset=utf-8",
        )  # fmt: skip
    assert Click.objects.count() == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_refused(workspace: Workspace, method: str) -> None:
    response = follow(link_of(workspace, "other", TARGET), method=method)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    assert not Click.objects.exists()


@pytest.mark.parametrize(
    ("method", "headers", "verdict"),
    [
        ("HEAD", {}, ("bot", "HEAD request, no page was opened")),
        ("GET", {"sec_purpose": "prefetch;prerender"}, ("bot", "fetched ahead by a browser")),
        ("GET", {"purpose": "prefetch"}, ("bot", "fetched ahead by a browser")),
        ("GET", {"x_moz": "prefetch"}, ("bot", "fetched ahead by a browser")),
        ("GET", {"user_agent": ""}, ("bot", "no browser named")),
        ("GET", {"user_agent": "facebookexternalhit/1.1"}, ("bot", "link preview: Facebook")),
        ("GET", {"user_agent": "curl/8.5.0"}, ("bot", "program: curl")),
    ],
)
def test_what_no_person_did_is_led_on_and_kept_but_not_counted(
    workspace: Workspace, method: str, headers: dict[str, str], verdict: tuple[str, str]
) -> None:
    response = follow(link_of(workspace, "other", TARGET), method=method, **headers)
    assert (response.status_code, response.headers["Location"]) == (302, TARGET)
    assert verdicts(workspace) == [verdict]
    assert counted(workspace) == 0


def test_a_burst_of_one_visitor_leaves_nothing_counted(workspace: Workspace) -> None:
    user = make_user(workspace)
    links = [link_of(workspace, "other", f"{TARGET}{number}", user=user) for number in range(10)]
    for number, link in enumerate(links):
        follow(link, at=NOON + timedelta(milliseconds=100 * number))
    assert verdicts(workspace) == [("suspected", "several links at once")] * 10
    assert counted(workspace) == 0
    assert list(check(workspace)) == []


def test_a_burst_of_one_network_leaves_nothing_counted(workspace: Workspace) -> None:
    user = make_user(workspace)
    links = [link_of(workspace, "other", f"{TARGET}{number}", user=user) for number in range(3)]
    for number, link in enumerate(links):
        follow(link, at=NOON, remote=f"192.0.2.{number}", user_agent=f"{FIREFOX} {number}")
    assert verdicts(workspace) == [("suspected", "several links at once from one network")] * 3
    assert counted(workspace) == 0
    assert list(check(workspace)) == []


def test_links_of_two_people_are_no_burst(workspace: Workspace) -> None:
    for number in range(2):
        follow(link_of(workspace, "other", f"{TARGET}{number}", user=make_user(workspace)))
    assert verdicts(workspace) == [("human", "")] * 2


def test_the_same_link_again_counts_once_a_minute(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    for second in (0, 20, 200):
        follow(link, at=NOON + timedelta(seconds=second))
    assert verdicts(workspace) == [("human", ""), ("suspected", "same link again"), ("human", "")]
    follow(link, at=NOON + timedelta(seconds=210), user_agent=FIREFOX)
    assert counted(workspace) == 3


def test_old_visits_are_forgotten_by_whoever_comes_by(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    for number in range(5):
        follow(link, remote=f"198.51.{number}.1")
    assert RecentVisit.objects.count() == 5
    follow(link, at=NOON + timedelta(minutes=2))
    assert RecentVisit.objects.count() == 1


def test_no_address_and_no_agent_is_stored(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    follow(link, remote="203.0.113.77")
    for model in (Click, RecentVisit, VisitorSalt):
        [row] = model.objects.values()
        texts = [str(value) for value in row.values()]
        assert not any("203.0.113" in text or "Mozilla" in text for text in texts)


def test_a_person_who_opted_out_counts_for_the_workspace_and_the_campaign_only(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    link = link_of(workspace, "campaign", TARGET, campaign, user, make_alias(user))
    WorkspaceUser.objects.update(is_opted_out=True)
    assert follow(link).status_code == 302
    click = Click.objects.get()
    assert (click.campaign, click.user, click.alias, click.verdict) == (campaign, None, None, "human")
    assert counted(workspace) == 1


def test_a_stored_target_that_is_longer_than_new_ones_may_be_is_followed(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    target = "https://www.example.com/" + "日" * 1_900
    TrackedLink.objects.update(target_url=target)
    response = follow(link)
    assert (response.status_code, response["Location"]) == (302, iri_to_uri(target))
    assert counted(workspace) == 1


def test_a_target_that_is_not_safe_is_not_sent(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    link = link_of(workspace, "other", TARGET)
    # Targets that the database accepts, because its constraint is simple.
    TrackedLink.objects.update(target_url="http://\\evil.example/")
    assert follow(link).status_code == 404
    assert link.token in caplog.text


def breaking(text: str, attempts: list[str] | None = None, kind: type[Exception] = OperationalError) -> Any:
    """Inside this context, statements that contain the text fail as if the database were unavailable. They are added to
    `attempts`."""

    def wrapper(execute: Any, sql: str, *args: Any) -> Any:
        if text in sql:
            if attempts is not None:
                attempts.append(sql)
            raise kind("gone")
        return execute(sql, *args)

    return connection.execute_wrapper(wrapper)


@pytest.mark.parametrize(
    "statement",  # a part of it: the workspace's lock has this column
    ["counted_timezone", "stats_app_click", "stats_app_recentvisit", "stats_app_visitorsalt"],
)
def test_when_recording_fails_the_visitor_is_led_on_and_the_click_is_logged(
    workspace: Workspace, statement: str, lost: Any
) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    link = link_of(workspace, "campaign", TARGET, campaign, user, make_alias(user))
    with breaking(statement):
        response = follow(link)
    assert (response.status_code, response.headers["Location"]) == (302, TARGET)
    assert not Click.objects.exists()
    [line] = lost()
    assert len(line.pop("id")) == 26
    assert line == {
        "workspacePublicId": workspace.public_id,
        "campaignPublicId": campaign.public_id,
        "link": link.token,
        "clickedAt": "2026-03-10T12:00:00.000000+00:00",
        "verdict": "human",
    }


def test_a_click_whose_link_is_deleted_meanwhile_names_nobody_and_can_be_imported(
    workspace: Workspace, lost: Any, tmp_path: Path
) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    link = link_of(workspace, "campaign", TARGET, campaign, user, make_alias(user))
    known = known_links.find_link(link.token)
    assert known is not None
    link.delete()
    visit = Visit("GET", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "en")
    visits.record_visit(known, visit, remote_addr="203.0.113.1", forwarded=None, now=NOON)
    [line] = lost()
    assert {name: line[name] for name in line if name != "id"} == {
        "workspacePublicId": workspace.public_id,
        "kind": "campaign",
        "campaignPublicId": campaign.public_id,
        "clickedAt": "2026-03-10T12:00:00.000000+00:00",
        "verdict": "human",
    }
    file = tmp_path / "lost.jsonl"
    file.write_text(json.dumps(line))
    run("import_clicks", str(file), "--workspace", workspace.public_id)
    assert counted(workspace) == 1


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_known_link_leads_on_while_the_database_is_away(
    workspace: Workspace, shared: bool, kind: type[Exception], lost: Any
) -> None:
    link = link_of(workspace, "other", TARGET)
    follow(link)
    if shared:
        known_links._known.clear()
    else:
        cache.clear()
    attempts: list[str] = []
    with breaking("stats_app_", attempts, kind):
        response = follow(link, at=NOON + timedelta(hours=1))
    assert (response.status_code, response.headers["Location"]) == (302, TARGET)
    assert [line["link"] for line in lost()] == [link.token]
    # Each attempt may keep the visitor waiting until a connection times out.
    assert len(attempts) == 1


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_an_unknown_link_is_a_503_while_the_database_is_away(workspace: Workspace, kind: type[Exception]) -> None:
    link = link_of(workspace, "other", TARGET)
    with breaking("stats_app_", kind=kind):
        response = follow(link)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Cache-Control"] == "no-store"


@override_settings(STATS_APP={"TRUSTED_PROXIES": 1})
def test_visitors_behind_a_trusted_proxy_are_told_apart(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1"):
        follow(link, x_forwarded_for=address)
    assert sorted(verdict for verdict, _reason in verdicts(workspace)) == ["human", "human", "suspected"]


def test_it_takes_the_same_number_of_queries_however_many_links_and_clicks_there_are(workspace: Workspace) -> None:
    link = link_of(workspace, "other", TARGET)
    follow(link)
    numbers = []
    for hour in (1, 2):
        with CaptureQueriesContext(connection) as queries:
            follow(link, at=NOON + timedelta(hours=hour))
        numbers.append(len(queries))
        create_links(workspace, [LinkInput("other", f"{TARGET}{number}") for number in range(50)])
        for number in range(30):
            follow(link, remote=f"198.51.{number}.1", at=NOON + timedelta(hours=hour, minutes=5))
    assert numbers[0] == numbers[1]
