"""The example project with the addresses of `tests.mcp.conformance.urls` and no rate limit."""

from project.settings import *  # noqa: F403  # all of them, and then two are replaced

ROOT_URLCONF = "tests.mcp.conformance.urls"
STATS_APP = {"RATE_LIMIT": None}
