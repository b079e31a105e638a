from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import router
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from stats_app.keys import create_key
from stats_app.locks import in_workspace
from stats_app.management.arguments import date_of, invalid, workspace_of
from stats_app.management.command import StatsCommand
from stats_app.models import ApiKey
from stats_app.models.api_keys import SCOPES, STATS_READ
from stats_app.periods import ONE_DAY, utc_midnight


class Command(StatsCommand):
    help = "Make an API key for a workspace. The secret is the last line printed, and is shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", metavar="WORKSPACE_PUBLIC_ID")
        parser.add_argument("--name", required=True, help="what the key is for; shown to staff")
        parser.add_argument(
            "--scope", action="append", choices=SCOPES, dest="scopes", help=f"may be repeated; default {STATS_READ}"
        )
        parser.add_argument("--expires", metavar="DATE", help="the last day on which the key is valid, UTC, as Y-m-d")

    @sensitive_variables("secret")
    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_of(options["workspace"])
        last_day = date_of("--expires", options["expires"])
        expires_at = None if last_day is None else utc_midnight(last_day + ONE_DAY)
        if expires_at is not None and expires_at <= now():
            raise CommandError(f"--expires {last_day} is in the past: the key would never be valid.")
        with self.kept_if_printed(ApiKey):
            # Under the lock, so that the workspace is not deleted meanwhile.
            in_workspace(workspace.pk, lambda locked: locked, using=router.db_for_write(ApiKey))
            try:
                key, secret = create_key(workspace, options["name"], options["scopes"] or [STATS_READ], expires_at)
            except ValidationError as error:
                raise invalid(error) from None
            scopes = ", ".join(key.scopes)
            self.stdout.write(f"API key {key} for {workspace} with {scopes}; the secret, shown only now:")
            self.stdout.write(secret)
