"""The only path of MCP, to be included under any name: `path("mcp", include("stats_app.mcp.urls"))`.

Without the SDK there is no path, and a system check says how to install it.
"""

from __future__ import annotations

from django.urls import URLPattern, re_path

from stats_app.mcp import is_installed, views

app_name = "stats_mcp"

# With and without a slash at the end: a redirect from one to the other would lose the body.
_PATTERN = "^(?:/)?$"

urlpatterns: list[URLPattern] = [re_path(_PATTERN, views.endpoint, name="endpoint")] if is_installed() else []
