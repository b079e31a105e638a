from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app.management.arguments import add_workspace, workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.models import Workspace
from stats_app.rollups import check


class Command(StatsCommand):
    help = "Compare the stored counts with the clicks. Exits with 1 and names each difference when there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        workspaces = workspaces_of(options["workspace"])
        differences = 0

        def compare(workspace: Workspace) -> Iterator[str]:
            nonlocal differences
            for difference in check(workspace):
                differences += 1
                yield str(difference)

        failed = self.report_each(workspaces, compare)
        faults = []
        if differences:
            faults.append(
                f"{differences} difference(s); rebuild_rollups recounts. After an update of the time zone data, "
                "differences are expected in zones whose rules have changed."
            )
        if failed:
            faults.append(f"{failed} workspace(s) could not be checked.")
        if faults:
            raise CommandError(" ".join(faults))
        self.stdout.write(f"The counts of {len(workspaces)} workspace(s) agree with the clicks.")
