"""The admin of Stats Tools: `ModelAdmin` with Django's own templates, so that it fits the host's theme."""

from stats_app.admin import api_keys, audit, campaigns, clicks, links, mailings, people, shared_reports, workspaces

__all__ = ["api_keys", "audit", "campaigns", "clicks", "links", "mailings", "people", "shared_reports", "workspaces"]
