from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from stats_app.directory import DirectoryResult, NewUser, save_users
from stats_app.management.directory import DirectoryCommand
from stats_app.models import Workspace


class Command(DirectoryCommand):
    help = (
        "Import people from a file. Existing ones are updated; importing the same file again changes nothing. "
        "docs/directory.md shows files from Google Workspace and Microsoft Entra."
    )
    declaration = NewUser

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--deactivate-missing",
            action="store_true",
            help="the file is complete: make all users inactive who are not in it",
        )
        parser.add_argument("--force", action="store_true", help="even if these are more than half of the active users")

    def save(self, workspace: Workspace, items: list[Any], options: dict[str, Any]) -> DirectoryResult:
        return save_users(
            workspace,
            items,
            dry_run=options["dry_run"],
            deactivate_missing=options["deactivate_missing"],
            force=options["force"],
        )
