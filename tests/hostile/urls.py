"""Our API between two parts of the project's own, all under the same prefix; then our other surfaces."""

from __future__ import annotations

from django.urls import include, path

from tests.hostile.api import Accounts, Version

urlpatterns = [
    path("api/v1/accounts/", Accounts.as_view()),
    path("api/v1/", include("stats_app.api.urls")),
    path("api/v1/version/", Version.as_view()),
    path("mcp", include("stats_app.mcp.urls")),
    path("stats/", include("stats_app.dashboard.urls")),
]
