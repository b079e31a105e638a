"""What a click's fields are called outside: in JSON, and in the files that are imported and exported."""

from __future__ import annotations

KIND = "kind"
CLICKED_AT = "clickedAt"

FIELDS = {
    "id": "id",
    KIND: "kind",
    "campaignPublicId": "campaign",
    "userPublicId": "user",
    "alias": "alias",
    CLICKED_AT: "clicked_at",
    "verdict": "verdict",
    "reason": "reason",
}
"""The name in JSON of each field of `ingest.ClickInput` that a program may send."""

LINK = "link"
"""The token of the tracked link that was followed: in files only."""
EXTERNAL_ID = "externalId"
"""What tells a click from others in the system it comes from: in files that are imported only."""
USER_AGENT = "userAgent"
"""The browser's name for itself, by which a verdict is found and which is not kept: in files that are imported only."""
