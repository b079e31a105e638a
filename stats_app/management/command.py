"""The base class of the commands."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, ProgrammingError

from stats_app.database_errors import Kind, kind_of

_ADVICE: dict[Kind | None, str] = {
    "unreachable": "It has to be reachable, and migrated (manage.py migrate).",
    "busy": "Others were in the way each time: run the command again.",
    "read_only": "It is read-only: a standby, or a server that protects itself.",
    "prepared_statements": "The pooler in front of it does not know prepared statements: set "
    "STATS_APP['PREPARED_STATEMENTS'] = False.",
}


class StatsCommand(BaseCommand):
    """A command that prints one clear line for an error, and the traceback only with `--traceback`."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (DatabaseError, InterfaceError) as error:
            advice = _ADVICE.get(kind_of(error))
            if advice is None and not isinstance(error, ProgrammingError):
                raise
            reason = str(error).partition("\n")[0].strip()
            raise CommandError(f"The database cannot be used: {reason}. {advice or _ADVICE['unreachable']}") from error
