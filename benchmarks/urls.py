"""The URLs of the floor, of plain Django and of everything that is measured."""

from django.contrib import admin
from django.urls import include, path

from benchmarks import plain

urlpatterns = [
    path("floor/", plain.Floor.as_view()),
    path("plain/insert/", plain.Insert.as_view()),
    path("plain/days/", plain.Days.as_view()),
    path("plain/overview/", plain.Overview.as_view()),
    path("api/v1/", include("stats_app.api.urls")),
    path("mcp", include("stats_app.mcp.urls")),
    path("stats/", include("stats_app.dashboard.urls")),
    path("c/", include("stats_app.redirects.urls")),
    path("admin/", admin.site.urls),
]
