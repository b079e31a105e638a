"""The list of workspaces with the clicks of this month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from stats_app import store
from stats_app.dimensions import CAMPAIGN, OTHER, VCARD
from stats_app.errors import UnknownZone
from stats_app.models import Workspace
from stats_app.periods import Period
from stats_app.presets import PRESETS
from stats_app.reports.cells import CHANGE_HEAD, PREVIOUS_HEAD, change_cells, previous_cells
from stats_app.reports.comparison import Change, Comparison

THIS_MONTH = PRESETS["this-month"]

Clicks = dict[str, int]
"""By kind."""


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """A workspace, and its clicks in the current calendar month of its time zone, up to today.

    `comparison` compares them with the same number of days of the month before. It is None, and there are no numbers,
    if this machine does not know the workspace's time zone.
    """

    workspace: Workspace
    comparison: Comparison | None
    clicks: Clicks
    change: Change | None

    @property
    def month(self) -> Period | None:
        return self.comparison.period if self.comparison else None

    @property
    def total(self) -> int:
        return sum(self.clicks.values())

    @property
    def campaign(self) -> int:
        return self.clicks[CAMPAIGN]

    @property
    def vcard(self) -> int:
        return self.clicks[VCARD]

    @property
    def other(self) -> int:
        return self.clicks[OTHER]


def workspace_lines(workspaces: Sequence[Workspace], now: datetime) -> list[WorkspaceLine]:
    """A line for each workspace, in their order. One query for each current local date, of which there are at most
    three, and one for workspaces that may be new."""
    days = {workspace.pk: _today(workspace, now) for workspace in workspaces}
    clicks: dict[int, list[Clicks]] = {}
    comparisons = {day: _comparison(day) for day in set(days.values()) if day is not None}
    for day, comparison in comparisons.items():
        of_day = [pk for pk, own in days.items() if own == day]
        clicks |= store.totals_of_workspaces(of_day, _spans(comparison))
    known = {pk: comparisons[day] for pk, day in days.items() if day is not None}
    first_days = _first_days(known, clicks)
    return [
        _line(workspace, known[workspace.pk], clicks[workspace.pk], first_days.get(workspace.pk))
        if workspace.pk in known
        else WorkspaceLine(workspace, None, {}, None)
        for workspace in workspaces
    ]


def _today(workspace: Workspace, now: datetime) -> date | None:
    try:
        return workspace.today(now)
    except UnknownZone:
        return None


def _comparison(day: date) -> Comparison:
    """The comparison for the month of that day. The first day with clicks is not known yet."""
    return Comparison(THIS_MONTH.period(day), THIS_MONTH.other(day, "previous"), day, None)


def _spans(comparison: Comparison) -> list[Period]:
    """The periods to count for a line: the month, its days that are over, the earlier days that these are compared
    with, and the first of those earlier days."""
    if comparison.counted is None or comparison.compared is None:
        return [comparison.period]
    return [comparison.period, comparison.counted, comparison.compared, comparison.compared.first(1)]


def _first_days(known: Mapping[int, Comparison], clicks: Mapping[int, Sequence[Clicks]]) -> dict[int, date]:
    """For each workspace its first day with clicks, or a later one, which is enough to see whether periods can be
    compared. It is only looked up for workspaces without clicks on the first day that is compared."""
    first_days: dict[int, date] = {}
    for pk, comparison in known.items():
        if comparison.compared is not None and any(clicks[pk][-1].values()):
            first_days[pk] = comparison.compared.start
    others = [pk for pk, comparison in known.items() if comparison.compared is not None and pk not in first_days]
    return first_days | (store.first_days(others) if others else {})


def _line(
    workspace: Workspace, comparison: Comparison, clicks: Sequence[Clicks], first_day: date | None
) -> WorkspaceLine:
    comparison = Comparison(comparison.period, comparison.other, comparison.today, first_day)
    change = None
    if comparison.compared is not None:
        _month, counted, before, _first = clicks
        change = comparison.change(sum(counted.values()), sum(before.values()))
    return WorkspaceLine(workspace, comparison, clicks[0], change)


def workspace_rows(lines: Iterable[WorkspaceLine]) -> list[tuple[Any, ...]]:
    """The lines for a CSV file, with a heading."""
    head = ("publicId", "name", "timezone", "from", "to", "totalClicks", "campaignClicks", "vcardClicks", "otherClicks")
    return [(*head, *PREVIOUS_HEAD, *CHANGE_HEAD), *map(_row, lines)]


def _row(line: WorkspaceLine) -> tuple[Any, ...]:
    workspace, comparison = line.workspace, line.comparison
    names = (workspace.public_id, workspace.name, workspace.timezone)
    if comparison is None:
        return (*names, *("",) * (6 + len(PREVIOUS_HEAD) + len(CHANGE_HEAD)))
    return (
        *names,
        *(comparison.period.start, comparison.period.end),
        *(line.total, line.campaign, line.vcard, line.other),
        *previous_cells(comparison.compared, line.change.before if line.change else None),
        *change_cells(line.change, comparison.counted),
    )
