from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from stats_app.management.arguments import user_of
from stats_app.management.command import StatsCommand
from stats_app.user_exports import export_user


class Command(StatsCommand):
    help = "Write everything that is stored about one person to standard output, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="PUBLIC_ID", help="usr_...")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_of(options["user"])
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # not the encoding of the terminal
        for text in export_user(user, now=now()):
            self.stdout.write(text, ending="")
