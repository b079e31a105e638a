"""Simultaneous and killed runs of `send_mailings`: everybody gets each period exactly once."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import pytest
from django.conf import settings

from stats_app.models import Mailing, MailingDelivery
from tests.concurrency.processes import PATIENCE, Process, ask, outputs_at_once, running
from tests.dashboard_cast import NOW
from tests.factories import make_workspace, set_addresses
from tests.mail_server import Keeping, mail_server

MONDAY = "2026-03-30"
EMAILS = [f"{number}@example.com" for number in range(12)]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _mailing() -> None:
    set_addresses(Mailing.objects.create(workspace=make_workspace()), EMAILS, NOW)


def senders(number: int) -> AbstractContextManager[list[Process]]:
    return running("mail_sender", [(settings.EMAIL_PORT, MONDAY)] * number)


def wait_for(server: Keeping, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(server.taken) < number:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_of_several_runs_at_once_one_sends_everything_once() -> None:
    with mail_server(seconds=0.1) as server, senders(3) as processes:
        outputs = outputs_at_once(processes)
    assert sorted(server.to) == sorted(EMAILS)
    assert MailingDelivery.objects.exclude(sent_at=None).count() == len(EMAILS)
    # Runs that started during another run ended at once; runs after it found nothing to send.
    assert "12 mail(s) sent.\n" in outputs
    assert {*outputs} <= {
        "12 mail(s) sent.\n",
        "0 mail(s) sent.\n",
        "Another run is already sending: it sends all mails that are due.\n",
    }


def test_a_run_that_is_killed_leaves_the_rest_to_the_next_one_at_once() -> None:
    with mail_server(seconds=0.2) as server, senders(2) as (killed, other):
        ask(killed, "go")
        wait_for(server, 4)
        ask(other, "go")
        assert (
            other.communicate(timeout=PATIENCE)[0]
            == "Another run is already sending: it sends all mails that are due.\n"
        )
        killed.kill()
        killed.communicate()
        # The server's answer to the current mail was not read, so this mail, and no other, may be sent again.
        noted = MailingDelivery.objects.exclude(sent_at=None).count()
        time.sleep(0.5)
        in_doubt = len(server.taken) - noted
        with senders(1) as processes:
            [output] = outputs_at_once(processes)
    assert output == f"{len(EMAILS) - noted} mail(s) sent.\n"
    assert (in_doubt in (0, 1), noted >= 3) == (True, True)
    assert {*server.to} == {*EMAILS}
    assert len(server.to) == len(EMAILS) + in_doubt
    ids = [message["Message-ID"] for _to, message in server.taken]
    assert len({*ids}) == len(EMAILS)
