"""A process of its own that runs `send_mailings` against a mail server of the test, at noon of a day.

    python -m tests.concurrency.mail_sender DATABASE PORT DAY

It says "ready" and waits for a line, so that all processes begin together.
"""

from __future__ import annotations

import sys

from tests.concurrency.processes import say, set_up


def main(database: str, port: str, day: str) -> None:
    set_up(database)

    import time_machine
    from django.conf import settings
    from django.core.management import call_command

    from tests.dashboard_cast import at

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(port)
    settings.STATS_APP = {"BASE_URL": "https://stats.example"}
    say("ready")
    sys.stdin.readline()
    with time_machine.travel(at(day), tick=True):
        call_command("send_mailings")


if __name__ == "__main__":
    main(*sys.argv[1:])
