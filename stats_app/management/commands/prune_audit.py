from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from stats_app.errors import Refused
from stats_app.management.arguments import date_of
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
from stats_app.pruning import prunable_calls, prune_audit


class Command(StatsCommand):
    help = "Delete the rows of the audit log before a date. An interrupted run can be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before", metavar="DATE", required=True, help="first day in UTC whose rows are kept, as Y-m-d"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many would be deleted, and delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        before, now = date_of("--before", options["before"]), timezone.now()
        try:
            if options["dry_run"]:
                calls = prunable_calls(before, now=now)
            else:
                with ProgressBar(self.stderr, None, "tool calls", quiet=options["verbosity"] < 1) as progress:
                    calls = prune_audit(before, now=now, progress=progress)
        except Refused as error:
            raise CommandError(str(error)) from None
        would = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{calls:,} tool call(s) before {before} {would}.")
