from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app.management.arguments import add_days, add_workspace, days_of, workspaces_of
from stats_app.management.command import StatsCommand
from stats_app.models import Workspace
from stats_app.rollups import rebuild


class Command(StatsCommand):
    help = "Recount the clicks, also while clicks come in. An interrupted run can be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        add_workspace(parser)
        add_days(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = days_of(options)

        def recount(workspace: Workspace) -> Iterator[str]:
            days = rebuild(workspace, start, end)
            yield f"{days} day(s) recounted{_kept(workspace, start)}."

        if failed := self.report_each(workspaces_of(options["workspace"]), recount):
            raise CommandError(f"{failed} workspace(s) could not be recounted.")


def _kept(workspace: Workspace, start: date | None) -> str:
    """A clause about days that could not be recounted, if there are any."""
    kept_from = Workspace.objects.filter(pk=workspace.pk).values_list("clicks_kept_from", flat=True).first()
    return "" if start or kept_from is None else f"; those before {kept_from} stay, as their clicks are pruned"
