from __future__ import annotations

import errno
from contextlib import ExitStack
from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app import imports
from stats_app.errors import FieldError, UnknownZone, printable
from stats_app.management.arguments import workspace_of
from stats_app.management.command import INTERRUPTED, StatsCommand
from stats_app.management.files import SHOWN, add_file_arguments, check_different, clause, source_of, summary
from stats_app.management.progress import ProgressBar
from stats_app.models import Workspace


class Command(StatsCommand):
    help = (
        "Import clicks from a file of any size. Importing the same file again counts nothing twice, so an interrupted "
        "run can be repeated. docs/import.md shows files of other systems."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_file_arguments(parser, imports.FORMATS, imports.NAMES)
        parser.add_argument(
            "--only", action="append", default=[], metavar="COLUMN=VALUE", help="only these rows; may be repeated"
        )
        parser.add_argument(
            "--date-format", metavar="FORMAT", help="the form of times: a strptime format, unix or unix-ms"
        )
        parser.add_argument(
            "--timezone", metavar="ZONE", help="the zone of times without an offset, such as Europe/Paris"
        )
        parser.add_argument(
            "--prefix", metavar="PATH", help="the path before the tokens of tracked links in a log; default /c/"
        )
        parser.add_argument(
            "--status",
            action="append",
            type=int,
            default=[],
            choices=sorted(imports.REDIRECTS),
            help="the status codes of followed links in a log; may be repeated; default: all of these",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_of(options["workspace"])
        name, rejects = options["file"], options["rejects"]
        read_as = imports.ReadAs(
            workspace.public_id,
            options["format"] or imports.format_of(name),
            options["map"],
            options["only"],
            options["date_format"],
            options["timezone"],
            options["prefix"],
            options["status"],
        )
        dry_run = options["dry_run"]
        self.imported = imports.Imported()
        try:
            with ExitStack() as stack:
                check_different(name, rejects)
                source = stack.enter_context(source_of(name))
                rows = imports.rows_of(source, read_as)
                kept = stack.enter_context(imports.Rejects(rejects)) if rejects else None
                progress = ProgressBar(self.stderr, None, "lines", quiet=options["verbosity"] < 1)
                self._import(workspace, source, rows, kept, stack.enter_context(progress), dry_run)
        except imports.WrongFile as error:
            raise CommandError(f"{error}{self._so_far(dry_run)}") from None
        except UnknownZone as error:
            raise CommandError(f"{error.sentence}{self._so_far(dry_run)}") from None
        except OSError as error:
            # EIO is mostly an error of reading the file.
            is_of_output = error.errno != errno.EIO and self.drop_failed_output(error)
            about = "The output" if is_of_output else error.filename or name
            raise CommandError(f"{about}: {error.strerror or error}.{self._so_far(dry_run)}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted.{self._so_far(dry_run)}", returncode=INTERRUPTED) from None
        self._say(rows, dry_run)

    def _import(
        self,
        workspace: Workspace,
        source: imports.Source,
        rows: imports.Rows,
        kept: imports.Rejects | None,
        progress: ProgressBar,
        dry_run: bool,
    ) -> None:
        shown = 0

        def reject(row: imports.Row, error: FieldError) -> None:
            nonlocal shown
            shown += 1
            if shown <= SHOWN:
                self.stdout.write(f"Line {row.number}{clause(error)}")
            if kept is not None:
                kept.add(rows, row)

        def advance(imported: imports.Imported) -> None:
            self.imported = imported
            progress(imported.rows, source.share)

        self.imported = imports.import_clicks(workspace, rows, rejected=reject, progress=advance, dry_run=dry_run)

    def _say(self, rows: imports.Rows, dry_run: bool) -> None:
        imported = self.imported
        if imported.rejected > SHOWN:
            self.stdout.write(f"... and {imported.rejected - SHOWN:,} more wrong lines.")
        if rows.unread:
            self.stdout.write(f"Not read: {', '.join(map(printable, rows.unread))}.")
        numbers = {
            "accepted": imported.accepted,
            "duplicates": imported.duplicates,
            "rejected": imported.rejected,
            "skipped": imported.skipped or None,
            "other links": imported.unknown_links or None,
        }
        self.stdout.write(f"{'Nothing was stored; it would be ' if dry_run else ''}{summary(numbers)}.")

    def _so_far(self, dry_run: bool) -> str:
        """A sentence about a run that ended early: whether clicks were stored."""
        imported = self.imported
        if dry_run or not imported.rows:
            return ""
        return f" {imported.accepted:,} clicks were stored before; run it again, and they are not counted twice."
