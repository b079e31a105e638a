"""The admin of Stats Tools: plain `ModelAdmin` under the stock templates, so that it fits the theme of the host."""

from stats_app.admin import api_keys, audit, campaigns, clicks, links, mailings, people, shared_reports, workspaces

__all__ = ["api_keys", "audit", "campaigns", "clicks", "links", "mailings", "people", "shared_reports", "workspaces"]
