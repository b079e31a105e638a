"""Shared reports: made by staff from a page, opened by whoever has the address, revoked in the admin."""

from __future__ import annotations

import html
import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test import AsyncRequestFactory, Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from stats_app import reports, sharing
from stats_app.dashboard import open_page
from stats_app.ingest import ClickInput
from stats_app.models import Campaign, SharedReport, Workspace, WorkspaceUser
from tests.admin_cast import address as admin_address
from tests.admin_cast import login, superuser
from tests.dashboard_cast import NOW, address, at, csv_lines, figures, show, table
from tests.factories import make_campaign, make_user, make_workspace, record_all
from tests.test_secrets import mailed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

PERSON = "Ada Lovelace"
LAST_DAY = NOW.date() + timedelta(days=30)
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"


@pytest.fixture
def workspace() -> Workspace:
    """Clicks of a person on two campaigns in February and March."""
    workspace = make_workspace(timezone="Europe/Paris")
    user = make_user(workspace, display_name=PERSON)
    for name in ("Spring launch", "Autumn fair"):
        campaign = make_campaign(workspace, name=name)
        days = [day for day in ("2026-02-10", "2026-03-10", "2026-03-11") for _ in range(3)]
        record_all(workspace, [ClickInput("campaign", campaign=campaign, user=user, clicked_at=at(d)) for d in days])
    return workspace


@pytest.fixture
def campaign(workspace: Workspace) -> Campaign:
    return Campaign.objects.get(name="Spring launch")


def link(workspace: Workspace, campaign: Campaign | None = None, **values: Any) -> str:
    """The path of a new shared report."""
    defaults = {"last_day": LAST_DAY, "maker": "grace", "now": NOW}
    _report, secret = sharing.share(workspace, campaign, **defaults | values)
    return reverse("stats_dashboard:shared", args=[secret])


def secret_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def hrefs(page: str) -> list[str]:
    """All that a page leads to or sends to."""
    return [html.unescape(found) for found in re.findall(r'\s(?:href|action|formaction|src|ping)="([^"]*)"', page)]


# --- made from the page


def made_address(page: str) -> str:
    [address] = re.findall(r"<pre>(http://testserver/stats/shared/[A-Za-z0-9_-]{43}/)</pre>", page)
    return str(address)


def post(client: Client, shown: Workspace | Campaign, **values: Any) -> HttpResponse:
    return client.post(f"{address(shown)}share/", {"last_day": "2026-04-27"} | values)


@pytest.mark.parametrize("page", ["workspace", "campaign"])
def test_staff_make_one_from_the_page_and_see_its_address_once(
    workspace: Workspace, campaign: Campaign, page: str
) -> None:
    staff = login("view_workspace", "add_sharedreport")
    shown = {"workspace": workspace, "campaign": campaign}[page]
    [form] = re.findall(r'<form method="post" action="([^"]*/share/)"', show(staff, address(shown)))
    response = staff.post(form, {"last_day": "2026-04-27", "name": "The agency", "names_people": "on"})
    made = made_address(response.content.decode())
    report = SharedReport.objects.get()
    assert (report.workspace, report.campaign) == (workspace, campaign if page == "campaign" else None)
    assert (report.last_day, report.name, report.maker) == (date(2026, 4, 27), "The agency", "staff0")
    # A campaign's page names nobody.
    assert report.names_people is (page == "workspace")
    assert secret_of(made).encode() not in bytes(report.digest)
    assert Client().get(made).status_code == 200
    assert secret_of(made) not in show(superuser(), admin_address("sharedreport", "change", report))
    assert "no-store" in response.headers["Cache-Control"]


def test_the_form_is_only_for_those_who_may(workspace: Workspace, campaign: Campaign) -> None:
    viewer, other = login("view_workspace"), login("add_sharedreport")
    for shown in (workspace, campaign):
        assert "/share/" not in show(viewer, address(shown))
        assert (viewer.get(f"{address(shown)}share/").status_code, post(viewer, shown).status_code) == (403, 403)
        assert post(other, shown).status_code == 403
        assert post(Client(), shown).headers["Location"].startswith("/admin/login/?next=/stats/")
    assert not SharedReport.objects.exists()


@override_settings(STATS_APP={"WORKSPACES_FOR": "tests.admin_cast.first_workspace"})
def test_of_a_workspace_outside_of_a_persons_list_nothing_is_shared(workspace: Workspace, campaign: Campaign) -> None:
    staff, other = login("view_workspace", "add_sharedreport"), make_workspace(name="Globex")
    assert post(staff, other).status_code == 404
    foreign = reverse("stats_dashboard:share_campaign", args=[workspace.public_id, make_campaign(other).public_id])
    assert staff.post(foreign, {"last_day": "2026-04-27"}).status_code == 404
    assert not SharedReport.objects.exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"last_day": "2026-03-27"}, "This day is in the past."),
        ({"last_day": ""}, "Enter a date."),
        ({"last_day": "soon"}, "Enter a date as year-month-day"),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"name": "a\tb"}, "Enter text without control characters."),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_makes_nothing(
    workspace: Workspace, values: dict[str, str], message: str
) -> None:
    response = post(superuser(), workspace, **values)
    assert (response.status_code, message in response.content.decode()) == (200, True)
    assert not SharedReport.objects.exists()


def test_the_form_is_a_page_of_its_own_and_needs_its_token(workspace: Workspace) -> None:
    staff = superuser()
    assert 'value="2026-04-27"' in show(staff, f"{address(workspace)}share/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff.get(address(workspace)).wsgi_request.user)
    assert post(strict, workspace).status_code == 403
    assert staff.put(f"{address(workspace)}share/").status_code == 405


# --- what it shows


@pytest.mark.parametrize("page", ["workspace", "campaign"])
def test_it_shows_what_the_page_shows_for_every_period(workspace: Workspace, campaign: Campaign, page: str) -> None:
    shown = {"workspace": workspace, "campaign": campaign}[page]
    path = link(workspace, campaign if page == "campaign" else None)
    staff, reader = superuser(), Client()
    for query in (
        {},
        {"period": "last-month"},
        {"from_": "2026-03-01", "to": "2026-03-31", "breakdown": "week", "compare": "year"},
        {"period": "this-year", "compare": "none"},
    ):
        theirs, ours = show(reader, path, **query), show(staff, address(shown), **query)
        assert figures(theirs) == figures(ours)
        assert table(theirs, "stats-clicks") == table(ours, "stats-clicks")
    query = {"from": "2026-03-01", "to": "2026-03-31", "format": "csv"}
    without = [line for line in csv_lines(staff.get(address(shown), query)) if line["table"] != "users"]
    assert csv_lines(reader.get(path, query)) == without


def test_the_form_of_the_period_works_inside_of_it(workspace: Workspace) -> None:
    path, reader = link(workspace), Client()
    typed = {"period": "last-28-days", "from": "2026-02-28", "to": "2026-03-27", "breakdown": "week"}
    response = reader.get(path, typed)
    assert (response.status_code, response.headers["Location"]) == (302, "?period=last-28-days&breakdown=week")
    wrong = {"from": "2026-03-02", "to": "2026-03-01"}
    assert "Enter a last day that is not before the first day." in show(reader, path, **wrong)
    assert reader.get(path, wrong | {"format": "csv"}).status_code == 400


@pytest.mark.parametrize("empty", [False, True])
def test_nothing_on_it_leads_anywhere_else(workspace: Workspace, campaign: Campaign, empty: bool) -> None:
    """Walks all that is linked, from page to page, and finds the page itself and static files only."""
    if empty:
        workspace = make_workspace(name="New")
        paths = [link(workspace), link(workspace, make_campaign(workspace))]
    else:
        paths = [link(workspace), link(workspace, names_people=True), link(workspace, campaign)]
    reader = Client()
    for path in paths:
        waiting, seen, outside = [path], set(), set()
        while waiting and len(seen) < 60:
            url = waiting.pop()
            seen.add(url)
            response = reader.get(url)
            assert response.status_code == 200, url
            if "csv" in response.headers["Content-Type"]:
                continue
            for target in hrefs(response.content.decode()):
                if target.startswith("?"):
                    waiting += {path + target.partition("#")[0]} - seen
                elif not target.startswith("#"):
                    outside.add(target)
        assert len(seen) > 10
        assert {target for target in outside if not target.startswith("/static/stats_app/")} == set()


def test_the_navigation_of_the_host_is_not_on_it(workspace: Workspace, settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "stats_app" / "dashboard"
    folder.mkdir(parents=True)
    blocks = {
        "head": '<link href="/northwind.css">',
        "navigation": '<a href="/intranet/">',
        "foot": '<a href="/imprint/">',
    }
    filled = "".join(f"{{% block {name} %}}{filling}{{% endblock %}}" for name, filling in blocks.items())
    (folder / "base.html").write_text(f'{{% extends "stats_app/dashboard/base.html" %}}{filled}', encoding="utf-8")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    theirs, page = show(superuser(), address(workspace)), show(Client(), link(workspace))
    assert [filling in theirs for filling in blocks.values()] == [True, True, True]
    assert [filling in page for filling in blocks.values()] == [True, False, False]


def test_people_are_named_only_where_the_maker_said_so(workspace: Workspace, campaign: Campaign) -> None:
    reader = Client()
    email = WorkspaceUser.objects.get().email
    for path in (link(workspace), link(workspace, campaign), link(workspace, campaign, names_people=True)):
        for query in ({}, {"format": "csv"}, {"format": "csv", "table": "users"}, {"users": "name"}):
            shown = reader.get(path, query).content.decode()
            assert (PERSON in shown, email in shown) == (False, False)
    path = link(workspace, names_people=True)
    assert table(show(reader, path), "users")[0][:2] == [PERSON, "12"]
    assert PERSON in reader.get(path, {"format": "csv"}).content.decode()


@override_settings(STATS_APP={"PERSON_FIGURES": "totals"})
def test_nobody_is_named_where_nobody_may_be(workspace: Workspace) -> None:
    path = link(workspace, names_people=True)
    assert PERSON not in show(Client(), path) + Client().get(path, {"format": "csv"}).content.decode()
    assert "names_people" not in show(superuser(), address(workspace))


def test_it_knows_no_login(workspace: Workspace) -> None:
    path = link(workspace)
    page = show(superuser(), path)
    assert ("staff0" in page, "/admin/" in page, "csrf" in page) == (False, False, False)
    assert page == show(Client(), path)


def test_it_speaks_the_readers_language(workspace: Workspace) -> None:
    response = Client().get(link(workspace), headers={"accept-language": "fr"})
    assert "Tous les clics" in response.content.decode()


def test_it_asks_the_same_number_of_queries_however_much_there_is(workspace: Workspace, campaign: Campaign) -> None:
    numbers = []
    for _round in range(3):
        for path in (link(workspace, names_people=True), link(workspace, campaign)):
            with CaptureQueriesContext(connection) as queries:
                show(Client(), path)
            numbers.append(len(queries))
        for number in range(30):
            more, user = make_campaign(workspace, name=f"More {number}"), make_user(workspace)
            record_all(workspace, [ClickInput("campaign", campaign=more, user=user, clicked_at=at("2026-03-12"))])
    assert numbers[2:4] == numbers[4:]
    assert max(numbers) <= 21


# --- headers


def test_every_answer_says_that_it_is_private(workspace: Workspace, campaign: Campaign) -> None:
    reader = Client()
    paths = [link(workspace), link(workspace, campaign), "/stats/shared/x/"]
    answers = [answer for path in paths for answer in (reader.get(path), reader.head(path), reader.post(path))]
    answers += [reader.get(paths[0], {"format": "csv"}), reader.get(paths[0], {"from": "x", "format": "csv"})]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Content-Security-Policy"] == POLICY
    assert '<meta name="robots" content="noindex">' in show(reader, paths[0])
    assert "noindex" not in show(superuser(), address(workspace))


@override_settings(
    MIDDLEWARE=[*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"], LOGIN_URL="/sign-in/"
)
def test_it_is_open_where_the_host_asks_for_a_login_everywhere(workspace: Workspace) -> None:
    assert Client().get(link(workspace)).status_code == 200
    assert Client().get("/").status_code == 302


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_it_is_read_only(workspace: Workspace, method: str) -> None:
    reader = Client(enforce_csrf_checks=True)
    for path in (link(workspace), "/stats/shared/nothing/"):
        response = getattr(reader, method)(path)
        assert (response.status_code, response.headers["Allow"], response.content) == (405, "GET, HEAD", b"")


# --- its end


def not_found(path: str, **query: Any) -> bytes:
    response = Client().get(path, query)
    assert response.status_code == 404
    return bytes(response.content)


def test_whatever_the_reason_what_is_not_open_is_one_and_the_same_404(workspace: Workspace) -> None:
    revoked, expired, inactive = link(workspace), link(workspace, last_day=NOW.date()), link(make_workspace())
    report = SharedReport.objects.order_by("pk").first()
    assert report is not None
    assert (sharing.revoke_shared(report, NOW), sharing.revoke_shared(report, NOW)) == (True, False)
    Workspace.objects.exclude(pk=workspace.pk).update(is_active=False)
    with time_machine.travel(at("2026-03-29"), tick=False):
        good = link(workspace, last_day=NOW.date() + timedelta(days=1))
        paths = [
            *(revoked, expired, inactive, "/stats/shared/nothing/", "/stats/shared/a/b/", f"{good}more/"),
            *("/stats/shared/%00%ff/", f"/stats/shared/{secret_of(good)[:-1]}/", f"/stats/shared/{'x' * 5000}/"),
        ]
        pages = [not_found(path) for path in paths] + [not_found(revoked, period="last-month", format="csv")]
        assert Client().get(good).status_code == 200
    assert len({*pages}) == 1
    page = pages[0].decode()
    assert "There is nothing at this address, or it is no longer available." in page
    assert [target for target in hrefs(page) if not target.startswith(("/static/stats_app/", "#"))] == []


@pytest.mark.parametrize(("now", "status"), [("2026-03-29T21:59:59", 200), ("2026-03-29T22:00:00", 404)])
def test_its_last_day_is_one_of_the_workspace(workspace: Workspace, now: str, status: int) -> None:
    path = link(workspace, last_day=date(2026, 3, 29))
    with time_machine.travel(f"{now}+00:00", tick=False):
        assert Client().get(path).status_code == status


def test_without_its_last_slash_it_is_the_same(workspace: Workspace) -> None:
    path = link(workspace)
    assert Client().get(path[:-1]).content == Client().get(path).content


def test_a_campaign_takes_its_links_along(workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    path = link(workspace, campaign)
    campaign.delete()
    not_found(path)
    assert not SharedReport.objects.exists()


# --- counted


def test_each_page_that_is_shown_counts_as_opened(workspace: Workspace) -> None:
    path, reader = link(workspace), Client()
    show(reader, path)
    show(reader, path, period="last-month")
    reader.head(path)
    reader.get(path, {"format": "csv"})
    reader.post(path)
    report = SharedReport.objects.get()
    assert (report.opened, report.last_opened_at) == (2, NOW)


def test_it_is_shown_where_nothing_can_be_written(workspace: Workspace) -> None:
    path = link(workspace)

    def no_updates(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise DatabaseError("read-only")
        return execute(sql, *args)

    with connection.execute_wrapper(no_updates):
        show(Client(), path)
    assert SharedReport.objects.get().opened == 0


# --- the secret


@contextmanager
def logged() -> Iterator[list[str]]:
    """All that is logged meanwhile, with the addresses of the requests that belong to it."""
    texts: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            asked = getattr(record, "request", None)
            texts.append(f"{logging.Formatter().format(record)} {asked!r} {getattr(asked, 'META', '')}")

    handler, loggers = Keeping(), [logging.getLogger(name) for name in ("", "django", "stats_app")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield texts
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def fail(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("broken by the test")


def test_no_log_and_no_report_of_an_error_holds_the_secret(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(workspace)
    secret = secret_of(path)
    reader = Client(raise_request_exception=False, enforce_csrf_checks=True)
    extra = {"RAW_URI": path, "REQUEST_URI": f"{path}?x", "HTTP_REFERER": f"http://testserver{path}"}
    with mailed() as reports_by_mail, logged() as texts:
        answers = []
        for broken in ("find_shared", "overview_context", ""):
            with monkeypatch.context() as patch:
                if broken == "find_shared":
                    patch.setattr(sharing, "SharedReport", None)  # so that it fails with the secret in hand
                elif broken:
                    patch.setattr(reports, broken, fail)
                answers += [reader.get(path, **extra), reader.get(f"{path}more", **extra), reader.post(path, **extra)]
                answers.append(reader.get(path, {"from": "x", "format": "csv"}, **extra))
        sharing.revoke_shared(SharedReport.objects.get(), NOW)
        answers += [reader.get(path, **extra), reader.get(path[:-1], **extra)]
    assert {answer.status_code for answer in answers} == {200, 400, 404, 405, 500}
    assert "broken by the test" in "".join(texts)
    assert any("broken by the test" in report for report in reports_by_mail)
    assert [
        text for text in [*texts, *reports_by_mail, *(message.body for message in mail.outbox)] if secret in text
    ] == []
    assert any("/stats/shared/-/" in text for text in texts)


@override_settings(DEBUG=True)
def test_a_failure_has_a_plain_answer_also_while_debugging(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(workspace)
    monkeypatch.setattr(sharing, "find_shared", fail)
    response = Client(raise_request_exception=False).get(path)
    assert (response.status_code, response.content) == (500, b"Internal server error\n")
    assert response.headers["Cache-Control"] == "private, no-store"


def test_a_failure_to_store_one_does_not_tell_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, secret = superuser(), "A1b2-" * 8 + "xyz"
    staff.raise_request_exception = False
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _bytes: secret)
    monkeypatch.setattr(SharedReport, "save", fail)
    with mailed() as reports_by_mail:
        assert post(staff, workspace).status_code == 500
    assert [secret in report for report in reports_by_mail] == [False]


def test_nothing_of_an_address_is_left_in_the_request_of_an_asgi_server(workspace: Workspace) -> None:
    path = link(workspace)
    factory = AsyncRequestFactory()
    request = factory.get(path)
    request.scope["raw_path"] = path.encode()
    request.resolver_match = resolve(path)
    open_page.hide(secret_of(path), request)
    left = repr((request, request.scope, request.META, request.get_full_path(), request.resolver_match))
    assert (secret_of(path) in left, "/stats/shared/-/" in left) == (False, True)


# --- while something is missing


def test_in_a_zone_that_the_machine_lacks_it_says_that_it_cannot_be_shown(workspace: Workspace) -> None:
    path = link(workspace)
    Workspace.objects.update(timezone="Mars/Olympus_Mons")
    response = Client().get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    page = response.content.decode()
    assert "The page cannot be shown at the moment." in page
    assert ("Mars" in page, workspace.name in page) == (False, False)


# --- in the admin


def test_staff_revoke_them_in_the_admin(workspace: Workspace, campaign: Campaign) -> None:
    path, _other = link(workspace, campaign, name="The agency"), link(make_workspace(name="Globex"))
    report = SharedReport.objects.get(name="The agency")
    staff = login("view_sharedreport", "change_sharedreport")
    listed = show(staff, admin_address("sharedreport"))
    assert ("The agency" in listed, "Overview" in listed) == (True, True)
    values = {"action": "revoke", "_selected_action": [report.pk]}
    response = staff.post(admin_address("sharedreport"), values, follow=True)
    assert [str(message) for message in response.context["messages"]] == ["1 shared report was revoked."]
    not_found(path)
    assert "The agency" not in show(staff, admin_address("sharedreport"), revoked="no")
    assert "Revoked." in show(staff, admin_address("sharedreport", "history", report))


def test_who_may_only_look_at_them_cannot_revoke_them(workspace: Workspace) -> None:
    path = link(workspace)
    staff = login("view_sharedreport")
    values = {"action": "revoke", "_selected_action": [SharedReport.objects.get().pk]}
    staff.post(admin_address("sharedreport"), values)
    assert Client().get(path).status_code == 200
