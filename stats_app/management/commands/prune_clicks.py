from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import now

from stats_app.errors import Refused, UnknownZone, WorkspaceGone
from stats_app.management.arguments import date_of, workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
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
        parser.add_argument("--workspace", metavar="PUBLIC_ID", help="only this one; default: all")
        parser.add_argument("--dry-run", action="store_true", help="say how many there are, and delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        before, moment, dry_run = date_of("--before", options["before"]), now(), options["dry_run"]
        refused = 0
        for workspace in workspaces_of(options["workspace"]):
            quiet = options["verbosity"] < 1
            try:
                if dry_run:
                    clicks = prunable_clicks(workspace, before, now=moment)
                else:
                    with ProgressBar(self.stderr, None, "clicks", quiet=quiet) as progress:
                        clicks = prune_clicks(workspace, before, now=moment, progress=progress)
            except (Refused, UnknownZone) as error:
                refused += 1
                text = error.sentence if isinstance(error, UnknownZone) else str(error)
                self.stdout.write(f"{workspace.public_id} {workspace}: {text}")
            except WorkspaceGone:
                self.stdout.write(f"{workspace.public_id} {workspace}: it was deleted meanwhile.")
            else:
                would = "would be deleted" if dry_run else "deleted; their counts stay"
                self.stdout.write(f"{workspace.public_id} {workspace}: {clicks:,} click(s) before {before} {would}.")
        if refused:
            raise CommandError(f"The clicks of {refused} workspace(s) could not be pruned.")
