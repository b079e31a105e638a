"""The base class of the commands."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, router, transaction
from django.db.models import Model

from stats_app.database_errors import DATABASE_ERRORS, Kind, kind_of
from stats_app.errors import Refused, UnknownZone, WorkspaceGone
from stats_app.models import Workspace

INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells use it."""

# What an output raises that is full, or that nobody reads any more.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EPIPE, errno.EIO)

_ADVICE: dict[Kind | None, str] = {
    "unreachable": "It must be reachable and migrated (manage.py migrate).",
    "busy": "Other transactions were in the way each time: run the command again.",
    "read_only": "It is read-only: a standby, or a server that was set to read-only.",
    "prepared_statements": "The pooler in front of it does not know prepared statements: set "
    "STATS_APP['PREPARED_STATEMENTS'] = False.",
}


class StatsCommand(BaseCommand):
    """A command that prints one clear line for an error, and the traceback only with `--traceback`."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        if sys.stdout is None and options.get("stdout") is None:
            raise CommandError("Standard output is closed.")
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # for names that the terminal's encoding does not have
        try:
            output: str | None = super().execute(*args, **options)
            self.stdout.flush()  # so that its errors are raised here, and not when Python ends
            return output
        except KeyboardInterrupt as interrupt:
            raise CommandError("Interrupted: run the command again.", returncode=INTERRUPTED) from interrupt
        except UnknownZone as error:
            raise CommandError(error.sentence) from error
        except WorkspaceGone as error:
            raise CommandError("The workspace was deleted meanwhile.") from error
        except OSError as error:
            if not self.drop_failed_output(error):
                raise
            raise CommandError(f"The output is not complete: {error.strerror}.") from error
        except DATABASE_ERRORS as error:
            advice = _ADVICE.get(kind_of(error))
            if advice is None and not isinstance(error, ProgrammingError):
                raise
            reason = str(error).partition("\n")[0].strip()
            raise CommandError(f"The database cannot be used: {reason}. {advice or _ADVICE['unreachable']}") from error

    @contextmanager
    def kept_if_printed(self, model: type[Model]) -> Iterator[None]:
        """A transaction of the model's database, which is rolled back if the output cannot be written. Otherwise there
        could be a key whose secret nobody has seen."""
        with transaction.atomic(using=router.db_for_write(model)):
            yield
            self.stdout.flush()

    def write_file(self, texts: Iterable[str]) -> None:
        """Writes a file to standard output in UTF-8, until it ends or nobody reads it any more."""
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # not the encoding of the terminal
        try:
            for text in texts:
                self.stdout.write(text, ending="")
            self.stdout.flush()
        except BrokenPipeError:  # the program that reads the output, such as `head`, has ended
            self._drop_output()

    def drop_failed_output(self, error: OSError) -> bool:
        """Drops standard output if the error is that of writing to it. Returns whether it is."""
        if error.errno not in _OUTPUT_ERRORS or error.filename:
            return False
        self._drop_output()
        return True

    def _drop_output(self) -> None:
        """Leads standard output nowhere. Without this, Python would fail once more when it flushes the rest."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())

    def report_each(self, workspaces: Iterable[Workspace], report: Callable[[Workspace], Iterable[str]]) -> int:
        """Prints the lines of `report` for each workspace, or its error, which does not stop the others. Returns the
        number of workspaces with an error. A workspace that has just been deleted is not an error."""
        failed = 0
        for workspace in workspaces:
            try:
                for line in report(workspace):
                    self._say_of(workspace, line)
            except (Refused, UnknownZone) as error:
                failed += 1
                self._say_of(workspace, error.sentence if isinstance(error, UnknownZone) else str(error))
            except WorkspaceGone:
                self._say_of(workspace, "it was deleted meanwhile.")
        return failed

    def _say_of(self, workspace: Workspace, line: str) -> None:
        self.stdout.write(f"{workspace.public_id} {workspace}: {line}")
