from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from stats_app.management.arguments import add_workspace, date_of, workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
from stats_app.models import Workspace
from stats_app.pruning import prunable_clicks, prune_clicks


class Command(StatsCommand):
    help = (
        "Delete the single clicks before a date; their counts stay, and no answer changes. New clicks of these days "
        "are refused, and the days cannot be recounted. An interrupted run can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before", metavar="DATE", required=True, help="first local day whose clicks are kept, as Y-m-d"
        )
        add_workspace(parser)
        parser.add_argument("--dry-run", action="store_true", help="say how many would be deleted, and delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        before, now, dry_run = date_of("--before", options["before"]), timezone.now(), options["dry_run"]

        def prune(workspace: Workspace) -> Iterator[str]:
            if dry_run:
                clicks = prunable_clicks(workspace, before, now=now)
                yield f"{clicks:,} click(s) before {before} would be deleted."
                return
            with ProgressBar(self.stderr, None, "clicks", quiet=options["verbosity"] < 1) as progress:
                clicks = prune_clicks(workspace, before, now=now, progress=progress)
            yield f"{clicks:,} click(s) before {before} deleted; their counts stay."

        if failed := self.report_each(workspaces_of(options["workspace"]), prune):
            raise CommandError(f"The clicks of {failed} workspace(s) could not be pruned.")
