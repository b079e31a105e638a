"""Rows for tests: plain functions that make one row each. A test may override every value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from stats_app.ingest import ClickInput, IngestResult, record_clicks, recording, store
from stats_app.keys import create_key
from stats_app.models import Alias, Campaign, CampaignAssignment, Mailing, Workspace, WorkspaceUser
from stats_app.models.api_keys import SCOPES
from stats_app.sql.clicks import ClickRow
from stats_app.subscriptions import change_addresses

_numbers = count(1)


def make_workspace(**values: Any) -> Workspace:
    return Workspace.objects.create(**{"name": "Acme", "timezone": "UTC"} | values)


def make_campaign(workspace: Workspace, **values: Any) -> Campaign:
    defaults = {"name": "Spring launch", "target_url": "https://www.example.com/"}
    return Campaign.objects.create(workspace=workspace, **defaults | values)


def make_user(workspace: Workspace, **values: Any) -> WorkspaceUser:
    defaults = {"email": f"user{next(_numbers)}@example.com", "display_name": "Ada Lovelace"}
    return WorkspaceUser.objects.create(workspace=workspace, **defaults | values)


def make_alias(user: WorkspaceUser, **values: Any) -> Alias:
    defaults = {"workspace": user.workspace, "email": f"alias{next(_numbers)}@example.com"}
    return Alias.objects.create(user=user, **defaults | values)


def assign(campaign: Campaign, *users: WorkspaceUser) -> None:
    CampaignAssignment.objects.bulk_create(CampaignAssignment(campaign=campaign, user=user) for user in users)


def make_key(
    workspace: Workspace,
    scopes: Sequence[str] = SCOPES,
    *,
    name: str = "Tests",
    expires_at: datetime | None = None,
    **values: Any,
) -> str:
    """The secret of a new key. Further values are set on its row."""
    key, secret = create_key(workspace, name, scopes, expires_at)
    if values:
        type(key).objects.filter(pk=key.pk).update(**values)
    return secret


def record(workspace: Workspace, *clicks: ClickInput, now: datetime | None = None) -> IngestResult:
    """Stores clicks by `record_clicks`. All of them must be valid."""
    return record_all(workspace, clicks, now=now)


def record_all(workspace: Workspace, clicks: Iterable[ClickInput], *, now: datetime | None = None) -> IngestResult:
    result = record_clicks(workspace, clicks, now=now)
    assert result.rejected == []
    return result


def store_rows(workspace: Workspace, rows: Sequence[ClickRow]) -> int:
    """Stores clicks as the redirect does, each id once, and returns the number of new ones."""
    once = {row.id: row for row in reversed(rows)}
    return recording(workspace.pk, lambda lock: store(lock(), once.values(), using="default")(), using="default")


def set_addresses(mailing: Mailing, emails: Iterable[str], now: datetime) -> None:
    """Makes these the addresses of a mailing."""
    present = set(mailing.addresses.filter(unsubscribed_at=None).values_list("email", flat=True))
    change_addresses(mailing, emails, present.difference(emails), now)
