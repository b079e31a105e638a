"""What a click's fields are called outside: in JSON, and in the files that are imported and exported."""

from __future__ import annotations

FIELDS = {
    "id": "id",
    "kind": "kind",
    "campaignPublicId": "campaign",
    "userPublicId": "user",
    "alias": "alias",
    "clickedAt": "clicked_at",
    "verdict": "verdict",
    "reason": "reason",
}
"""The name in JSON of each field of `ingest.ClickInput` that a program may send."""

LINK = "link"
"""The token of the tracked link that was followed: in files only."""

_NAMES = {name: outside for outside, name in FIELDS.items()}


def outside_name(name: str) -> str:
    """What a field of `ClickInput` is called outside."""
    return _NAMES.get(name, name)
