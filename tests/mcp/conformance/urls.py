"""The product's own `/mcp`, and behind the same door the tools that the protocol's test suite asks for."""

from django.urls import include, path

from stats_app.mcp.views import endpoint
from tests.mcp.conformance.server import SERVER

urlpatterns = [
    path("", include("stats_app.urls")),
    path("conformance/mcp", endpoint, {"server": SERVER}),
]
