from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import NoReverseMatch
from django.utils.timezone import now

from stats_app.errors import Refused
from stats_app.mailings import Due, due_mails, send_due
from stats_app.management.command import StatsCommand
from stats_app.sql.sole_run import LostLock

NAMED = 3
"""The most failed mails that the error names."""


class Command(StatsCommand):
    help = (
        "Send the mails that are due. Each address gets each week or month once, even if two runs start at the same "
        "time or a run crashes. Exits with 1 if a mail could not be sent; the next run tries it again, or the first "
        "run after a day if the mail server goes on refusing the address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be sent")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._say_what_is_due()
            return
        try:
            outcome = send_due(now(), told=self._told if options["verbosity"] > 1 else lambda due, error: None)
        except (Refused, LostLock) as error:
            raise CommandError(str(error)) from None
        except NoReverseMatch:
            raise CommandError("Mails link to the staff pages: include stats_app.dashboard.urls.") from None
        if not outcome.was_alone:
            self.stdout.write("Another run is already sending: it sends all mails that are due.")
            return
        self.stdout.write(f"{outcome.sent} mail(s) sent.")
        faults = []
        if outcome.failed:
            named = "; ".join(f"{due.address.email} ({error})" for due, error in outcome.failed[:NAMED])
            more = len(outcome.failed) - NAMED
            faults.append(
                f"{len(outcome.failed)} mail(s) could not be sent: {named}{f' and {more} more' if more > 0 else ''}."
            )
        if outcome.stopped:
            faults.append(f"The mail server cannot be reached: {outcome.stopped}.")
        waiting = sum(due.address.waits_until is not None for due, _error in outcome.failed)
        if waiting:
            faults.append(f"{waiting} of these addresses were refused for good; they are tried again after a day.")
        if outcome.stopped or waiting < len(outcome.failed):
            faults.append("The next run tries again.")
        if faults := [*faults, *outcome.unknown_zones]:
            raise CommandError(" ".join(faults))

    def _say_what_is_due(self) -> None:
        unknown_zones: list[str] = []
        waiting = due_mails(now(), unknown_zones)
        for due in waiting:
            self.stdout.write(str(due))
        for sentence in unknown_zones:
            self.stdout.write(sentence)
        self.stdout.write(f"{len(waiting)} mail(s) would be sent.")

    def _told(self, due: Due, error: str) -> None:
        self.stdout.write(f"{due} {error or 'sent'}")
