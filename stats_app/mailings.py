"""Mailings: sending each due period once to each address.

Everybody gets each period exactly once. Only one run sends at a time (`sole_run`), and it stores each mail as sent as
soon as the mail server has accepted it. A mail is only in doubt if the process is killed between these two steps, or if
the server accepts the mail and fails before it answers. Such a mail is sent again with the same Message-ID, by which
mail systems recognize the copy.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connections, router
from django.db.models import F, Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from stats_app.conf import conf
from stats_app.database_errors import DATABASE_ERRORS
from stats_app.errors import Refused, UnknownZone, printable
from stats_app.letters import Contents, absolute, contents
from stats_app.locks import tried_again
from stats_app.models import Mailing, MailingAddress, MailingDelivery
from stats_app.periods import ONE_DAY, Period, calendar_period
from stats_app.sql.sole_run import sole_run
from stats_app.subscriptions import active_addresses, token_of

TIMEOUT_SECONDS = 300
"""The timeout if the host does not set EMAIL_TIMEOUT, so that no mail server blocks a run for ever."""

FAILURES_BEFORE_PAUSE = 3
"""An address pauses if the mail server refuses it permanently and this is at least its third failure in a row. Fewer
failures may come from a server that was set up wrongly."""
PAUSE = timedelta(days=1)
"""The length of this pause: frequent mails to addresses that do not exist harm the reputation of the sender."""

_JOB = 1  # identifies this job for `sole_run`
_STORE_DELAYS = (0, 1, 5, 15)  # seconds before each attempt to store the result of a mail
_CLOSING = 421  # the reply of a mail server that ends the connection

logger = logging.getLogger(__name__)


class Due(NamedTuple):
    """A period that is over, and was not yet sent to an address."""

    address: MailingAddress
    period: Period

    def __str__(self) -> str:
        mailing = self.address.mailing
        name = printable(mailing.workspace.name, 40)
        return f"{self.address.email}: {name}, {self.period.start} to {self.period.end} ({mailing.language})"


@dataclass(slots=True)
class Outcome:
    """The result of a run. `stopped` says why it ended early. `was_alone` is false if another run was sending."""

    sent: int = 0
    failed: list[tuple[Due, str]] = field(default_factory=list)
    unknown_zones: list[str] = field(default_factory=list)
    stopped: str = ""
    was_alone: bool = True


def due_mails(now: datetime, unknown_zones: list[str]) -> list[Due]:
    """The due mails. Those of each mailing, and so of each address, begin with the oldest period. Addresses that failed
    come last, so that others need not wait. Addresses that the mail server has refused permanently several times are
    left out until a day has passed.

    Workspaces in a time zone that this machine lacks are named in `unknown_zones`.
    """
    addresses = active_addresses().filter(Q(waits_until=None) | Q(waits_until__lte=now))
    due: list[Due] = []
    for address in addresses:
        workspace = address.mailing.workspace
        try:
            due += [Due(address, period) for period in _periods(address, workspace.today(now))]
        except UnknownZone as error:
            if error.sentence not in unknown_zones:
                unknown_zones.append(error.sentence)
    return sorted(due, key=_place)


def _place(due: Due) -> tuple[int, int, int, date, int]:
    """Where a mail stands in a run. The mails with the same report follow each other, so that it is made once."""
    address = due.address
    return address.failures, address.mailing.workspace_id, address.mailing_id, due.period.start, address.pk


def _periods(address: MailingAddress, today: date) -> Iterator[Period]:
    """The periods that are over, beginning with the one that contains `sends_from`."""
    every: Any = address.mailing.every
    period = calendar_period(every, address.sends_from)
    while period.end < today:
        yield period
        period = calendar_period(every, period.end + ONE_DAY)


def last_period(mailing: Mailing, now: datetime) -> Period:
    """The last period that is over. Raises UnknownZone."""
    every: Any = mailing.every
    running = calendar_period(every, mailing.workspace.today(now))
    return calendar_period(every, running.start - ONE_DAY)


def send_due(now: datetime, *, told: Callable[[Due, str], None] = lambda due, error: None) -> Outcome:
    """Sends the due mails. `told` is called for each mail, with its error if it was not sent.

    Raises Refused if the setting BASE_URL is missing, NoReverseMatch if the host does not include the staff pages, and
    `sole_run.LostLock`.
    """
    using = router.db_for_write(Mailing)
    outcome = Outcome()
    with sole_run(connections[using], _JOB) as hold:
        if hold is None:
            outcome.was_alone = False
            return outcome
        pass_over_inactive(now)
        waiting = due_mails(now, outcome.unknown_zones)
        if waiting and not conf.base_url:
            raise Refused("STATS_APP['BASE_URL'] is not set: mails could not link to the pages.")
        reverse("stats_dashboard:workspaces")  # raises NoReverseMatch, because mails contain this address
        run = _Run(now, using)
        try:
            for due in waiting:
                hold.check()
                error = run.send(due)
                if error is None:
                    continue
                told(due, error)
                if error:
                    outcome.failed.append((due, error))
                else:
                    outcome.sent += 1
        except _Unreachable as error:
            outcome.stopped = str(error)
        finally:
            run.close()
    return outcome


def pass_over_inactive(now: datetime) -> None:
    """Skips the periods that end while a mailing is off or its workspace is inactive, so that they are never sent."""
    using = router.db_for_write(Mailing)
    for mailing in Mailing.objects.using(using).select_related("workspace"):
        if mailing.is_active and mailing.workspace.is_active:
            continue
        try:
            start_anew(mailing, now)
        except UnknownZone:
            continue


def start_anew(mailing: Mailing, now: datetime) -> None:
    """Makes the current period the next one to send. Raises UnknownZone."""
    today = mailing.workspace.today(now)
    using = router.db_for_write(Mailing)
    MailingAddress.objects.using(using).filter(mailing=mailing.pk, sends_from__lt=today).update(sends_from=today)


class _Unreachable(Exception):
    """The mail server cannot be reached at all."""


def _default_connection() -> Any:
    """An unopened connection to the project's mail server. Django 6.1 deprecates `get_connection` for `mailers`."""
    mailers = getattr(mail, "mailers", None)
    return mail.get_connection() if mailers is None else mailers.default


class _Run:
    """One run. It uses the same connection to the mail server until an error, and makes the report of each mailing and
    period once for all addresses."""

    def __init__(self, now: datetime, using: str) -> None:
        self.now, self.using = now, using
        connection = _default_connection()
        if getattr(connection, "timeout", 0) is None:
            connection.timeout = TIMEOUT_SECONDS
        self.connection = connection
        self.handed_over = 0  # mails over this connection
        self.made: tuple[tuple[int, Period], Contents] | None = None
        self.gave_up: set[int] = set()

    def send(self, due: Due) -> str | None:
        """Sends a mail. Returns "" if it was sent, the error if not, and None if it is not due any more."""
        if due.address.pk in self.gave_up:
            return None  # the periods of an address are sent in order
        self._open()
        if not self._note_attempt(due):
            return None
        try:
            message = self._message(due)
        except Exception as error:
            logger.exception("A mail could not be made: %s", due)
            return self._note_failure(due, f"The mail could not be made: {type(error).__name__}")
        try:
            self._hand_over(message)
        except _Unreachable:
            raise
        except Exception as error:
            # The state of the connection is unknown, so the next mail uses a new one.
            self.close()
            return self._note_failure(due, _reason(error), is_final=_is_final(error))
        self._note(lambda: self._sent(due), due)
        return ""

    def _open(self) -> None:
        try:
            self.connection.open()
        except Exception as error:
            self.close()
            raise _Unreachable(_reason(error)) from error

    def _hand_over(self, message: EmailMultiAlternatives) -> None:
        """Hands a mail over to the mail server. If the server has accepted mails over this connection and now ends it,
        over a new one: many servers limit the number of mails over a connection."""
        try:
            sent = self.connection.send_messages([message])
        except Exception as error:
            if self.handed_over == 0 or _code_and_text(error)[0] != _CLOSING:
                raise
            self.close()
            self._open()
            sent = self.connection.send_messages([message])
        if sent == 0:
            raise OSError("The e-mail backend sent nothing.")
        self.handed_over += 1

    def _note_failure(self, due: Due, reason: str, *, is_final: bool = False) -> str:
        self.gave_up.add(due.address.pk)
        waits = is_final and due.address.failures + 1 >= FAILURES_BEFORE_PAUSE
        due.address.waits_until = self.now + PAUSE if waits else None
        self._note(lambda: self._failed(due.address, reason), due)
        return reason

    def close(self) -> None:
        self.handed_over = 0
        try:
            self.connection.close()
        except Exception:
            logger.debug("The connection to the mail server could not be closed", exc_info=True)

    def _message(self, due: Due) -> EmailMultiAlternatives:
        mailing = due.address.mailing
        key = (mailing.pk, due.period)
        if self.made is None or self.made[0] != key:
            self.made = (key, contents(mailing, due.period, self.now))
        return message_to(due.address, due.period, self.made[1])

    def _note_attempt(self, due: Due) -> bool:
        """Stores an attempt. Returns False if the mail was sent, unsubscribed or switched off since the run began."""
        address = due.address
        days: dict[str, Any] = {"first_day": due.period.start, "last_day": due.period.end}
        if not active_addresses().filter(pk=address.pk, sends_from__lte=due.period.end).exists():
            return False
        deliveries = MailingDelivery.objects.using(self.using)
        deliveries.get_or_create(address_id=address.pk, **days)
        return bool(deliveries.filter(address=address.pk, sent_at=None, **days).update(attempts=F("attempts") + 1))

    def _sent(self, due: Due) -> None:
        address = due.address
        delivery = MailingDelivery.objects.using(self.using).filter(
            address=address.pk, first_day=due.period.start, last_day=due.period.end
        )
        delivery.update(sent_at=self.now)
        address.failures = 0  # the same instance is in the address's next due mails
        row = MailingAddress.objects.using(self.using).filter(pk=address.pk)
        row.update(sends_from=due.period.end + ONE_DAY, failures=0, error="", waits_until=None)

    def _failed(self, address: MailingAddress, reason: str) -> None:
        row = MailingAddress.objects.using(self.using).filter(pk=address.pk)
        row.update(failures=F("failures") + 1, error=reason[:300], waits_until=address.waits_until)

    def _note(self, work: Callable[[], None], due: Due) -> None:
        """Stores the result of a mail. Tries again if the database fails, or the mail would be sent a second time."""
        for delay in _STORE_DELAYS:
            time.sleep(delay)
            try:
                tried_again(work, using=self.using)
                return
            except DATABASE_ERRORS as error:
                logger.warning("The result of a mail could not be stored: %s", error)
                failure = error
                if not connections[self.using].in_atomic_block:
                    connections[self.using].close()
        logger.error("The result of this mail could not be stored, so it may be sent again: %s", due)
        raise failure


class _ListUnsubscribe(str):
    """The value of this header, which is sent as it is.

    From Django 6.0 on, Python's `email.policy` folds headers. It would encode a long address by RFC 2047, and mail
    programs would not find it. It leaves the folding to values with these two attributes.
    """

    name = "List-Unsubscribe"

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def message_to(address: MailingAddress, period: Period, made: Contents) -> EmailMultiAlternatives:
    """The mail, with headers for unsubscribing by one click (RFC 8058)."""
    unsubscribe = absolute(reverse("stats_dashboard:unsubscribe", args=[token_of(address)]))
    letter = made.to(unsubscribe)
    parts = f"{address.pk}.{period.start}.{period.end}"
    digest = salted_hmac("stats_app.mailings", parts, algorithm="sha256").hexdigest()[:20]
    message = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        to=[address.email],
        headers={
            "Message-ID": f"<{parts}.{digest}@{urlsplit(conf.base_url or '').hostname or 'localhost'}>",
            "List-Unsubscribe": _ListUnsubscribe(f"<{unsubscribe}>"),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def _is_final(error: BaseException) -> bool:
    """Whether the mail server permanently refuses this mail or its address (RFC 5321, 4.2.1), and not the sender."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= 500


def _code_and_text(error: BaseException) -> tuple[int | str, bytes | str]:
    """The reply of the mail server. Without a code if it is another error."""
    refused: dict[str, tuple[int, bytes]] = getattr(error, "recipients", {})
    for reply in refused.values():
        return reply
    return getattr(error, "smtp_code", ""), getattr(error, "smtp_error", str(error))


def _reason(error: BaseException) -> str:
    """The error of the mail server or of the connection to it."""
    code, text = _code_and_text(error)
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return printable(f"{code} {text}".strip() or type(error).__name__, 200)
