"""All campaigns of a workspace with their clicks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from stats_app import public_ids
from stats_app.dimensions import CAMPAIGN
from stats_app.models import Campaign, WorkspaceUser
from stats_app.models.campaigns import STATUSES, CampaignQuerySet, status_place
from stats_app.reports.list_columns import Column, Line
from stats_app.reports.lists import AskedList
from stats_app.reports.wording import numbers, short_day_text, status_text


class CampaignList(AskedList):
    one, page, model, name = "campaign", "campaigns", Campaign, "name"
    other, other_model, other_prefix = "user", WorkspaceUser, public_ids.USER
    csv_head = ("publicId", "name", "status", "firstDay", "lastDay", "assignedUsers", "clicksPerUser")

    @property
    def title(self) -> str:
        return _("Campaigns")

    @property
    def search_label(self) -> str:
        return _("Name")

    @property
    def of_text(self) -> str:
        return _("Only the campaigns that %(name)s carries.") % {"name": self.carrier or self.of}

    @property
    def empty_text(self) -> str:
        return _("No campaign matches.") if self.filters else _("There is no campaign yet.")

    @property
    def statuses(self) -> list[tuple[str, str]]:
        return [(status, status_text(status)) for status in STATUSES]

    def matching(self, rows: Any) -> QuerySet[Any]:
        campaigns: CampaignQuerySet = rows.named(self.words)
        return campaigns.with_status(self.status, self.today) if self.status else campaigns

    def own_columns(self) -> list[Column]:
        style, today = numbers(), self.today

        def day_column(key: str, title: str, field: str) -> Column:
            def cell(line: Line) -> str:
                day: date | None = getattr(line.row, field)
                return short_day_text(day) if day else "–"

            return Column(key, title, cell, place=F(field), is_text=True, starts_high=False, has_gaps=True)

        def status(line: Line) -> str:
            return status_text(line.row.status(today))

        return [
            Column("assigned", _("People"), lambda line: style.grouped(line.assigned), "assigned"),
            Column("status", _("Status"), status, place=status_place(today), is_text=True, starts_high=False),
            day_column("first", _("First day"), "starts_on"),
            day_column("last", _("Last day"), "ends_on"),
        ]

    def columns_after_clicks(self) -> list[Column]:
        style = numbers()

        def each(line: Line) -> str:
            return "–" if line.each is None else style.rounded(line.each)

        return [Column("each", _("Clicks per person"), each, "each")]

    def csv_cells(self, line: Line) -> tuple[Any, ...]:
        campaign = line.row
        return (
            *(campaign.public_id, campaign.name, campaign.status(self.today)),
            *(campaign.starts_on or "", campaign.ends_on or "", line.assigned),
            "" if line.each is None else round(line.each, 4),
        )

    def whole(self, clicks: Mapping[str, int]) -> int:
        return clicks[CAMPAIGN]
