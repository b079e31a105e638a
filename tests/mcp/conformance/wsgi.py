"""Puts the API key of STATS_API_KEY into requests to the suite's tools: the suite cannot send headers of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from stats_app.mcp import preload

_application = get_wsgi_application()
preload()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/conformance/mcp":
        environ["HTTP_X_API_KEY"] = os.environ["STATS_API_KEY"]
    return _application(environ, start_response)
