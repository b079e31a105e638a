"""Assigning any number of people to a campaign at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from django.db import connections, router
from django.utils import timezone

from stats_app.locks import LockedWorkspace, in_directory
from stats_app.models import Campaign, CampaignAssignment, WorkspaceUser
from stats_app.sql import directory as sql
from stats_app.sql.references import find
from stats_app.words import fold, is_plain


def assign_users(campaign: Campaign, users: Collection[int]) -> int:
    """Assigns users of the campaign's workspace by their primary keys. Returns how many were not assigned before.

    Erased users are not assigned, and nobody is if the campaign was deleted meanwhile.
    """
    using = router.db_for_write(CampaignAssignment)

    def work(locked: LockedWorkspace) -> int:
        connection = connections[using]
        if not find(connection, locked.id, "stats_app_campaign", "id", {campaign.pk}):
            return 0
        rows = find(connection, locked.id, "stats_app_workspaceuser", "id", set(users), "erased_at")
        there = sorted(user_id for user_id, _, erased_at in rows if erased_at is None)
        pairs = [{"campaign_id": campaign.pk, "user_id": user_id} for user_id in there]
        return sql.assign(connection, locked.id, pairs, timezone.now())

    return in_directory(campaign.workspace_id, work, using=using)


def users_named(workspace_id: int, names: Iterable[str]) -> tuple[set[int], list[str]]:
    """The primary keys of users by public id, e-mail or alias, and the names of unknown or erased users."""
    connection = connections[router.db_for_write(WorkspaceUser)]
    wanted = {name: fold(name) for name in names if is_plain(name)}
    look = partial(find, connection, workspace_id)
    emails = set(wanted.values())
    by_public_id, by_email = (
        {name: user_id for name, user_id, erased_at in rows if erased_at is None}
        for rows in (
            look("stats_app_workspaceuser", "public_id", set(wanted), "erased_at"),
            look("stats_app_workspaceuser", "email", emails, "erased_at"),
        )
    )
    by_email |= {email: user_id for email, _, user_id in look("stats_app_alias", "email", emails, "user_id")}
    known = {name: by_public_id.get(name, by_email.get(email)) for name, email in wanted.items()}
    nobody = [name for name in names if known.get(name) is None]
    return {user_id for user_id in known.values() if user_id is not None}, nobody
