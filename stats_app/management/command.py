"""The base of the commands."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError


class StatsCommand(BaseCommand):
    """A command that ends with one clear line where Django's would end with a traceback (`--traceback` shows it)."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            reason = str(error).partition("\n")[0].strip()
            raise CommandError(
                f"The database cannot be used: {reason}. It has to be reachable, and migrated (manage.py migrate)."
            ) from error
