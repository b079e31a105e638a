"""Saving people: finding or creating any number of them in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from stats_app import public_ids
from stats_app.directory.claims import Claim
from stats_app.directory.items import Checked, NewUser, check
from stats_app.directory.plans import EXTERNAL_ID, Plan, values_of
from stats_app.directory.results import DirectoryResult
from stats_app.erasures import erased_identifiers
from stats_app.errors import FieldError, Refused, shown
from stats_app.locks import LockedWorkspace, in_directory
from stats_app.models import Alias, Workspace, WorkspaceUser
from stats_app.sql import directory as sql
from stats_app.sql.references import find

_USERS, _ALIASES, _ADDRESSES = "stats_app_workspaceuser", "stats_app_alias", "stats_app_address"
_OWNER_OF_ALIAS = (
    "(SELECT user_id FROM stats_app_alias AS alias WHERE alias.id = known.alias_id "
    "AND alias.workspace_id = known.workspace_id)"
)
_EMAIL = "email"  # the kind of the claims for e-mails and aliases


def save_users(
    workspace: Workspace,
    items: Iterable[Mapping[str, Any] | FieldError],
    *,
    dry_run: bool = False,
    deactivate_missing: bool = False,
    force: bool = False,
    now: datetime | None = None,
) -> DirectoryResult:
    """Creates and updates users in one transaction. Saving the same items again changes nothing.

    An item has the fields of `NewUser`, and is validated here. A `FieldError` in place of an item is an error that the
    caller has already found in it. A user is found by `publicId`, else by `externalId`, else by `email`; otherwise it
    is created. Wrong items are reported by their position, and the valid ones are saved. `dry_run` returns the same
    result and saves nothing.

    `deactivate_missing` is for a list of all people: it makes the active users inactive that no item names. Wrong items
    count, too, if it is known which user they name. Raises Refused, and saves nothing, if more than half of the active
    users would become inactive, or if it is unknown which user an item names. `force` skips these two checks.
    """
    checked = [check(NewUser, index, item) for index, item in enumerate(items)]
    using = router.db_for_write(WorkspaceUser)
    save = partial(
        _save,
        checked=checked,
        using=using,
        dry_run=dry_run,
        missing=_Missing(force) if deactivate_missing else None,
        now=timezone.now() if now is None else now,
    )
    try:
        return in_directory(workspace.pk, save, using=using)
    except _AliasesGo:
        return in_directory(workspace.pk, partial(save, alone=True), using=using, alone=True)


class _AliasesGo(Exception):
    """Aliases will be deleted on Citus, which needs the workspace's exclusive lock there."""


def _save(
    locked: LockedWorkspace,
    *,
    checked: Sequence[Checked],
    using: str,
    dry_run: bool,
    missing: _Missing | None,
    now: datetime,
    alone: bool = False,
) -> DirectoryResult:
    connection = connections[using]
    plan = _Plan(connection, locked.id, checked)
    result = plan.result()
    gone = missing.find(connection, locked.id, plan) if missing else []
    result.deactivated = [email for _, email in gone]
    if dry_run:
        return result
    if plan.aliases_to_delete and not locked.locks_aliases and not alone:
        raise _AliasesGo
    _write(connection, locked.id, plan, now)
    sql.deactivate_users(connection, locked.id, [user_id for user_id, _ in gone])
    return result


@dataclass(slots=True)
class _Person:
    """A user before or after the change."""

    id: int
    public_id: str
    external_id: str | None = None
    email: str = ""
    display_name: str = ""
    is_active: bool = True
    aliases: frozenset[str] = frozenset()

    def with_values(self, values: Mapping[str, Any]) -> _Person:
        email = values.get("email", self.email)
        aliases = frozenset(values.get("aliases", self.aliases)) - {email}
        return _Person(
            self.id,
            self.public_id,
            values.get("externalId", self.external_id),
            email,
            values.get("displayName", self.display_name),
            values.get("isActive", self.is_active),
            aliases,
        )

    @property
    def title(self) -> str:
        return self.display_name or self.email

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "externalId": self.external_id,
            "email": self.email,
            "displayName": self.display_name,
            "isActive": self.is_active,
            "aliases": self.aliases,
        }

    @property
    def row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "public_id": self.public_id,
            "external_id": self.external_id,
            "email": self.email,
            "display_name": self.display_name,
            "is_active": self.is_active,
        }

    @property
    def wants(self) -> dict[Claim, str]:
        wants = {Claim(_EMAIL, self.email): "email"} | {Claim(_EMAIL, alias): "aliases" for alias in self.aliases}
        return wants | ({Claim(EXTERNAL_ID, self.external_id): "externalId"} if self.external_id else {})


class _Known:
    """The rows of the workspace that the items refer to, and the rows that now have the unique values of the items."""

    def __init__(self, connection: BaseDatabaseWrapper, workspace_id: int, checked: Sequence[Checked]) -> None:
        self._look = look = partial(find, connection, workspace_id)
        emails = values_of(checked, "email")
        emails_and_aliases = emails | {alias for one in checked for alias in one.values.get("aliases", ())}
        external_ids = values_of(checked, "externalId")
        self.by_public_id = dict(look(_USERS, "public_id", values_of(checked, "publicId")))
        self.by_external_id = dict(look(_USERS, "external_id", external_ids))
        self.by_email, by_alias = self._owners(emails_and_aliases)
        self.by_address = self.by_email | by_alias
        self._sure = {*self.by_public_id.values(), *self.by_external_id.values()}
        self.named = self._sure | set(self.by_address.values())
        """The users that items name by any id, e-mail or alias, including wrong items."""
        self.erased = erased_identifiers(workspace_id, emails=emails_and_aliases, external_ids=external_ids)
        self._read_people(self._sure | {self.by_email[email] for email in emails & self.by_email.keys()})

    def _owners(self, emails: set[str]) -> tuple[dict[str, int], dict[str, int]]:
        """The users whose own e-mail is one of these, and those with one of these as an alias, by e-mail."""
        # One statement, because an alias may be deleted meanwhile.
        addresses = self._look(_ADDRESSES, "email", emails, f"user_id, {_OWNER_OF_ALIAS}")
        by_email = {email: user_id for email, _, user_id, _ in addresses if user_id}
        return by_email, {email: owner for email, *_, owner in addresses if owner}

    def _read_people(self, users: set[int]) -> None:
        """Reads the users with these primary keys, and their aliases."""
        self.alias_ids: dict[int, dict[str, int]] = {}
        for user_id, alias_id, email in self._look(_ALIASES, "user_id", users, "email"):
            self.alias_ids.setdefault(user_id, {})[email] = alias_id
        columns = "public_id, external_id, email, display_name, is_active, erased_at"
        rows = self._look(_USERS, "id", users, columns)
        self.people = {
            user_id: _Person(
                user_id,
                public_id,
                external_id,
                email,
                name,
                bool(is_active),
                frozenset(self.alias_ids.get(user_id, ())),
            )
            for user_id, _, public_id, external_id, email, name, is_active, _ in rows
        }
        self.erased_people = {row[0] for row in rows if row[-1] is not None}

    @property
    def holders(self) -> dict[Claim, int]:
        by_email = {Claim(_EMAIL, email): user_id for email, user_id in self.by_address.items()}
        return by_email | {Claim(EXTERNAL_ID, key): user_id for key, user_id in self.by_external_id.items()}

    def row_of(self, values: Mapping[str, Any]) -> tuple[str, int] | None:
        """The field by which an item's existing row is found, and the row's primary key. None for a new row.

        If an item has an unknown external id, its e-mail is not used to find a user whom another item names by an id,
        because that other item may change the user's e-mail, and leave this e-mail to a new person.
        """
        if "publicId" in values:
            row = self.by_public_id.get(values["publicId"])
            return None if row is None else ("publicId", row)
        if values.get("externalId") in self.by_external_id:
            return "externalId", self.by_external_id[values["externalId"]]
        row = self.by_email.get(values.get("email", ""))
        if row is None or (values.get("externalId") and row in self._sure):
            return None
        return "email", row


class _Plan(Plan[_Person]):
    declaration = NewUser
    cleared = ("email", "external_id")

    def __init__(self, connection: BaseDatabaseWrapper, workspace_id: int, checked: Sequence[Checked]) -> None:
        super().__init__(checked)
        self.known = _Known(connection, workspace_id, checked)
        self.settle()

    def existing(self, values: Mapping[str, Any]) -> tuple[str, _Person] | None:
        match = self.known.row_of(values)
        return match and (match[0], self.known.people[match[1]])

    def judge(self, one: Checked, after: _Person) -> None:
        """Refuses users who were erased. Only staff may add such a person again, by hand."""
        if after.id in self.known.erased_people:
            one.refuse("publicId", "not_allowed", f"{shown(after.public_id)} belongs to a user who was erased.")
            return
        erased = self.known.erased
        for name, value in (("externalId", one.values.get("externalId")), ("email", one.values.get("email"))):
            if value is not None and value in (erased.external_ids if name == "externalId" else erased.emails):
                one.refuse(name, "not_allowed", f"{shown(value)} belonged to a user who was erased.")
                return
        for alias in one.values.get("aliases", ()):
            if alias in erased.emails:
                one.refuse("aliases", "not_allowed", f"{shown(alias)} belonged to a user who was erased.")
                return

    def blank(self, index: int) -> _Person:
        return _Person(-1 - index, public_ids.new_user_id())

    def holders(self) -> dict[Claim, int]:
        return self.known.holders

    @property
    def aliases_to_delete(self) -> list[int]:
        ids = self.known.alias_ids
        return [ids[old.id][email] for old, new in self.changed for email in old.aliases - new.aliases]


def _write(connection: BaseDatabaseWrapper, workspace_id: int, plan: _Plan, now: datetime) -> None:
    new, changed = plan.new, plan.changed
    if ids := plan.aliases_to_delete:
        Alias.objects.using(connection.alias).filter(workspace=workspace_id, pk__in=ids).delete()
    sql.part_with_emails(connection, workspace_id, plan.moving)
    for columns, rows in plan.updates.items():
        sql.update_users(connection, workspace_id, rows, columns)
    sql.insert_users(connection, workspace_id, [one.row for one in new], now)
    look = partial(find, connection, workspace_id)
    ids_of_new = dict(look(_USERS, "public_id", [one.public_id for one in new]))
    aliases = [
        {"user_id": ids_of_new.get(after.public_id, after.id), "email": email}
        for before, after in [*changed, *((None, one) for one in new)]
        for email in sorted(after.aliases - (before.aliases if before else frozenset()))
    ]
    sql.insert_aliases(connection, workspace_id, aliases)
    ids_of_aliases = dict(look(_ALIASES, "email", [alias["email"] for alias in aliases]))
    owned = [after for before, after in changed if before.email != after.email] + new
    sql.replace_addresses(
        connection,
        workspace_id,
        [{"email": one.email, "user_id": ids_of_new.get(one.public_id, one.id), "alias_id": None} for one in owned]
        + [{"email": email, "user_id": None, "alias_id": alias_id} for email, alias_id in ids_of_aliases.items()],
    )


@dataclass(slots=True)
class _Missing:
    """Finds the active users who are missing in a complete list."""

    force: bool

    def find(self, connection: BaseDatabaseWrapper, workspace_id: int, plan: _Plan) -> list[tuple[int, str]]:
        """The primary key and the e-mail of each. Raises Refused if the list does not seem to be complete."""
        unreadable = sum(not one.is_readable for one in plan.checked)
        if unreadable and not self.force:
            raise Refused(
                f"{unreadable} of the items cannot be read, so it is unknown which users they name. Nothing was saved."
            )
        active = sql.active_users(connection, workspace_id)
        named = plan.known.named
        missing = [(user_id, email) for user_id, email in active if user_id not in named]
        if len(missing) * 2 > len(active) and not self.force:
            raise Refused(
                f"{len(missing)} of {len(active)} active users are missing, more than half: the list is probably not "
                "complete. Nothing was saved."
            )
        return missing
