"""All rollups of a workspace as a test states them: by the names of the dimensions, whatever their numbers are."""

from __future__ import annotations

from stats_app.dimensions import DIMENSIONS
from stats_app.models import Reason, Rollup, Workspace

NAMES = {dimension.code: dimension.name for dimension in DIMENSIONS} | {
    dimension.years: f"{dimension.name} by year" for dimension in DIMENSIONS
}
CODES = {name: code for code, name in NAMES.items()}

Counts = dict[tuple[str, int | str, str], tuple[int, int, int]]
"""Campaign, vCard and other clicks by dimension, key (a reason is its text) and day. Rows of zeros are left out."""


def stored_counts(workspace: Workspace) -> Counts:
    texts = dict(Reason.objects.filter(workspace=workspace).values_list("pk", "text"))
    found: Counts = {}
    for row in Rollup.objects.filter(workspace=workspace):
        name = NAMES[row.dimension]
        key = texts[row.key] if name == "reason" else row.key
        counts = (row.campaign_clicks, row.vcard_clicks, row.other_clicks)
        if any(counts):
            found[name, key, str(row.day)] = counts
    return found
