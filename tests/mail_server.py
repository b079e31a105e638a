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
from django.test import override_settings


class Keeping:
    """Takes mails. `refused` recipients get `refusal`, each mail takes `seconds`, and after `last` mails it is gone.

    `torn` mails are taken, and then the connection is torn before the server says so.
    """

    def __init__(
        self,
        *,
        refused: tuple[str, ...] = (),
        refusal: str = "550 5.1.1 No such user here",
        seconds: float = 0,
        last: int | None = None,
        torn: int = 0,
    ):
        self.refused, self.refusal = refused, refusal
        self.seconds, self.last, self.torn = seconds, last, torn
        self.taken: list[tuple[str, EmailMessage]] = []
        self.tried: list[str] = []
        self.connections = 0

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:
        self.connections += 1
        session.host_name = name
        return answers

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
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        if self.torn:
            self.torn -= 1
            server.transport.abort()
        return "250 OK"

    @property
    def to(self) -> list[str]:
        return [address for address, _message in self.taken]


@contextmanager
def mail_server(**values: Any) -> Iterator[Keeping]:
    """Django's mails go to it meanwhile."""
    keeping = Keeping(**values)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(keeping, hostname="127.0.0.1", port=port)
    controller.start()
    backend = "django.core.mail.backends.smtp.EmailBackend"
    try:
        with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port):
            yield keeping
    finally:
        controller.stop(no_assert=True)
