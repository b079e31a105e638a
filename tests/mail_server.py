"""A real SMTP server for tests, in a thread. It stores the mails it gets, and can fail on purpose."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.core import mail
from django.test import override_settings


class Keeping:
    """Takes mails. `refused` recipients get `refusal`, each mail takes `seconds`, and after `last` mails it is gone.

    `torn` mails are taken, and then the connection is torn before the server says so. After `most` mails over one
    connection it ends the connection. `raw` are the mails as they were sent.
    """

    def __init__(
        self,
        *,
        refused: tuple[str, ...] = (),
        refusal: str = "550 5.1.1 No such user here",
        seconds: float = 0,
        last: int | None = None,
        torn: int = 0,
        most: int | None = None,
    ):
        self.refused, self.refusal = refused, refusal
        self.seconds, self.last, self.torn, self.most = seconds, last, torn, most
        self.raw: list[bytes] = []
        self.taken: list[tuple[str, EmailMessage]] = []
        self.tried: list[str] = []
        self.connections = 0

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:
        self.connections += 1
        session.host_name = name
        session.mails = 0
        return answers

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.most is not None and session.mails >= self.most:
            return "421 4.7.0 Too many messages over this connection"
        session.mails += 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.tried.append(address)
        if address in self.refused:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.seconds)
        if self.last is not None and len(self.taken) >= self.last:
            server.transport.abort()
            return "421 gone"
        self.raw.append(envelope.content)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        if self.torn:
            self.torn -= 1
            server.transport.abort()
        return "250 OK"

    @property
    def to(self) -> list[str]:
        return [address for address, _message in self.taken]


def mails_go_to(port: int, timeout: float | None = None) -> override_settings:
    """Settings by which Django sends mails to a port of this machine."""
    backend = "django.core.mail.backends.smtp.EmailBackend"
    if hasattr(mail, "mailers"):  # from Django 6.1 on
        options = {"host": "127.0.0.1", "port": port, "timeout": timeout}
        return override_settings(MAILERS={"default": {"BACKEND": backend, "OPTIONS": options}})
    return override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, EMAIL_TIMEOUT=timeout)


@contextmanager
def mail_server(timeout: float | None = None, **values: Any) -> Iterator[Keeping]:
    """Django's mails go to it meanwhile."""
    keeping = Keeping(**values)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(keeping, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with mails_go_to(port, timeout):
            yield keeping
    finally:
        controller.stop(no_assert=True)
