from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app.errors import Refused, UnknownZone, WorkspaceGone
from stats_app.management.arguments import date_of, workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
from stats_app.models import Workspace
from stats_app.reclassification import Reclassified, reclassify


class Command(StatsCommand):
    help = (
        "Judge the stored clicks again by today's rules, from their stored reasons and visitors, and update the "
        "counts, also while clicks come in. An interrupted run can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="PUBLIC_ID", help="only this one; default: all")
        parser.add_argument(
            "--from", metavar="DATE", dest="start", help="first local day, as Y-m-d; default: the first that is kept"
        )
        parser.add_argument("--to", metavar="DATE", dest="end", help="last local day, included; default: the last")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = date_of("--from", options["start"]), date_of("--to", options["end"])
        if start and end and start > end:
            raise CommandError(f"--from {start} is after --to {end}.")
        dry_run, refused = options["dry_run"], 0
        for workspace in workspaces_of(options["workspace"]):
            try:
                with ProgressBar(self.stderr, None, "clicks", quiet=options["verbosity"] < 1) as progress:
                    done = reclassify(workspace, start, end, dry_run=dry_run, progress=progress)
            except (Refused, UnknownZone) as error:
                refused += 1
                text = error.sentence if isinstance(error, UnknownZone) else str(error)
                self.stdout.write(f"{workspace.public_id} {workspace}: {text}")
            except WorkspaceGone:
                self.stdout.write(f"{workspace.public_id} {workspace}: it was deleted meanwhile.")
            else:
                self._say(workspace, done, dry_run)
        if refused:
            raise CommandError(f"The clicks of {refused} workspace(s) could not be judged again.")

    def _say(self, workspace: Workspace, done: Reclassified, dry_run: bool) -> None:
        moves = ", ".join(_move(*move, number) for move, number in sorted(done.moved.items()))
        would = "would move" if dry_run else "moved"
        self.stdout.write(f"{workspace.public_id} {workspace}: {moves or 'no click'} {would}.")


def _move(before: str, after: str, number: int) -> str:
    return f"{number:,} from {before} to {'another reason' if before == after else after}"
