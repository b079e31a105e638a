"""The base class of the commands that import people and campaigns."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from django.core.management.base import CommandError, CommandParser

from stats_app import imports
from stats_app.directory import (
    CREATED,
    FORMATS,
    UPDATED,
    Change,
    DirectoryItem,
    DirectoryResult,
    ItemRow,
    ItemRows,
    file_fields,
    read_items,
)
from stats_app.errors import FieldError, Refused, printable, shown
from stats_app.ingest import Rejection
from stats_app.management.arguments import workspace_of
from stats_app.management.command import INTERRUPTED, StatsCommand
from stats_app.management.files import SHOWN, add_file_arguments, check_different, clause, source_of, summary
from stats_app.models import Workspace


class DirectoryCommand(StatsCommand):
    """Reads a whole file and saves it in one transaction, so that an interrupted run saves nothing."""

    declaration: type[DirectoryItem]

    def save(self, workspace: Workspace, items: list[Any], options: dict[str, Any]) -> DirectoryResult:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        add_file_arguments(parser, FORMATS, file_fields(self.declaration).names)
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and save nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_of(options["workspace"])
        name, rejects = options["file"], options["rejects"]
        try:
            with ExitStack() as stack:
                check_different(name, rejects)
                source = stack.enter_context(source_of(name))
                file_format = options["format"] or imports.format_of(name)
                rows = read_items(source, self.declaration, file_format, options["map"])
                read = list(rows)
                kept = stack.enter_context(imports.Rejects(rejects)) if rejects else None
                result = self.save(workspace, [row.item for row in read], options)
                if kept is not None:
                    for wrong in result.rejected:
                        kept.add(rows, read[wrong.index])
        except imports.WrongFile as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or name}: {error.strerror or error}.") from None
        except Refused as error:
            raise CommandError(f"{error} --force does it anyway.") from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Nothing was saved.", returncode=INTERRUPTED) from None
        self._say(result, rows, read, options["dry_run"])

    def _say(self, result: DirectoryResult, rows: ItemRows, read: list[ItemRow], dry_run: bool) -> None:
        for wrong in result.rejected[:SHOWN]:
            self.stdout.write(f"Line {read[wrong.index].number}{clause(in_words_of_the_file(wrong, rows))}")
        if len(result.rejected) > SHOWN:
            self.stdout.write(f"... and {len(result.rejected) - SHOWN:,} more wrong lines.")
        if dry_run:
            self._say_changes(result, read)
        if rows.unread:
            self.stdout.write(f"Not read: {', '.join(map(printable, rows.unread))}.")
        numbers = {
            "created": result.created,
            "updated": result.updated,
            "unchanged": result.unchanged,
            "rejected": len(result.rejected),
            "made inactive": len(result.deactivated) or None,
        }
        self.stdout.write(f"{'Nothing was saved; it would be ' if dry_run else ''}{summary(numbers)}.")

    def _say_changes(self, result: DirectoryResult, read: list[ItemRow]) -> None:
        for saved in result.results:
            line = f"Line {read[saved.index].number}: {printable(saved.name)}"
            if saved.outcome == CREATED:
                self.stdout.write(f"{line} is new.")
            elif saved.outcome == UPDATED:
                self.stdout.write(f"{line}: {'; '.join(map(change_text, saved.changes))}.")
        for email in result.deactivated:
            self.stdout.write(f"Not named: {printable(email)} becomes inactive.")


def in_words_of_the_file(wrong: Rejection, rows: ItemRows) -> FieldError:
    return wrong.error.renamed(rows.names.get(wrong.field, wrong.field))


def change_text(change: Change) -> str:
    if change.is_list:
        signs = [f"+ {printable(one)}" for one in change.after] + [f"- {printable(one)}" for one in change.before]
        return f"{change.field} {' '.join(signs)}"
    before, after = (value if isinstance(value, bool | str | None) else str(value) for value in change[1:])
    return f"{change.field} {shown(before)} → {shown(after)}"
