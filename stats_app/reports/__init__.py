"""The reports of the staff pages and the admin: plain values, made from the same answers as the tools'.

A function `…_report` takes a workspace, a `Question` and the current time, a function `…_context` takes the parameters
of an address and returns the context of a template. `PeriodForm` reads the question from an address. The templates in
`stats_app/reports/` draw a report and fit into any page that loads `stats_app/stats.css` and the two scripts.
"""

from stats_app.reports.audience import STAFF, Audience
from stats_app.reports.campaign import CampaignReport, campaign_context, campaign_report
from stats_app.reports.campaign_list import CampaignList
from stats_app.reports.comparison import Change, Comparison, Question
from stats_app.reports.export import csv_rows
from stats_app.reports.lists import AskedList
from stats_app.reports.overview import OverviewReport, overview_context, overview_report
from stats_app.reports.period_form import PeriodForm
from stats_app.reports.ranking import Ranking
from stats_app.reports.signature import SignatureLinks, signature_links
from stats_app.reports.user import UserReport, user_context, user_report
from stats_app.reports.user_list import UserList
from stats_app.reports.workspaces import WorkspaceLine, workspace_lines, workspace_rows

LISTS: dict[str, type[AskedList]] = {one.page: one for one in (CampaignList, UserList)}
"""The lists by the last part of their addresses."""

__all__ = [
    "LISTS",
    "STAFF",
    "AskedList",
    "Audience",
    "CampaignReport",
    "Change",
    "Comparison",
    "OverviewReport",
    "PeriodForm",
    "Question",
    "Ranking",
    "SignatureLinks",
    "UserReport",
    "WorkspaceLine",
    "campaign_context",
    "campaign_report",
    "csv_rows",
    "overview_context",
    "overview_report",
    "signature_links",
    "user_context",
    "user_report",
    "workspace_lines",
    "workspace_rows",
]
