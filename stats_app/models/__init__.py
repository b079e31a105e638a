"""The rows of Stats Tools and the rules of one row. What happens across rows is in the modules beside this package."""

from stats_app.models.access import SCOPES, ApiKey, CallWindow, ToolCall
from stats_app.models.campaigns import Campaign, CampaignAssignment, campaign_status
from stats_app.models.clicks import KINDS, VERDICTS, Click, Rollup, TrackedLink
from stats_app.models.workspaces import Alias, Workspace, WorkspaceUser

__all__ = [
    "KINDS",
    "SCOPES",
    "VERDICTS",
    "Alias",
    "ApiKey",
    "CallWindow",
    "Campaign",
    "CampaignAssignment",
    "Click",
    "Rollup",
    "ToolCall",
    "TrackedLink",
    "Workspace",
    "WorkspaceUser",
    "campaign_status",
]
