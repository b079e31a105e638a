"""The public names of a click's fields: in JSON, and in the files that are imported and exported."""

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
"""The JSON name of each field of `ingest.ClickInput` that a program may send."""

LINK = "link"
"""The token of the tracked link that was followed: in files only."""
EXTERNAL_ID = "externalId"
"""The click's id in the system it comes from. Only in files to import."""
WORKSPACE = "workspacePublicId"
"""The workspace that the click belongs to. Only in files to import, which may have the clicks of several."""
USER_AGENT = "userAgent"
"""The browser's `User-Agent`. It is used for the verdict and not stored. Only in files to import."""
