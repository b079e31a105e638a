"""The product's `/mcp`, and the tools that the protocol's test suite needs, served by the same view."""

from django.urls import include, path

from stats_app.mcp.views import endpoint
from tests.mcp.conformance.server import SERVER

urlpatterns = [
    path("", include("stats_app.urls")),
    path("conformance/mcp", endpoint, {"server": SERVER}),
]
