"""Reading the campaign or user that a tool is asked about, and the numbers of their related rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import among, number_list, rows


class FoundCampaign(NamedTuple):
    """A campaign with the number of users that it is assigned to."""

    id: int
    name: str
    starts_on: date | None
    ends_on: date | None
    is_paused: bool
    users: int


class FoundUser(NamedTuple):
    """A user with the numbers of assigned campaigns and of aliases."""

    id: int
    display_name: str
    campaigns: int
    aliases: int


def find_campaign(connection: BaseDatabaseWrapper, workspace_id: int, public_id: str) -> FoundCampaign | None:
    """The campaign of the workspace with this public id."""
    campaigns = rows(
        connection,
        """
        SELECT id, name, starts_on, ends_on, is_paused,
            (SELECT count(*) FROM stats_app_campaignassignment WHERE campaign_id = campaign.id)
        FROM stats_app_campaign AS campaign WHERE public_id = %s AND workspace_id = %s
        """,
        [public_id, workspace_id],
    )
    return FoundCampaign(*campaigns[0]) if campaigns else None


def find_user(connection: BaseDatabaseWrapper, workspace_id: int, public_id: str) -> FoundUser | None:
    """The user of the workspace with this public id."""
    users = rows(
        connection,
        """
        SELECT id, display_name,
            (SELECT count(*) FROM stats_app_campaignassignment WHERE user_id = person.id),
            (SELECT count(*) FROM stats_app_alias WHERE user_id = person.id)
        FROM stats_app_workspaceuser AS person WHERE public_id = %s AND workspace_id = %s
        """,
        [public_id, workspace_id],
    )
    return FoundUser(*users[0]) if users else None


def campaign_names(
    connection: BaseDatabaseWrapper, workspace_id: int, campaign_ids: Sequence[int | str]
) -> dict[int | str, tuple[str, str]]:
    """The public ids and names of the workspace's campaigns with these primary keys."""
    statement = f"""
        SELECT id, public_id, name FROM stats_app_campaign
        WHERE id {among(connection, "campaigns")} AND workspace_id = %(workspace)s
    """
    given = number_list(connection, [int(campaign_id) for campaign_id in campaign_ids])
    campaigns = rows(connection, statement, {"campaigns": given, "workspace": workspace_id})
    return {campaign_id: (public_id, name) for campaign_id, public_id, name in campaigns}
