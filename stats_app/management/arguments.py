"""Arguments that several commands have, and parsing them, with a clear error of one line."""

from __future__ import annotations

from datetime import date
from typing import Any, overload

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from stats_app import public_ids
from stats_app.errors import WrongValue, printable
from stats_app.models import Workspace, WorkspaceUser
from stats_app.periods import parse_day

NAMED_WORKSPACES = 10
"""The most workspaces that an error names."""


def workspace_of(public_id: str) -> Workspace:
    """The workspace with this public id. Raises CommandError, which names the existing ones."""
    # Only well-formed ids are looked up, because a shell can pass bytes that databases refuse.
    is_id = public_ids.is_public_id(public_id)
    workspace: Workspace | None = Workspace.objects.filter(public_id=public_id).first() if is_id else None
    if workspace is None:
        raise CommandError(f"There is no workspace with the public id {public_id!r}. {_known_workspaces()}")
    return workspace


def user_of(public_id: str) -> WorkspaceUser:
    """The user with this public id, in any workspace. Raises CommandError."""
    is_id = public_ids.is_public_id(public_id, public_ids.USER)
    users = WorkspaceUser.objects.select_related("workspace")
    user: WorkspaceUser | None = users.filter(public_id=public_id).first() if is_id else None
    if user is None:
        raise CommandError(f"There is no user with the public id {public_id!r}; an id looks like {_EXAMPLE}.")
    return user


_EXAMPLE = public_ids.example(public_ids.USER)


def _known_workspaces() -> str:
    workspaces = Workspace.objects.order_by("name", "pk")
    named = [f"{workspace.public_id} ({printable(workspace.name, 40)})" for workspace in workspaces[:NAMED_WORKSPACES]]
    if not named:
        return "There is none yet; create_workspace makes one."
    more = workspaces.count() - len(named)
    if not more and len(named) == 1:
        return f"The only workspace is {named[0]}."
    return f"The workspaces are {', '.join(named)}{f' and {more} more' if more else ''}."


def add_workspace(parser: CommandParser) -> None:
    """The option `--workspace` of a command that is for all workspaces. `workspaces_of` parses it."""
    parser.add_argument("--workspace", metavar="PUBLIC_ID", help="only this one; default: all")


def workspaces_of(public_id: str | None) -> list[Workspace]:
    """The workspace with this public id, or all without an id. Raises CommandError."""
    return [workspace_of(public_id)] if public_id is not None else list(Workspace.objects.order_by("pk"))


def invalid(error: ValidationError) -> CommandError:
    """The errors in the values of a row, on one line."""
    return CommandError(" ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()))


@overload
def date_of(option: str, text: str) -> date: ...
@overload
def date_of(option: str, text: None) -> None: ...
def date_of(option: str, text: str | None) -> date | None:
    """The date of an optional option. Raises CommandError."""
    if text is None:
        return None
    try:
        return parse_day(text)
    except WrongValue as error:
        raise CommandError(f"{option} {error.rule}, not {text!r}.") from None


def add_days(parser: CommandParser, first: str = "the first") -> None:
    """The options `--from` and `--to`. `days_of` parses them. `first` says which day is the default of `--from`."""
    parser.add_argument("--from", metavar="DATE", dest="start", help=f"first local day, as Y-m-d; default: {first}")
    parser.add_argument("--to", metavar="DATE", dest="end", help="last local day, included; default: the last")


def days_of(options: dict[str, Any]) -> tuple[date | None, date | None]:
    """The dates of `--from` and `--to`. Raises CommandError."""
    start, end = date_of("--from", options["start"]), date_of("--to", options["end"])
    if start and end and start > end:
        raise CommandError(f"--from {start} is after --to {end}.")
    return start, end
