from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app.errors import UnknownZone
from stats_app.management.arguments import workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.rollups import check


class Command(StatsCommand):
    help = "Compare the stored counts with the clicks. Exits with 1 and names each difference when there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="PUBLIC_ID", help="only this one; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        workspaces = workspaces_of(options["workspace"])
        differences = unknown_zones = 0
        for workspace in workspaces:
            try:
                for difference in check(workspace):
                    differences += 1
                    self.stdout.write(f"{workspace.public_id} {workspace}: {difference}")
            except UnknownZone as error:
                unknown_zones += 1
                self.stdout.write(f"{workspace.public_id} {workspace}: {error.sentence}")
        found = []
        if differences:
            found.append(
                f"{differences} difference(s); rebuild_rollups recounts. After an update of the time zone data, "
                "differences are expected in zones whose rules have changed."
            )
        if unknown_zones:
            found.append(f"{unknown_zones} workspace(s) could not be checked.")
        if found:
            raise CommandError(" ".join(found))
        self.stdout.write(f"The counts of {len(workspaces)} workspace(s) agree with the clicks.")
