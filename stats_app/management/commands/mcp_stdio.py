from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandError

from stats_app.errors import NotAuthenticated
from stats_app.management.command import INTERRUPTED, StatsCommand
from stats_app.mcp import INSTALL, PACKAGE, is_installed

VARIABLE = "STATS_API_KEY"


class Command(StatsCommand):
    help = f"Serve MCP over standard input and output, for the workspace of the API key in {VARIABLE}."

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_installed():
            raise CommandError(f"The package {PACKAGE}, is not installed: {INSTALL}")
        from stats_app.mcp import stdio

        try:
            stdio.serve(os.environ.get(VARIABLE, ""))
        except NotAuthenticated:
            raise CommandError(f"Set {VARIABLE} to a valid API key.") from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
