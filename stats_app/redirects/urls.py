"""The path of tracked links, to be included under any prefix: `path("c/", include("stats_app.redirects.urls"))`."""

from __future__ import annotations

from django.urls import re_path

from stats_app.redirects.views import follow

app_name = "stats_redirects"

# With and without a slash at the end, because mail programs and people add one. The pattern is that of a token.
urlpatterns = [re_path(r"^(?P<token>[0-9A-Za-z_-]{1,32})/?$", follow, name="follow")]
