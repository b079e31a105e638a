from __future__ import annotations

import os
import sys
from io import TextIOWrapper
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
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # not the encoding of the terminal
        try:
            for text in export_clicks(workspace, start, end, form=options["format"]):
                self.stdout.write(text, ending="")
            self.stdout.flush()
        except BrokenPipeError:
            # The reading program has ended, such as `head`. Without this, Python would flush the rest and fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
