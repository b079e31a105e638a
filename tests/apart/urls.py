from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("stats/", include("stats_app.dashboard.urls")),
    path("", include("stats_app.urls")),
]
