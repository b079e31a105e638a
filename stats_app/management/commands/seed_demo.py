from __future__ import annotations

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.db.models import EmailField
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from stats_app import links
from stats_app.demo import link_to_follow, seed
from stats_app.keys import create_key
from stats_app.management.command import StatsCommand
from stats_app.management.progress import ProgressBar
from stats_app.models import SCOPES, ApiKey, Workspace
from stats_app.periods import Period

LOGIN = "demo"
EMAIL = "demo@example.com"
PASSWORD = "demo-signatures"  # noqa: S105  # not a secret: only for the demo, on the user's own machine


class Command(StatsCommand):
    help = "Make demo data: two workspaces, a year of clicks, a staff login and an API key. Run again, it adds nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clicks", type=int, default=50_000, metavar="N", help="how many clicks; default 50000")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="other numbers make other data; default 1")

    @sensitive_variables("secret")
    def handle(self, *args: Any, **options: Any) -> None:
        if options["clicks"] < 0:
            raise CommandError(f"--clicks must be 0 or more, not {options['clicks']}.")
        now = timezone.now()
        with ProgressBar(self.stderr, options["clicks"], "clicks", quiet=options["verbosity"] < 1) as progress:
            workspaces = seed(options["clicks"], options["seed"], now, progress)
        login = self._staff_login()
        with self.kept_if_printed(ApiKey):
            _, secret = create_key(workspaces[0], f"Demo {now:%Y-%m-%d %H:%M}", SCOPES)
            self._say_where_to_look(workspaces, login, secret, Period.last_days(30, workspaces[0].today(now)))

    def _staff_login(self) -> str:
        """The name to log in with. The host's user model may use an e-mail as its name, and have required fields."""
        model = get_user_model()
        names = [model.USERNAME_FIELD, *model.REQUIRED_FIELDS]
        values = {name: EMAIL if isinstance(model._meta.get_field(name), EmailField) else LOGIN for name in names}
        login = values[model.USERNAME_FIELD]
        if not model._default_manager.filter(**{model.USERNAME_FIELD: login}).exists():
            model._default_manager.create_superuser(**values, password=PASSWORD)
        return login

    @sensitive_variables("secret")
    def _say_where_to_look(self, workspaces: list[Workspace], login: str, secret: str, period: Period) -> None:
        self.stdout.write("")
        for workspace in workspaces:
            self.stdout.write(f"Workspace    {workspace.public_id}  {workspace} ({workspace.timezone})")
        for title, view in (
            ("Staff pages", "stats_dashboard:workspaces"),
            ("Admin", "admin:index"),
            ("API", "stats_api:docs"),
            ("MCP", "stats_mcp:endpoint"),
        ):
            address = _address(view)
            if address is not None:
                self.stdout.write(f"{title:<13}{address}")
        followed = self._link_to_follow(workspaces)
        if followed is not None:
            self.stdout.write(f"Tracked link {followed}")
        self.stdout.write(f"Staff login  {login}, password {PASSWORD}")
        self.stdout.write(f"API key      {secret}  (for {workspaces[0]})")
        overview = _address("stats_api:workspace-overview")
        if overview is None:
            return
        self.stdout.write("")
        self.stdout.write("The last 30 days:")
        self.stdout.write(
            f"curl -H 'x-api-key: {secret}' '{overview}?from={period.start}&to={period.end}&breakdown=week'"
        )
        self.stdout.write("")

    def _link_to_follow(self, workspaces: list[Workspace]) -> str | None:
        link = next(filter(None, map(link_to_follow, workspaces)), None)
        if link is None or (address := links.address(link.token, _absolute)) is None:
            return None
        return f"{address}  (vCard of {link.user}: follow it in a browser)"


def _address(view: str) -> str | None:
    """The address of a view on this machine; None if the host does not include the view."""
    try:
        return _absolute(reverse(view))
    except NoReverseMatch:
        return None


def _absolute(path: str) -> str:
    return f"http://127.0.0.1:{os.environ.get('PORT', '8000')}{path}"
