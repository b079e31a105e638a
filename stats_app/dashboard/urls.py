"""The staff pages' paths, to be included under any prefix."""

from __future__ import annotations

from django.urls import path, re_path

from stats_app.dashboard import views

app_name = "stats_dashboard"

urlpatterns = [
    path("", views.workspaces, name="workspaces"),
    path("shared/<str:secret>/", views.shared, name="shared"),
    path("unsubscribe/<str:secret>/", views.unsubscribe, name="unsubscribe"),
    # All other addresses with a secret, such as one without the last slash, because Django would log them as missing.
    re_path("^shared/(?P<secret>.+)$", views.shared),
    re_path("^unsubscribe/(?P<secret>.+)$", views.unsubscribe),
    path("<str:workspace_id>/", views.workspace, name="workspace"),
    path("<str:workspace_id>/share/", views.share, name="share"),
    path("<str:workspace_id>/campaigns/", views.campaigns, name="campaigns"),
    path("<str:workspace_id>/users/", views.users, name="users"),
    path("<str:workspace_id>/campaigns/<str:campaign_id>/", views.campaign, name="campaign"),
    path("<str:workspace_id>/campaigns/<str:campaign_id>/share/", views.share, name="share_campaign"),
    path("<str:workspace_id>/users/<str:user_id>/", views.user, name="user"),
]
