"""All users of a workspace, with the clicks that PERSON_FIGURES allows to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext as _

from stats_app import person_figures, public_ids, queries
from stats_app.models import Campaign, WorkspaceUser
from stats_app.periods import Period
from stats_app.reports.list_columns import Column, Line
from stats_app.reports.lists import AskedList
from stats_app.reports.wording import numbers, withheld_text

ACTIVE, INACTIVE = "active", "inactive"


class UserList(AskedList):
    one, page, model, name = "user", "users", WorkspaceUser, "display_name"
    other, other_model, other_prefix = "campaign", Campaign, public_ids.CAMPAIGN
    csv_head = ("publicId", "name", "email", "isActive", "assignedCampaigns")

    @property
    def has_clicks(self) -> bool:
        return person_figures.are_shown()

    @property
    def are_all_shown(self) -> bool:
        return person_figures.are_all_shown()

    def least_shown(self, days: Period) -> float:
        return queries.least_shown(self.workspace, days)

    @property
    def withheld(self) -> str:
        return "" if self.are_all_shown else withheld_text()

    @property
    def title(self) -> str:
        return _("Users")

    @property
    def search_label(self) -> str:
        return _("Name or e-mail")

    @property
    def of_text(self) -> str:
        return _("Only the people who carry %(name)s.") % {"name": self.carrier or self.of}

    @property
    def empty_text(self) -> str:
        return _("Nobody matches.") if self.filters else _("There is no user yet.")

    @property
    def statuses(self) -> list[tuple[str, str]]:
        return [(ACTIVE, _("active")), (INACTIVE, _("inactive"))]

    def matching(self, rows: Any) -> QuerySet[Any]:
        users: QuerySet[Any] = rows.known_as(self.words, self.workspace.pk)
        return users.filter(is_active=self.status == ACTIVE) if self.status else users

    def own_columns(self) -> list[Column]:
        style, names = numbers(), dict(self.statuses)

        def status(line: Line) -> str:
            return names[ACTIVE if line.row.is_active else INACTIVE]

        return [
            Column("assigned", _("Campaigns"), lambda line: style.grouped(line.assigned), "assigned"),
            Column("status", _("Status"), status, place=F("is_active"), is_text=True),
            Column("email", _("E-mail"), _email, place=F("email"), is_text=True, starts_high=False),
        ]

    def csv_cells(self, line: Line) -> tuple[Any, ...]:
        user = line.row
        return (user.public_id, str(user), user.email, str(user.is_active).lower(), line.assigned)

    def whole(self, clicks: Mapping[str, int]) -> int:
        return sum(clicks.values())


def _email(line: Line) -> str:
    return format_html('<bdi dir="auto">{}</bdi>', line.row.email)
