"""The API's paths, to be included under any prefix.

Each works with and without a slash at the end. Django would redirect from one to the other, and clients follow the
redirect of a POST with a GET, which loses the body.
"""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from stats_app.api import views
from stats_app.api.docs import DocsViewSet

app_name = "stats_api"

router = SimpleRouter()
bare_router = SimpleRouter(trailing_slash=False)
for some_router in (router, bare_router):
    some_router.register("workspace", views.WorkspaceViewSet, basename="workspace")
    some_router.register("campaigns", views.CampaignViewSet, basename="campaign")
    some_router.register("users", views.UserViewSet, basename="user")
    some_router.register("clicks", views.ClickViewSet, basename="click")
    some_router.register("links", views.LinkViewSet, basename="link")

# The OpenAPI document describes only the form of each path with a slash.
openapi = DocsViewSet.as_view({"get": "openapi"}, patterns=router.urls)
page = DocsViewSet.as_view({"get": "page"}, patterns=router.urls)

# Those with a slash come last, because `reverse` uses the last of two patterns with the same name.
urlpatterns = [
    *bare_router.urls,
    path("schema", openapi, name="schema"),
    path("docs", page, name="docs"),
    *router.urls,
    path("schema/", openapi, name="schema"),
    path("docs/", page, name="docs"),
]
