"""All rollups of a workspace, for comparing in tests: by the names of the dimensions, and not by their numbers."""

from __future__ import annotations

from stats_app.dimensions import DIMENSIONS
from stats_app.models import Reason, Rollup, Workspace

NAMES = {dimension.code: dimension.name for dimension in DIMENSIONS} | {
    dimension.years: f"{dimension.name} by year" for dimension in DIMENSIONS
}
CODES = {name: code for code, name in NAMES.items()}

Counts = dict[tuple[str, int | str, str], tuple[int, int, int]]
"""Campaign, vCard and other clicks by dimension, key and day. A reason is its verdict and text, after the number of the
campaign or user whose it is."""


def stored_counts(workspace: Workspace) -> Counts:
    reasons = {reason.pk: reason for reason in Reason.objects.filter(workspace=workspace)}
    counts: Counts = {}
    for row in Rollup.objects.filter(workspace=workspace):
        name = NAMES[row.dimension]
        key: int | str = row.key
        if name == "reason":
            reason = reasons[row.key]
            key = f"{reason.verdict} {reason.text}"
            if reason.key:
                name, key = f"reason of {NAMES[reason.dimension]}", f"{reason.key} {key}"
        counts[name, key, str(row.day)] = (row.campaign_clicks, row.vcard_clicks, row.other_clicks)
    return counts
