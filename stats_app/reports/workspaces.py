"""The list of workspaces with the clicks of this month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stats_app import store
from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.models import Workspace
from stats_app.periods import PRESETS, Period


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """A workspace and its clicks in the calendar month that it is there now."""

    workspace: Workspace
    month: Period
    campaign: int
    vcard: int
    other: int

    @property
    def total(self) -> int:
        return self.campaign + self.vcard + self.other


def workspace_lines(workspaces: Sequence[Workspace], now: datetime) -> list[WorkspaceLine]:
    """A line for each, in their order. One query for each month that it is somewhere on earth, so two at most."""
    months = {workspace.pk: PRESETS["this-month"](workspace.today(now)) for workspace in workspaces}
    counts: dict[int, dict[str, int]] = {}
    kinds = (CAMPAIGN, VCARD, OTHER)
    for month in set(months.values()):
        counts |= store.totals_of_workspaces([pk for pk, own in months.items() if own == month], month)
    return [
        WorkspaceLine(workspace, months[workspace.pk], *(counts[workspace.pk][kind] for kind in kinds))
        for workspace in workspaces
    ]


def workspace_rows(lines: Sequence[WorkspaceLine]) -> list[tuple[Any, ...]]:
    """The lines for a CSV file, with a heading."""
    head = ("publicId", "name", "timezone", "from", "to", "totalClicks", "campaignClicks", "vcardClicks", "otherClicks")
    return [
        head,
        *(
            (
                line.workspace.public_id,
                line.workspace.name,
                line.workspace.timezone,
                line.month.start,
                line.month.end,
                line.total,
                line.campaign,
                line.vcard,
                line.other,
            )
            for line in lines
        ),
    ]
