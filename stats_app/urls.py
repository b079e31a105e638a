"""Every surface under its usual path: `path("", include("stats_app.urls"))`. Each can be included alone, too."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("api/v1/", include("stats_app.api.urls"))]
