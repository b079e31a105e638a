"""The people who carry a campaign, for the campaign's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet, Value

from stats_app import person_figures, queries, store
from stats_app.models import Campaign, CampaignAssignment, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.reports.figures import clicks_of
from stats_app.reports.wording import withheld_text
from stats_app.sql.listings import Order
from stats_app.sql.words import Alphabetical

MOST = 10


@dataclass(frozen=True, slots=True)
class Carrier:
    """A user of the campaign. `clicks` are the clicks on all links of the user, because the rollups do not count by
    campaign and user together. It is None if they are withheld."""

    user: WorkspaceUser
    clicks: int | None


@dataclass(frozen=True, slots=True)
class Carriers:
    """The users of a campaign with the most clicks, or the first by name if no clicks are shown.

    `withheld` is the text about withheld clicks; empty if all are shown.
    """

    lines: list[Carrier]
    has_clicks: bool
    withheld: str


def carriers_of(workspace: Workspace, campaign: Campaign, period: Period, today: date) -> Carriers:
    """At most `MOST` users of the campaign, with their clicks in the period."""
    has_clicks = person_figures.are_shown()
    lines = _with_most_clicks(workspace, campaign, period, today) if has_clicks else _first_by_name(workspace, campaign)
    return Carriers(lines, has_clicks, "" if person_figures.are_all_shown() else withheld_text())


def _first_by_name(workspace: Workspace, campaign: Campaign) -> list[Carrier]:
    users = WorkspaceUser.objects.filter(workspace=workspace.pk, pk__in=_assigned(workspace, campaign))
    return [Carrier(user, None) for user in users.order_by(Alphabetical("display_name"), "pk")[:MOST]]


def _with_most_clicks(workspace: Workspace, campaign: Campaign, period: Period, today: date) -> list[Carrier]:
    of_workspace = WorkspaceUser.objects.filter(workspace=workspace.pk)
    users = of_workspace.filter(pk__in=_assigned(workspace, campaign))
    placed = users.annotate(place=Value(0)).values("pk", "public_id", "place")
    least = queries.least_shown(workspace, period)
    order = Order("clicks", True, (period.start, period.end), today, least=least)
    keys = store.ordered(workspace.pk, "user", placed, order, most=MOST).keys
    people = of_workspace.in_bulk(keys)
    clicks = clicks_of(workspace.pk, period, "user", keys)
    return [Carrier(people[key], _shown(clicks.get(key, 0), least)) for key in keys if key in people]


def _shown(clicks: int, least: float) -> int | None:
    return clicks if clicks >= least else None


def _assigned(workspace: Workspace, campaign: Campaign) -> QuerySet[Any]:
    return CampaignAssignment.objects.filter(workspace=workspace.pk, campaign=campaign.pk).values("user")
