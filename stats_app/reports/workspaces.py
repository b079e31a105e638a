"""The list of workspaces with the clicks of this month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stats_app import store
from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.errors import UnknownZone
from stats_app.models import Workspace
from stats_app.periods import PRESETS, Period


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """A workspace and its clicks in the calendar month that it is there now.

    `month` is None, and no clicks are told, when the workspace's time zone is not known on this machine.
    """

    workspace: Workspace
    month: Period | None
    campaign: int
    vcard: int
    other: int

    @property
    def total(self) -> int:
        return self.campaign + self.vcard + self.other


def workspace_lines(workspaces: Sequence[Workspace], now: datetime) -> list[WorkspaceLine]:
    """A line for each, in their order. One query for each month that it is somewhere on earth, so two at most."""
    months = {workspace.pk: _month(workspace, now) for workspace in workspaces}
    counts: dict[int, dict[str, int]] = {}
    kinds = (CAMPAIGN, VCARD, OTHER)
    for month in set(filter(None, months.values())):
        counts |= store.totals_of_workspaces([pk for pk, own in months.items() if own == month], month)
    return [
        WorkspaceLine(workspace, months[workspace.pk], *(counts.get(workspace.pk, {}).get(kind, 0) for kind in kinds))
        for workspace in workspaces
    ]


def _month(workspace: Workspace, now: datetime) -> Period | None:
    try:
        return PRESETS["this-month"](workspace.today(now))
    except UnknownZone:
        return None


def workspace_rows(lines: Sequence[WorkspaceLine]) -> list[tuple[Any, ...]]:
    """The lines for a CSV file, with a heading."""
    head = ("publicId", "name", "timezone", "from", "to", "totalClicks", "campaignClicks", "vcardClicks", "otherClicks")
    return [head, *map(_row, lines)]


def _row(line: WorkspaceLine) -> tuple[Any, ...]:
    names = (line.workspace.public_id, line.workspace.name, line.workspace.timezone)
    if line.month is None:
        return (*names, *("",) * 6)
    return (*names, line.month.start, line.month.end, line.total, line.campaign, line.vcard, line.other)
