"""The models, and the rules that concern a single row. What concerns several rows is in the modules beside this
package."""

from stats_app.models.api_keys import SCOPES, ApiKey, CallWindow
from stats_app.models.audit import ToolCall
from stats_app.models.campaigns import Campaign, CampaignAssignment, campaign_status
from stats_app.models.click_records import ClickRecord
from stats_app.models.clicks import Click, ImportKey, Reason, Rollup, TrackedLink
from stats_app.models.erasures import ErasedIdentifier, ErasureSalt
from stats_app.models.mailings import Mailing, MailingAddress, MailingDelivery
from stats_app.models.people import Address, Alias, WorkspaceUser
from stats_app.models.shared_reports import SharedReport
from stats_app.models.visitors import RecentVisit, VisitorSalt
from stats_app.models.workspaces import Workspace

__all__ = [
    "SCOPES",
    "Address",
    "Alias",
    "ApiKey",
    "CallWindow",
    "Campaign",
    "CampaignAssignment",
    "Click",
    "ClickRecord",
    "ErasedIdentifier",
    "ErasureSalt",
    "ImportKey",
    "Mailing",
    "MailingAddress",
    "MailingDelivery",
    "Reason",
    "RecentVisit",
    "Rollup",
    "SharedReport",
    "ToolCall",
    "TrackedLink",
    "VisitorSalt",
    "Workspace",
    "WorkspaceUser",
    "campaign_status",
]
