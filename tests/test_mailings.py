"""Mailings: each whole period once to each address, whatever mail servers do; unsubscribed by one click."""

from __future__ import annotations

import html
import io
import re
import smtplib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail, signing
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from stats_app import mailings, subscriptions
from stats_app.ingest import ClickInput
from stats_app.models import Mailing, MailingAddress, MailingDelivery, Workspace
from stats_app.periods import calendar_period
from tests.admin_cast import address as admin_address
from tests.admin_cast import login, page, superuser
from tests.dashboard_cast import NOW, address, at, figures, show
from tests.factories import make_campaign, make_user, make_workspace, record_all, set_addresses
from tests.mail_server import mail_server, mails_go_to

pytestmark = pytest.mark.django_db

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
MONDAY = "2026-03-30"  # the one after NOW
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"


@pytest.fixture(autouse=True)
def _frozen(settings: Any) -> Iterator[None]:
    settings.STATS_APP = {"BASE_URL": "https://stats.example"}
    with time_machine.travel(NOW, tick=False):
        yield


def make_mailing(workspace: Workspace | None = None, *emails: str, **values: Any) -> Mailing:
    mailing = Mailing.objects.create(workspace=workspace or make_workspace(), **values)
    set_addresses(mailing, emails or (ADA,), NOW)
    return mailing


def send(now: str, **options: Any) -> str:
    """What `send_mailings` prints at noon of a day."""
    printed = io.StringIO()
    with time_machine.travel(now if "T" in now else at(now), tick=False):
        call_command("send_mailings", stdout=printed, **options)
    return printed.getvalue()


def fails(now: str) -> str:
    with pytest.raises(CommandError) as error:
        send(now)
    return str(error.value)


def sent() -> list[tuple[str, str]]:
    """To whom, and what: all since the last call."""
    mails = [(message.to[0], message.subject) for message in mail.outbox]
    mail.outbox.clear()
    return mails


# --- which periods


@pytest.mark.parametrize(
    ("every", "day", "start", "end"),
    [
        ("week", "2026-03-30", "2026-03-30", "2026-04-05"),
        ("week", "2026-04-05", "2026-03-30", "2026-04-05"),
        ("week", "2027-01-01", "2026-12-28", "2027-01-03"),
        ("month", "2028-02-29", "2028-02-01", "2028-02-29"),
        ("month", "2026-12-01", "2026-12-01", "2026-12-31"),
    ],
)
def test_a_period_is_a_whole_week_or_month(every: Any, day: str, start: str, end: str) -> None:
    period = calendar_period(every, date.fromisoformat(day))
    assert (period.start.isoformat(), period.end.isoformat()) == (start, end)


def test_a_new_mailing_sends_no_old_period_and_each_later_one_once() -> None:
    make_mailing()
    assert send("2026-03-29") == "0 mail(s) sent.\n"
    for _run in range(3):
        send(MONDAY)
    assert sent() == [(ADA, "Acme, 23–29 March 2026: 0 clicks")]
    # After three weeks without a run nothing is missing.
    send("2026-04-20")
    assert [subject for _to, subject in sent()] == [
        "Acme, 30 March – 5 April 2026: 0 clicks",
        "Acme, 6–12 April 2026: 0 clicks",
        "Acme, 13–19 April 2026: 0 clicks",
    ]


def test_a_month_is_sent_in_its_language_when_it_is_over() -> None:
    make_mailing(every="month", language="fr")
    send("2026-03-31")
    assert sent() == []
    send("2026-04-01")
    assert sent() == [(ADA, "Acme, 1er–31 mars 2026 : 0 clic")]


@pytest.mark.parametrize(("now", "number"), [("2026-03-29T21:59:59+00:00", 0), ("2026-03-29T22:00:00+00:00", 1)])
def test_a_period_is_over_when_it_is_in_the_workspace(now: str, number: int) -> None:
    make_mailing(make_workspace(timezone="Europe/Paris"))
    send(now)
    assert len(sent()) == number


def test_who_is_added_later_gets_what_is_over_later() -> None:
    mailing = make_mailing()
    set_addresses(mailing, [ADA, BOB], at(MONDAY))
    send(MONDAY)
    assert [to for to, _subject in sent()] == [ADA]
    send("2026-04-06")
    assert [to for to, _subject in sent()] == [ADA, BOB]


def test_who_was_removed_and_is_back_gets_no_period_twice() -> None:
    mailing = make_mailing()
    send(MONDAY)
    set_addresses(mailing, [], at(MONDAY))
    set_addresses(mailing, [ADA], at(MONDAY))
    send(MONDAY)
    assert len(sent()) == 1


@pytest.mark.parametrize("what", ["mailing", "workspace"])
def test_nothing_is_sent_of_what_is_inactive_also_not_later(what: str) -> None:
    mailing = make_mailing()
    model: Any = {"mailing": Mailing, "workspace": Workspace}[what]
    model.objects.update(is_active=False)
    for day in (MONDAY, "2026-04-06", "2026-04-13"):
        send(day)
    model.objects.update(is_active=True)
    send("2026-04-14")
    assert sent() == []
    send("2026-04-20")
    assert sent() == [(ADA, "Acme, 13–19 April 2026: 0 clicks")]
    assert str(mailing) == "Acme (weekly, Monday to Sunday)"


def test_a_workspace_in_an_unknown_zone_keeps_nobody_waiting() -> None:
    lost = make_mailing(make_workspace(name="Lost"))
    make_mailing()
    Workspace.objects.filter(pk=lost.workspace_id).update(timezone="Mars/Olympus")
    assert 'This server does not know the time zone "Mars/Olympus" of the workspace' in fails(MONDAY)
    assert [to for to, _subject in sent()] == [ADA]


def test_a_dry_run_says_what_is_due_and_sends_nothing() -> None:
    make_mailing(None, ADA, BOB)
    assert send(MONDAY, dry_run=True).splitlines() == [
        f"{ADA}: Acme, 2026-03-23 to 2026-03-29 (en)",
        f"{BOB}: Acme, 2026-03-23 to 2026-03-29 (en)",
        "2 mail(s) would be sent.",
    ]
    assert (sent(), MailingDelivery.objects.count()) == ([], 0)


@override_settings(STATS_APP={})
def test_without_the_address_of_the_site_it_says_so() -> None:
    assert send(MONDAY) == "0 mail(s) sent.\n"
    make_mailing()
    assert fails(MONDAY) == "STATS_APP['BASE_URL'] is not set: mails could not link to the pages."


def test_it_asks_few_queries_where_nothing_is_due() -> None:
    numbers = []
    for number in range(2):
        for _ in range(5):
            make_mailing(None, *(f"{name}{number}@example.com" for name in "abcdef"))
        with CaptureQueriesContext(connection) as queries:
            send("2026-03-29")
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
    assert numbers[0] <= 4


# --- mail servers


def test_all_mails_of_a_run_go_over_one_connection() -> None:
    make_mailing(None, ADA, BOB)
    make_mailing(None, EVE)
    with mail_server() as server:
        assert send(MONDAY) == "3 mail(s) sent.\n"
        assert send(MONDAY) == "0 mail(s) sent.\n"
    assert (server.to, server.connections) == ([ADA, BOB, EVE], 1)
    assert [delivery.sent_at for delivery in MailingDelivery.objects.all()] == [at(MONDAY)] * 3


def test_a_server_may_limit_the_mails_over_one_connection() -> None:
    make_mailing(None, ADA, BOB, EVE)
    with mail_server(most=1) as server:
        assert send(MONDAY) == "3 mail(s) sent.\n"
    assert (server.to, server.connections) == ([ADA, BOB, EVE], 3)


def test_a_server_that_ends_the_connection_and_takes_no_other_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    make_mailing(None, ADA, BOB, EVE)
    connect = smtplib.SMTP.connect

    def connect_once(*args: Any) -> Any:
        if server.connections:
            raise ConnectionRefusedError("busy")
        return connect(*args)

    with mail_server(most=1) as server:
        monkeypatch.setattr(smtplib.SMTP, "connect", connect_once)
        assert fails(MONDAY) == "The mail server cannot be reached: busy. The next run tries again."
    assert server.to == [ADA]
    assert not MailingAddress.objects.filter(failures__gt=0).exists()


def test_a_report_is_made_once_for_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    contents = mailings.contents

    def note(mailing: Mailing, period: Any, *args: Any) -> Any:
        made.append(period.start)
        return contents(mailing, period, *args)

    monkeypatch.setattr(mailings, "contents", note)
    make_mailing(None, ADA, BOB, EVE)
    weeks = 120
    now = (date.fromisoformat(MONDAY) + timedelta(weeks=weeks - 1)).isoformat()
    assert send(now) == f"{3 * weeks} mail(s) sent.\n"
    assert len(made) == len(set(made)) == weeks


@pytest.fixture
def before_each_mail(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    message_to = mailings.message_to

    def do(work: Callable[[], Any]) -> None:
        monkeypatch.setattr(mailings, "message_to", lambda *args: (work(), message_to(*args))[1])

    return do


@pytest.mark.parametrize("model", [Mailing, Workspace])
def test_what_is_switched_off_during_a_run_gets_no_more_mails(
    model: Any, before_each_mail: Callable[[Callable[[], Any]], None]
) -> None:
    make_mailing(None, ADA, BOB)
    before_each_mail(lambda: model.objects.update(is_active=False))
    assert send(MONDAY) == "1 mail(s) sent.\n"
    assert [to for to, _subject in sent()] == [ADA]


def test_one_address_that_is_refused_keeps_no_other_waiting_and_is_tried_again() -> None:
    make_mailing(None, ADA, BOB, EVE)
    with mail_server(refused=(ADA,)) as server:
        for _run in range(2):
            error = fails(MONDAY)
            assert (
                error == f"1 mail(s) could not be sent: {ADA} (550 5.1.1 No such user here). The next run tries again."
            )
        assert server.to == [BOB, EVE]
        row = MailingAddress.objects.get(email=ADA)
        assert (row.failures, row.error) == (2, "550 5.1.1 No such user here")
        server.refused = ()
        send(MONDAY)
        assert server.to == [BOB, EVE, ADA]
    row.refresh_from_db()
    assert (row.failures, row.error, row.deliveries.get().attempts) == (0, "", 3)


def test_an_address_that_is_refused_for_good_is_tried_once_a_day_after_three_times() -> None:
    mailing = make_mailing(None, ADA, BOB)
    refused = f"1 mail(s) could not be sent: {ADA} (550 5.1.1 No such user here)."
    with mail_server(refused=(ADA,)) as server:
        for _run in range(2):
            assert fails(f"{MONDAY}T10:00:00+00:00") == f"{refused} The next run tries again."
        third = fails(f"{MONDAY}T10:00:00+00:00")
        assert third == f"{refused} 1 of these addresses were refused for good; they are tried again after a day."
        assert send(f"{MONDAY}T10:15:00+00:00") == send(f"{MONDAY}T23:59:00+00:00") == "0 mail(s) sent.\n"
        assert server.tried == [ADA, BOB, ADA, ADA]
        shown = superuser().get(admin_address("mailing", "change", mailing), headers={"accept-language": "fr"})
        assert "prochaine tentative : 31 mars 2026 10:00" in shown.content.decode()
        assert "refused for good" in fails("2026-03-31T10:00:00+00:00")
        assert send("2026-03-31T10:15:00+00:00") == "0 mail(s) sent.\n"
        server.refused = ()
        assert send("2026-04-01T10:00:00+00:00") == "1 mail(s) sent.\n"
    assert server.to == [BOB, ADA]
    row = MailingAddress.objects.get(email=ADA)
    assert (row.failures, row.error, row.waits_until, row.deliveries.get().attempts) == (0, "", None, 5)


def test_failures_count_from_the_last_mail_that_was_sent(
    before_each_mail: Callable[[Callable[[], Any]], None],
) -> None:
    make_mailing(None, ADA)
    MailingAddress.objects.update(failures=2)
    with mail_server() as server:
        before_each_mail(lambda: setattr(server, "refused", (ADA,) if server.taken else ()))
        assert fails("2026-04-06").endswith("The next run tries again.")
    row = MailingAddress.objects.get()
    assert (server.to, row.failures, row.waits_until) == ([ADA], 1, None)


@pytest.mark.parametrize("answer", ["450 4.2.1 Try again later", "421 4.3.2 Closing down"])
def test_an_address_that_is_refused_for_now_is_tried_by_every_run(answer: str) -> None:
    make_mailing(None, ADA)
    with mail_server(refused=(ADA,), refusal=answer) as server:
        for _run in range(6):
            assert fails(MONDAY).endswith("The next run tries again.")
        assert server.tried == [ADA] * 6


def test_a_refused_address_is_tried_by_the_next_run_after_its_mailing_was_saved() -> None:
    mailing = make_mailing(None, ADA)
    with mail_server(refused=(ADA,)) as server:
        for _run in range(3):
            fails(MONDAY)
        server.refused = ()
        assert send(MONDAY) == "0 mail(s) sent.\n"
        set_addresses(mailing, [ADA], at(MONDAY))
        assert send(MONDAY) == "1 mail(s) sent.\n"


def test_its_later_periods_wait_for_it_and_go_out_in_their_order() -> None:
    make_mailing(None, ADA)
    with mail_server(refused=(ADA,)) as server:
        fails("2026-04-06")
        assert MailingDelivery.objects.count() == 1
        server.refused = ()
        send("2026-04-06")
    assert [message["Subject"] for _to, message in server.taken] == [
        "Acme, 23–29 March 2026: 0 clicks",
        "Acme, 30 March – 5 April 2026: 0 clicks",
    ]


def test_a_slow_server_gets_them_all() -> None:
    make_mailing(None, ADA, BOB)
    with mail_server(seconds=0.5) as server:
        send(MONDAY)
    assert server.to == [ADA, BOB]


def test_a_server_that_is_too_slow_fails_one_mail_after_the_other() -> None:
    make_mailing(None, ADA, BOB)
    with mail_server(seconds=1.5, timeout=0.3) as server:
        assert re.search(r"^2 mail\(s\) could not be sent: .*timed out", fails(MONDAY))
        server.seconds = 0
    with mail_server() as server:
        send(MONDAY)
    assert server.to == [ADA, BOB]


def test_a_server_that_dies_half_way_gets_the_rest_from_the_next_run() -> None:
    emails = [f"{number}@example.com" for number in range(6)]
    make_mailing(None, *emails)
    with mail_server(last=3) as server:
        assert "3 mail(s) could not be sent" in fails(MONDAY)
    assert "The mail server cannot be reached" in fails_without_server()
    with mail_server() as back:
        send(MONDAY)
    assert (server.to, back.to) == (emails[:3], emails[3:])


def fails_without_server() -> str:
    with mails_go_to(port=1):
        return fails(MONDAY)


def test_a_mail_that_was_taken_without_a_word_comes_again_under_the_same_id() -> None:
    """The one case in which nobody can know. Mail systems drop a second mail with an id that they have."""
    make_mailing(None, ADA)
    with mail_server(torn=1) as server:
        fails(MONDAY)
        send(MONDAY)
    [first, second] = [message for _to, message in server.taken]
    assert first["Message-ID"] == second["Message-ID"]
    assert re.fullmatch(r"<\d+\.2026-03-23\.2026-03-29\.[0-9a-f]{20}@stats\.example>", first["Message-ID"])


def test_a_report_that_cannot_be_made_keeps_no_other_mailing_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    make_mailing(make_workspace(name="Broken"), ADA)
    make_mailing(None, BOB)
    contents = mailings.contents

    def fail(mailing: Mailing, *args: Any) -> Any:
        assert mailing.workspace.name != "Broken"
        return contents(mailing, *args)

    monkeypatch.setattr(mailings, "contents", fail)
    assert f"{ADA} (The mail could not be made: AssertionError)" in fails(MONDAY)
    assert [to for to, _subject in sent()] == [BOB]


def test_who_unsubscribes_while_a_run_is_under_way_gets_nothing() -> None:
    mailing = make_mailing(None, ADA, BOB)
    [_ada, bob] = mailing.addresses.order_by("pk")
    with time_machine.travel(at(MONDAY), tick=False):
        mailings.send_due(at(MONDAY), told=lambda due, error: subscriptions.unsubscribe(bob, NOW))
    assert [to for to, _subject in sent()] == [ADA]


# --- what it says


def busy_workspace() -> Workspace:
    workspace = make_workspace(name="Acme & <Söhne>", timezone="Europe/Paris")
    user = make_user(workspace, display_name="Ada Lovelace")
    for name, before, now in (("Spring", 2, 9), ("Autumn", 7, 1), ("Gone", 3, 0), ("Steady", 4, 4)):
        campaign = make_campaign(workspace, name=name)
        for day, number in (("2026-03-16", before), ("2026-03-23", now)):
            clicks = [ClickInput("campaign", campaign=campaign, user=user, clicked_at=at(day)) for _ in range(number)]
            record_all(workspace, clicks)
    record_all(workspace, [ClickInput("vcard", clicked_at=at("2026-03-10"))])
    return workspace


def a_mail(**values: Any) -> Any:
    make_mailing(busy_workspace(), ADA, **values)
    send(MONDAY)
    [message] = mail.outbox
    return message


def test_text_and_html_say_what_the_page_says() -> None:
    message = a_mail()
    assert message.subject == "Acme & <Söhne>, 23–29 March 2026: 14 clicks"
    [address_of_page] = re.findall(r"https://stats\.example(/stats/[0-9a-z]{26}/\?\S+)", message.body)
    with time_machine.travel(at(MONDAY), tick=False):
        numbers = figures(show(superuser(), address_of_page))
    lines = message.body.splitlines()
    assert [f"{name}: {number}" in message.body for name, number in numbers.items()] == [True] * 4
    assert lines[:3] == [
        "Acme & <Söhne>",
        "23–29 March 2026, Europe/Paris",
        "Compared with 16–22 March 2026.",
    ]
    assert "All clicks: 14  ▼ −12.5% (−2)" in lines
    assert lines[lines.index("Rose most") + 1] == "- Spring: 9  ▲ +350.0% (+7)"
    start = lines.index("Fell most") + 1
    assert lines[start : start + 2] == ["- Autumn: 1  ▼ −85.7% (−6)", "- Gone: 0  ▼ −100.0% (−3)"]
    [(page_html, kind)] = message.alternatives
    assert kind == "text/html"
    shown = html.unescape(re.sub("<[^>]*>", " ", page_html))
    for text in ("Acme & <Söhne>", "14", "▼ −12.5% (−2)", "Spring", "Autumn", "Fell most", "Unsubscribe"):
        assert text in shown
    assert "Ada Lovelace" not in message.body + page_html


def test_names_from_right_to_left_rearrange_no_line_of_plain_text() -> None:
    workspace = make_workspace(name="חברה 7", timezone="Europe/Paris")
    for name, before, now in (("أخبار 2026", 2, 9), ("Autumn", 7, 1)):
        campaign = make_campaign(workspace, name=name)
        for day, number in (("2026-03-16", before), ("2026-03-23", now)):
            record_all(
                workspace, [ClickInput("campaign", campaign=campaign, clicked_at=at(day)) for _ in range(number)]
            )
    record_all(workspace, [ClickInput("vcard", clicked_at=at("2026-03-10"))])
    make_mailing(workspace, ADA)
    make_mailing(workspace, BOB, every="month")
    send("2026-04-01")
    week, month = mail.outbox
    assert week.subject == "\u2068חברה 7\u2069, 23–29 March 2026: 10 clicks"
    lines = week.body.splitlines()
    assert lines[0] == "\u2068חברה 7\u2069"
    assert lines[lines.index("Rose most") + 1] == "- \u2068أخبار 2026\u2069: 9  ▲ +350.0% (+7)"
    assert lines[lines.index("Fell most") + 1] == "- Autumn: 1  ▼ −85.7% (−6)"
    assert "- \u2068أخبار 2026\u2069: 11" in month.body
    # HTML has `dir`, and names there hold no such characters.
    assert "\u2068" not in week.alternatives[0][0].partition("</title>")[2]


def test_other_mails_have_no_invisible_characters() -> None:
    message = a_mail()
    assert not {"\u2068", "\u2069"} & {*message.subject, *message.body, *message.alternatives[0][0]}


def test_a_month_beside_a_shorter_one_says_no_change() -> None:
    workspace = busy_workspace()
    record_all(workspace, [ClickInput("vcard", clicked_at=at("2026-01-10"))])
    make_mailing(workspace, ADA, every="month")
    send("2026-04-01")
    [message] = mail.outbox
    assert "No change is shown: 31 days against 28." in message.body
    assert "Top campaigns" in message.body
    assert "%" not in message.body.partition("Open the overview")[0]


def test_it_is_in_french() -> None:
    message = a_mail(language="fr")
    [(page_html, _kind)] = message.alternatives
    assert "Se désabonner" in message.body
    assert '<html lang="fr">' in page_html
    # Mail programs in a browser drop the outer tags.
    assert '<table role="presentation" lang="fr"' in page_html
    assert not re.findall(
        r"\b(clicks|Unsubscribe|Rose|Fell|Compared|Open)\b",
        message.body + re.sub("<style.*?</style>|<[^>]*>", " ", page_html, flags=re.S),
    )


def test_its_html_loads_nothing_and_watches_nobody() -> None:
    [(page_html, _kind)] = a_mail().alternatives
    assert re.findall(r"<(?:script|img|link|iframe|object|form|svg)|url\(|@import|\ssrc=|javascript:", page_html) == []
    targets = re.findall(r'href="([^"]*)"', page_html)
    assert all(target.startswith("https://stats.example/stats/") for target in targets)
    assert len(targets) == 2
    assert len(page_html.encode()) < 20_000  # Gmail cuts what is over 102 KB


@pytest.mark.parametrize("host", ["stats.example", f"{'long-name.' * 9}stats.example"])
def test_its_headers_let_a_mail_program_unsubscribe_by_one_click(settings: Any, host: str) -> None:
    settings.STATS_APP = {"BASE_URL": f"https://{host}"}
    make_mailing()
    with mail_server() as server:
        send(MONDAY)
    [raw] = server.raw
    # As it was sent, because a parser would decode what mail programs do not read in this header.
    found = re.search(rf"^List-Unsubscribe: (?:\r\n )?<https://{host}(/stats/[^>]+/)>\r$", raw.decode(), re.MULTILINE)
    assert found
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in raw
    assert Client().get(found[1]).status_code == 200


# --- unsubscribing


def way_out(email: str = ADA) -> str:
    return f"/stats/unsubscribe/{subscriptions.token_of(MailingAddress.objects.get(email=email))}/"


def test_one_click_is_a_post_without_login_and_token() -> None:
    make_mailing(None, ADA, BOB)
    client = Client(enforce_csrf_checks=True)
    for _time in range(2):
        response = client.post(way_out(), "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
        assert (response.status_code, f"{ADA} will get no more" in response.content.decode()) == (200, True)
    send(MONDAY)
    assert [to for to, _subject in sent()] == [BOB]


def test_the_address_also_works_without_its_last_slash() -> None:
    make_mailing()
    response = Client().post(way_out().rstrip("/"), "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
    assert response.status_code == 200
    send(MONDAY)
    assert sent() == []


def test_an_old_mail_unsubscribes_an_address_that_was_removed_and_added_again() -> None:
    mailing = make_mailing(None, ADA, BOB)
    old = way_out()
    set_addresses(mailing, [BOB], NOW)
    assert Client().post(old).status_code == 404
    set_addresses(mailing, [ADA, BOB], NOW)
    assert Client().post(old).status_code == 200
    send(MONDAY)
    assert [to for to, _subject in sent()] == [BOB]


def test_tokens_of_old_keys_and_of_old_versions_unsubscribe(settings: Any) -> None:
    make_mailing(None, ADA, BOB)
    rotated = way_out()
    old = signing.Signer(salt="stats_app.unsubscribe", sep=".").sign(str(MailingAddress.objects.get(email=BOB).pk))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    for url in (rotated, f"/stats/unsubscribe/{old}/"):
        assert Client().post(url).status_code == 200
    assert not MailingAddress.objects.filter(unsubscribed_at=None).exists()


def test_a_get_asks_and_changes_nothing() -> None:
    make_mailing(None, language="fr")
    response = Client().get(way_out())
    shown = response.content.decode()
    assert (response.status_code, '<form method="post" action=""' in shown, "Se désabonner" in shown) == (
        200,
        True,
        True,
    )
    assert MailingAddress.objects.get().unsubscribed_at is None
    for name, value in (("Cache-Control", "private, no-store"), ("Referrer-Policy", "no-referrer")):
        assert response.headers[name] == value
    assert (response.headers["X-Robots-Tag"], response.headers["Content-Security-Policy"]) == ("noindex", POLICY)
    assert [
        one
        for one in re.findall(r'(?:href|action)="([^"]*)"', shown)
        if one and one[0] != "#" and "/static/" not in one
    ] == []


def test_a_wrong_token_is_a_404() -> None:
    make_mailing(None, ADA, BOB)
    good = way_out()
    token = good.split("/")[3]
    foreign = subscriptions.token_of(MailingAddress(mailing_id=999, email=ADA))
    for wrong in (token[:-1], f"{token}x", token.replace(token.split(".")[0], "2", 1) + "y", "x", foreign, "1.é"):
        for response in (Client().get(f"/stats/unsubscribe/{wrong}/"), Client().post(f"/stats/unsubscribe/{wrong}/")):
            assert response.status_code == 404, wrong
    set_addresses(Mailing.objects.get(), [BOB], NOW)
    assert Client().post(good).status_code == 404
    assert not MailingAddress.objects.exclude(unsubscribed_at=None).exists()


# --- in the admin


def form(workspace: Workspace, **values: Any) -> dict[str, Any]:
    return {
        "workspace": workspace.pk,
        "every": "week",
        "language": "en",
        "emails": f"{ADA}\n{BOB}",
        "is_active": "on",
    } | values


def test_staff_make_one_in_the_admin() -> None:
    workspace = make_workspace()
    staff = login("view_mailing", "add_mailing", "change_mailing", "view_workspace")
    response = staff.post(admin_address("mailing", "add"), form(workspace, emails=f" Ada@Example.com;{BOB}, {ADA}\n"))
    assert response.status_code == 302
    mailing = Mailing.objects.get()
    assert [(row.email, row.sends_from) for row in mailing.addresses.all()] == [(ADA, NOW.date()), (BOB, NOW.date())]
    staff.post(admin_address("mailing", "change", mailing), form(workspace, emails=EVE, every="month"))
    mailing.refresh_from_db()
    assert ([row.email for row in mailing.addresses.all()], mailing.every) == ([EVE], "month")


def test_a_new_interval_begins_with_the_current_period() -> None:
    mailing = make_mailing(every="month")
    with time_machine.travel(at("2026-04-29"), tick=False):
        superuser().post(admin_address("mailing", "change", mailing), form(mailing.workspace, emails=ADA))
    send("2026-04-30")
    assert sent() == []
    send("2026-05-04")
    assert sent() == [(ADA, "Acme, 27 April – 3 May 2026: 0 clicks")]


@pytest.mark.parametrize(
    ("emails", "message"),
    [
        ("nobody", "“nobody” is not an e-mail address."),
        (
            "Élodie@société.example",
            "“élodie@société.example” cannot get mails: many mail servers take only ASCII letters before the @.",
        ),
        (
            f"{ADA}\ninfo@Straße.example",
            "“info@Straße.example”: write the domain in its ASCII form, which begins with xn--.",
        ),
        ("info@παράδειγμας.example", "which begins with xn--"),
        ("\n".join(f"a{n}@b.example" for n in range(501)), "at most 500"),
    ],
)
def test_a_wrong_address_is_named(emails: str, message: str) -> None:
    response = superuser().post(admin_address("mailing", "add"), form(make_workspace(), emails=emails))
    assert message in html.unescape(response.content.decode())
    assert not Mailing.objects.exists()


def test_who_has_unsubscribed_is_not_added_again() -> None:
    mailing = make_mailing()
    Client().post(way_out())
    staff, url = superuser(), admin_address("mailing", "change", mailing)
    assert ADA in page(staff, url)
    assert (
        f"{ADA} has unsubscribed and cannot be added again."
        in staff.post(url, form(mailing.workspace)).content.decode()
    )
    staff.post(url, form(mailing.workspace, emails=BOB))
    assert [row.email for row in mailing.addresses.order_by("email")] == [ADA, BOB]


def test_who_has_unsubscribed_is_not_added_again_by_other_letters() -> None:
    mailing = make_mailing()
    Client().post(way_out())
    set_addresses(mailing, [ADA.upper(), BOB], at(MONDAY))
    addresses = [(row.email, row.unsubscribed_at is None) for row in mailing.addresses.order_by("email")]
    assert addresses == [(ADA, False), (BOB, True)]


def test_one_that_is_switched_on_again_sends_no_old_period() -> None:
    mailing = make_mailing(None, ADA, is_active=False)
    with time_machine.travel(at("2026-04-15"), tick=False):
        superuser().post(admin_address("mailing", "change", mailing), form(mailing.workspace, emails=ADA))
    send("2026-04-15")
    assert sent() == []


@pytest.mark.parametrize("kind", ["html", "txt"])
@pytest.mark.parametrize("exists", [False, True])
def test_the_preview_is_the_mail_and_saves_nothing(kind: str, exists: bool) -> None:
    workspace = busy_workspace()
    mailing = make_mailing(workspace, EVE, every="month") if exists else None
    url = admin_address("mailing", "change", mailing) if mailing else admin_address("mailing", "add")
    staff = superuser()
    assert page(staff, url).count('name="_preview"') == 2
    response = staff.post(url, form(workspace, language="fr", _preview=kind))
    shown = response.content.decode()
    assert (response.status_code, "16–22 mars 2026" in shown, "Se désabonner" in shown) == (200, True, True)
    if kind == "html":
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert (Mailing.objects.filter(language="fr").count(), MailingAddress.objects.count()) == (0, int(exists))
    wrong = staff.post(url, form(workspace, emails="x", _preview=kind))
    assert "is not an e-mail address." in wrong.content.decode()


def test_the_preview_is_for_those_who_may() -> None:
    mailing = make_mailing(busy_workspace())
    staff = login("view_mailing", "view_workspace")
    for url in (admin_address("mailing", "add"), admin_address("mailing", "change", mailing)):
        assert staff.post(url, form(mailing.workspace, _preview="html")).status_code == 403
    assert "_preview" not in page(staff, admin_address("mailing", "change", mailing))
    assert address(mailing.workspace)
