"""The API's paths, to be included under any prefix."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from stats_app.api import views

app_name = "stats_api"

router = SimpleRouter()
router.register("workspace", views.WorkspaceViewSet, basename="workspace")
router.register("campaigns", views.CampaignViewSet, basename="campaign")
router.register("users", views.UserViewSet, basename="user")
router.register("clicks", views.ClickViewSet, basename="click")

urlpatterns = router.urls
