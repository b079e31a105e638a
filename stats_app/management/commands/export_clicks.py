from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from stats_app.exports import FORMATS, export_clicks
from stats_app.management.arguments import add_days, days_of, workspace_of
from stats_app.management.command import StatsCommand


class Command(StatsCommand):
    help = "Write a workspace's clicks to standard output, the oldest first. import_clicks can read the output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="PUBLIC_ID", required=True)
        add_days(parser)
        parser.add_argument("--format", choices=FORMATS, default="csv", help="default csv")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_of(options["workspace"])
        start, end = days_of(options)
        self.write_file(export_clicks(workspace, start, end, form=options["format"]))
