from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from stats_app.management.arguments import invalid
from stats_app.management.command import StatsCommand
from stats_app.models import Workspace
from stats_app.words import is_plain


class Command(StatsCommand):
    help = "Make a workspace. Its public id is the last line printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--timezone",
            default=Workspace._meta.get_field("timezone").default,
            metavar="Z",
            help="IANA name, such as Europe/Paris, of the zone whose days are counted; default %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Control characters are refused, because the id must be the last line, and databases refuse some of them.
        for option, text in (("NAME", options["name"]), ("--timezone", options["timezone"])):
            if not is_plain(text):
                raise CommandError(f"{option} must be text without control characters, not {text!r}.")
        workspace = Workspace(name=options["name"].strip(), timezone=options["timezone"])
        try:
            workspace.full_clean()
        except ValidationError as error:
            raise invalid(error) from None
        with self.kept_if_printed(Workspace):
            workspace.save()
            self.stdout.write(f"Workspace {workspace} in the time zone {workspace.timezone}; its public id:")
            self.stdout.write(workspace.public_id)
