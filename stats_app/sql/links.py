"""Reading a link that is followed, with all values that are stored with its click."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import send


class FollowedLink(NamedTuple):
    """A link with its own target and its campaign's, and with the public ids of its workspace and campaign."""

    id: int
    workspace_id: int
    workspace: str
    token: str
    kind: int
    target_url: str
    is_active: bool
    campaign_id: int | None
    campaign: str | None
    campaign_target_url: str | None
    user_id: int | None
    is_opted_out: bool | None
    alias_id: int | None


_FIND = """
    SELECT link.id, link.workspace_id, workspace.public_id, link.token, link.kind, link.target_url, link.is_active,
        link.campaign_id, campaign.public_id, campaign.target_url,
        link.user_id, person.is_opted_out, link.alias_id
    FROM stats_app_trackedlink AS link
        JOIN stats_app_workspace AS workspace ON workspace.id = link.workspace_id
        LEFT JOIN stats_app_campaign AS campaign ON campaign.id = link.campaign_id
        LEFT JOIN stats_app_workspaceuser AS person ON person.id = link.user_id
    WHERE link.token = %s
"""


def find_link(connection: BaseDatabaseWrapper, token: str) -> Callable[[], FollowedLink | None]:
    """Sends the statement that finds the link with this token, and returns a function that returns the link. Tokens are
    unique across all workspaces."""
    found = send(connection, _FIND, [token])

    def link() -> FollowedLink | None:
        links = found()
        return FollowedLink(*links[0]) if links else None

    return link
