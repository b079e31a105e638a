"""Every surface under its usual path: `path("", include("stats_app.urls"))`. Each can be included alone, too."""

from __future__ import annotations

from django.urls import include, path

from stats_app import mcp

urlpatterns = [
    path("api/v1/", include("stats_app.api.urls")),
    path("stats/", include("stats_app.dashboard.urls")),
    path("c/", include("stats_app.redirects.urls")),
]
if mcp.is_installed():
    urlpatterns.append(path("mcp", include("stats_app.mcp.urls")))
