"""The campaigns whose clicks rose and fell most, among all with clicks in one of the two periods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stats_app import store
from stats_app.models import Campaign, Workspace
from stats_app.reports.comparison import Change, Comparison

MOST = 5


@dataclass(frozen=True, slots=True)
class Mover:
    """A campaign with its clicks and their change."""

    public_id: str
    name: str
    change: Change

    @property
    def clicks(self) -> int:
        return self.change.current


def movers(workspace: Workspace, comparison: Comparison) -> tuple[list[Mover], list[Mover]]:
    """The campaigns that rose and those that fell, largest change first, at most `MOST` of each. Two empty lists
    if the periods cannot be compared."""
    if comparison.counted is None or comparison.compared is None or comparison.reason is not None:
        return [], []
    current, before = (
        store.by_key(workspace.pk, days, "campaign") for days in (comparison.counted, comparison.compared)
    )
    difference = {key: current.get(key, 0) - before.get(key, 0) for key in current.keys() | before.keys()}
    order = sorted(difference, key=lambda key: (-difference[key], -current.get(key, 0), key))
    rose = [key for key in order if difference[key] > 0][:MOST]
    fell = [key for key in reversed(order) if difference[key] < 0][:MOST]
    campaigns = Campaign.objects.filter(workspace=workspace.pk).in_bulk({*rose, *fell})

    def named(keys: Iterable[int]) -> list[Mover]:
        return [
            Mover(campaigns[key].public_id, campaigns[key].name, Change(current.get(key, 0), before.get(key, 0)))
            for key in keys
            if key in campaigns
        ]

    return named(rose), named(fell)
