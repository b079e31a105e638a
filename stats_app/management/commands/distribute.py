from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import router

from stats_app.distribution import SHARDS, distribute, machines
from stats_app.errors import Refused
from stats_app.management.command import StatsCommand
from stats_app.models import Click


class Command(StatsCommand):
    help = (
        "Spread clicks and counts over the machines of a Citus cluster, by workspace. Run it on the coordinator after "
        "migrate, and again after a migration that adds tables; tables that are in place are not moved."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument(
            "--shards",
            type=int,
            default=SHARDS,
            metavar="N",
            help="the number of shards of clicks, which is the most machines that they can be spread over; "
            "default %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        shards = options["shards"]
        if not 1 <= shards <= 1024:
            raise CommandError(f"--shards must be from 1 to 1024, not {shards}.")
        using = router.db_for_write(Click)
        number = 0
        try:
            for line in distribute(using, shards, dry_run=options["dry_run"]):
                number += 1
                self.stdout.write(line)
        except Refused as error:
            raise CommandError(str(error)) from None
        if not number:
            self.stdout.write("Every table is in its place.")
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
        else:
            self.stdout.write(f"Clicks are spread over {machines(using)} machine(s).")
