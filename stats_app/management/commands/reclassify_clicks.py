from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app.management.arguments import add_days, add_workspace, days_of, workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
from stats_app.models import Workspace
from stats_app.reclassification import reclassify


class Command(StatsCommand):
    help = (
        "Judge the stored clicks again by today's rules, from their stored reasons and visitors, and update the "
        "counts, also while clicks come in. An interrupted run can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)
        add_days(parser, "the first that is kept")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = days_of(options)
        dry_run = options["dry_run"]

        def judge(workspace: Workspace) -> Iterator[str]:
            with ProgressBar(self.stderr, None, "clicks", quiet=options["verbosity"] < 1) as progress:
                done = reclassify(workspace, start, end, dry_run=dry_run, progress=progress)
            moves = ", ".join(_move(*move, number) for move, number in sorted(done.moved.items()))
            yield f"{moves or 'no click'} {'would move' if dry_run else 'moved'}."

        if failed := self.report_each(workspaces_of(options["workspace"]), judge):
            raise CommandError(f"The clicks of {failed} workspace(s) could not be judged again.")


def _move(before: str, after: str, number: int) -> str:
    return f"{number:,} from {before} to {'another reason' if before == after else after}"
