from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from stats_app.erasures import erase_user
from stats_app.management.arguments import user_of
from stats_app.management.command import StatsCommand
from stats_app.periods import format_time


class Command(StatsCommand):
    help = (
        "Erase a person: name, e-mails, aliases and external id are deleted, and no import adds them again. The counts "
        "stay. This cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="PUBLIC_ID", help="usr_...")
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and erase nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_of(options["user"])
        if user.erased_at is not None:
            at = format_time(user.erased_at)
            self.stdout.write(f"{user.public_id} was erased at {at}; there is nothing left to erase.")
            return
        erased = erase_user(user, now=now(), dry_run=options["dry_run"])
        numbers = ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in erased._asdict().items())
        would = "would be erased" if options["dry_run"] else "was erased"
        self.stdout.write(f"{user.public_id} {would}; the counts stay. Erased with it: {numbers}.")
