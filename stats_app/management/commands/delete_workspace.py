from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from stats_app.management.arguments import workspace_of
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
from stats_app.models import Workspace
from stats_app.removal import count_rows, delete_workspace


class Command(StatsCommand):
    help = (
        "Delete a workspace with everything in it: people, campaigns, links, clicks, counts, API keys and audit log. "
        "It becomes inactive first. An interrupted run can be repeated. This cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", metavar="PUBLIC_ID")
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_of(options["workspace"])
        name = f"{workspace.public_id} {workspace}"
        if options["dry_run"]:
            self.stdout.write(f"{name}: {_rows(count_rows(workspace))} would be deleted.")
            return
        if not options["yes"] and sys.stdin is not None and sys.stdin.isatty():
            self._ask(workspace)
        try:
            with ProgressBar(self.stderr, None, "rows", quiet=options["verbosity"] < 1) as progress:
                deleted = delete_workspace(workspace, progress=progress)
        except IntegrityError:
            raise CommandError("Rows were added during the run each time: run the command again.") from None
        self.stdout.write(f"{name}: deleted, with {_rows(deleted)}.")

    def _ask(self, workspace: Workspace) -> None:
        self.stdout.write(f"{workspace} will be deleted with {_rows(count_rows(workspace))}. This cannot be undone.")
        self.stdout.write("Type its public id to go on.")
        if sys.stdin.readline().strip() != workspace.public_id:
            raise CommandError("Nothing was deleted: the public id was not typed.")


def _rows(numbers: Mapping[str, int]) -> str:
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(numbers.items()))
    return f"{sum(numbers.values()):,} row(s){f' ({kinds})' if kinds else ''}"
