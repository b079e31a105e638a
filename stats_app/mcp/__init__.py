"""MCP (Model Context Protocol) over the same tools, by the protocol's official SDK: extra `mcp`.

This module, `urls` and `views` can be imported without the SDK; the others cannot.
"""

from __future__ import annotations

import re
from importlib import import_module, metadata

OLDEST, END = (2, 3), (3, 0)
"""The versions of the SDK that work: from the one, below the other. The extra in pyproject.toml says the same."""
PACKAGE = f"mcp {OLDEST[0]}.{OLDEST[1]} or later, below {END[0]}"
INSTALL = "pip install 'django-stats-tools[mcp]'"


def is_installed() -> bool:
    """Whether the SDK is there, in a version that works. Does not import it, which takes most of a second."""
    try:
        version = re.match(r"(\d+)\.(\d+)", metadata.version("mcp"))
    except metadata.PackageNotFoundError:
        return False
    return version is not None and OLDEST <= (int(version[1]), int(version[2])) < END


def preload() -> None:
    """Imports the SDK, if it is installed, so that no client of a server waits for that.

    For the end of `wsgi.py` and `asgi.py`. Not done by the app itself, because every other process of the project,
    such as `migrate`, would wait for it, too.
    """
    if is_installed():
        import_module("stats_app.mcp.server")
