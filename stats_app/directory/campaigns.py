"""Saving campaigns and their users: finding or creating any number of them in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from stats_app import public_ids
from stats_app.directory.claims import Claim
from stats_app.directory.items import Checked, NewCampaign, check
from stats_app.directory.plans import EXTERNAL_ID, Plan, values_of
from stats_app.directory.results import Change, DirectoryResult
from stats_app.erasures import erased_identifiers
from stats_app.errors import FieldError, shown
from stats_app.locks import LockedWorkspace, in_directory
from stats_app.models import Campaign, Workspace
from stats_app.sql import directory as sql
from stats_app.sql.references import find

_CAMPAIGNS, _ASSIGNMENTS = "stats_app_campaign", "stats_app_campaignassignment"
_USERS, _ALIASES = "stats_app_workspaceuser", "stats_app_alias"
_COLUMNS = "public_id, external_id, name, target_url, starts_on, ends_on, is_paused"


def save_campaigns(
    workspace: Workspace,
    items: Iterable[Mapping[str, Any] | FieldError],
    *,
    dry_run: bool = False,
    now: datetime | None = None,
) -> DirectoryResult:
    """Creates and updates campaigns in one transaction. Saving the same items again changes nothing.

    An item has the fields of `NewCampaign`. A campaign is found by `publicId`, else by `externalId`; otherwise it is
    created. An item without these ids is matched with an existing campaign whose values are all equal, because
    otherwise saving the item again would create another campaign. Everything else is as in `save_users`.
    """
    checked = [check(NewCampaign, index, item) for index, item in enumerate(items)]
    using = router.db_for_write(Campaign)
    made_at = timezone.now() if now is None else now
    save = partial(_save, checked=checked, using=using, dry_run=dry_run, now=made_at)
    return in_directory(workspace.pk, save, using=using)


def _save(
    locked: LockedWorkspace, *, checked: Sequence[Checked], using: str, dry_run: bool, now: datetime
) -> DirectoryResult:
    connection = connections[using]
    plan = _Plan(connection, locked.id, checked)
    if not dry_run:
        _write(connection, locked.id, plan, now)
    return plan.result()


@dataclass(frozen=True, slots=True)
class _Campaign:
    """A campaign before or after the change. `carriers` are the primary keys of its users, or None if not needed."""

    id: int
    public_id: str
    external_id: str | None = None
    name: str = ""
    target_url: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    is_paused: bool = False
    carriers: frozenset[int] | None = None

    @property
    def title(self) -> str:
        return self.name

    def with_values(self, values: Mapping[str, Any]) -> _Campaign:
        named = {_INSIDE[name]: value for name, value in values.items() if name in _INSIDE}
        return replace(self, **named)

    @property
    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, inside) for name, inside in _INSIDE.items()}

    @property
    def row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "public_id": self.public_id,
            "external_id": self.external_id,
            "name": self.name,
            "target_url": self.target_url,
            "starts_on": self.starts_on and self.starts_on.isoformat(),
            "ends_on": self.ends_on and self.ends_on.isoformat(),
            "is_paused": self.is_paused,
        }

    @property
    def wants(self) -> dict[Claim, str]:
        return {Claim(EXTERNAL_ID, self.external_id): "externalId"} if self.external_id else {}


_INSIDE = {
    "externalId": "external_id",
    "name": "name",
    "targetUrl": "target_url",
    "startDate": "starts_on",
    "endDate": "ends_on",
    "isPaused": "is_paused",
    "assignedUsers": "carriers",
}


class _Known:
    """The rows of the workspace that the items refer to."""

    def __init__(self, connection: BaseDatabaseWrapper, workspace_id: int, checked: Sequence[Checked]) -> None:
        self._look = look = partial(find, connection, workspace_id)
        self.by_public_id = dict(look(_CAMPAIGNS, "public_id", values_of(checked, "publicId")))
        self.by_external_id = dict(look(_CAMPAIGNS, "external_id", values_of(checked, "externalId")))
        bare_names = values_of([one for one in checked if _is_bare(one.values)], "name")
        self.by_name: dict[str, list[int]] = {}
        for name, campaign_id in look(_CAMPAIGNS, "name", bare_names):
            self.by_name.setdefault(name, []).append(campaign_id)
        named = {*self.by_public_id.values(), *self.by_external_id.values()}.union(*self.by_name.values())
        self._read_campaigns(named, with_carriers=any("assignedUsers" in one.values for one in checked))
        self._find_users(workspace_id, {name for one in checked for name in one.values.get("assignedUsers", ())})

    def _read_campaigns(self, campaigns: set[int], *, with_carriers: bool) -> None:
        """Reads the campaigns with these primary keys, and on request their users."""
        carriers: dict[int, set[int]] = {}
        if with_carriers:
            for campaign_id, _, user_id in self._look(_ASSIGNMENTS, "campaign_id", campaigns, "user_id"):
                carriers.setdefault(campaign_id, set()).add(user_id)
        self.campaigns = {
            campaign_id: _Campaign(
                campaign_id, public_id, external_id, name, target, _day(starts), _day(ends), bool(is_paused),
                frozenset(carriers.get(campaign_id, ())),
            )
            for campaign_id, _, public_id, external_id, name, target, starts, ends, is_paused in self._look(
                _CAMPAIGNS, "id", campaigns, _COLUMNS
            )
        }  # fmt: skip

    def _find_users(self, workspace_id: int, names: set[str]) -> None:
        """Finds the users with these public ids, e-mails and aliases, and which of the names belong to erased users."""
        emails = {name for name in names if "@" in name}
        rows = [
            *self._look(_USERS, "public_id", names - emails, "erased_at"),
            *self._look(_USERS, "email", emails, "erased_at"),
        ]
        self.users = {name: user_id for name, user_id, erased_at in rows if erased_at is None}
        """The primary keys of users, by public id, e-mail and alias."""
        self.users |= {email: user_id for email, _, user_id in self._look(_ALIASES, "email", emails, "user_id")}
        self.erased = {name for name, _, erased_at in rows if erased_at is not None}
        """The public ids and e-mails among the names that belong or belonged to an erased user."""
        unknown = emails - self.users.keys()
        if unknown:
            self.erased |= erased_identifiers(workspace_id, emails=unknown).emails

    def emails(self, users: set[int]) -> dict[int, str]:
        return {user_id: email for user_id, _, email in self._look(_USERS, "id", users, "email")}

    def bare_twin(self, wanted: Mapping[str, Any]) -> _Campaign | None:
        """The existing campaign for an item without an id: the oldest one without an external id whose values are
        equal."""
        for campaign_id in sorted(self.by_name.get(wanted["name"], ())):
            campaign = self.campaigns[campaign_id]
            if campaign.external_id is None and campaign.with_values(wanted) == campaign:
                return campaign
        return None


def _is_bare(values: Mapping[str, Any]) -> bool:
    return "publicId" not in values and not values.get("externalId") and "name" in values


def _day(value: Any) -> date | None:
    """Parses a date from SQLite, where it is a text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class _Plan(Plan[_Campaign]):
    declaration = NewCampaign
    cleared = ("external_id",)

    def __init__(self, connection: BaseDatabaseWrapper, workspace_id: int, checked: Sequence[Checked]) -> None:
        super().__init__(checked)
        self.known = _Known(connection, workspace_id, checked)
        self._bare_seen: set[str] = set()
        for one in self.checked:
            if one.error is None and "assignedUsers" in one.values:
                self._name_users(one)
        self.settle()

    def _name_users(self, one: Checked) -> None:
        """Replaces the names of the users by their primary keys."""
        names = one.values["assignedUsers"]
        unknown = next((name for name in names if name not in self.known.users), None)
        if unknown in self.known.erased:
            one.refuse(
                "assignedUsers", "not_allowed", f"{shown(unknown)} belongs or belonged to a user who was erased."
            )
        elif unknown is not None:
            one.refuse("assignedUsers", "not_found", f"{shown(unknown)} is not in this workspace.")
        one.values = one.values | {"assignedUsers": frozenset(map(self.known.users.get, names))}

    def existing(self, values: Mapping[str, Any]) -> tuple[str, _Campaign] | None:
        known = self.known
        for name, rows in (("publicId", known.by_public_id), ("externalId", known.by_external_id)):
            if values.get(name) in rows:
                return name, known.campaigns[rows[values[name]]]
        twin = known.bare_twin(values) if _is_bare(values) else None
        return None if twin is None else ("name", twin)

    def blank(self, index: int) -> _Campaign:
        return _Campaign(-1 - index, public_ids.new_campaign_id(), carriers=frozenset())

    def holders(self) -> dict[Claim, int]:
        return {Claim(EXTERNAL_ID, key): campaign_id for key, campaign_id in self.known.by_external_id.items()}

    def judge(self, one: Checked, after: _Campaign) -> None:
        start, end = after.starts_on, after.ends_on
        if start and end and end < start:
            if "endDate" in one.values:
                one.refuse("endDate", "invalid", f"{end} is before startDate {start}.")
            else:
                one.refuse("startDate", "invalid", f"{start} is after endDate {end}.")
        elif _is_bare(one.values):
            content = repr(sorted(one.values.items(), key=lambda item: item[0]))
            if content in self._bare_seen:
                one.refuse("name", "repeated", f"{shown(after.name)} is already given by an earlier item.")
            self._bare_seen.add(content)

    def result(self) -> DirectoryResult:
        """The result with the e-mails of users in place of their primary keys."""
        result = super().result()
        moved = {user for saved in result.results for change in saved.changes if change.field == "assignedUsers"
                 for user in (*change.before, *change.after)}  # fmt: skip
        emails = self.known.emails(moved)
        result.results = [
            replace(saved, changes=tuple(_named(change, emails) for change in saved.changes))
            for saved in result.results
        ]
        return result

    def pairs(self, ids: Mapping[str, int]) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
        """The assignments to add and to remove. `ids` are the primary keys of new campaigns, by public id."""
        come, go = [], []
        for old, new in [*self.changed, *((None, one) for one in self.new)]:
            before, after = (old.carriers or frozenset()) if old else frozenset(), new.carriers or frozenset()
            key = ids.get(new.public_id, new.id)
            come += [{"campaign_id": key, "user_id": user} for user in sorted(after - before)]
            go += [{"campaign_id": key, "user_id": user} for user in sorted(before - after)]
        return come, go


def _named(change: Change, emails: Mapping[int, str]) -> Change:
    if change.field != "assignedUsers":
        return change
    gone, come = (tuple(sorted(emails[user] for user in users)) for users in (change.before, change.after))
    return Change(change.field, gone, come)


def _write(connection: BaseDatabaseWrapper, workspace_id: int, plan: _Plan, now: datetime) -> None:
    sql.part_with_external_ids(connection, workspace_id, plan.moving)
    for columns, rows in plan.updates.items():
        sql.update_campaigns(connection, workspace_id, rows, columns)
    sql.insert_campaigns(connection, workspace_id, [one.row for one in plan.new], now)
    ids = dict(find(connection, workspace_id, _CAMPAIGNS, "public_id", [one.public_id for one in plan.new]))
    come, go = plan.pairs(ids)
    sql.unassign(connection, workspace_id, go)
    sql.assign(connection, workspace_id, come, now)
