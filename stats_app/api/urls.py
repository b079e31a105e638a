"""The API's paths, to be included under any prefix."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from stats_app.api import views
from stats_app.api.docs import DocsViewSet

app_name = "stats_api"

router = SimpleRouter()
router.register("workspace", views.WorkspaceViewSet, basename="workspace")
router.register("campaigns", views.CampaignViewSet, basename="campaign")
router.register("users", views.UserViewSet, basename="user")
router.register("clicks", views.ClickViewSet, basename="click")

urlpatterns = [
    *router.urls,
    path("schema/", DocsViewSet.as_view({"get": "openapi"}, patterns=router.urls), name="schema"),
    path("docs/", DocsViewSet.as_view({"get": "page"}, patterns=router.urls), name="docs"),
]
