from __future__ import annotations

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
        self.write_file(export_user(user_of(options["user"]), now=now()))
