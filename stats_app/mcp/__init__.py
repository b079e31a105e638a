"""The tools over MCP (Model Context Protocol), with the protocol's official SDK from the extra `mcp`.

This module, `urls` and `views` can be imported without the SDK; the others cannot.
"""

from __future__ import annotations

import re
from importlib import import_module, metadata

OLDEST, END = (2, 3), (3, 0)
"""The supported versions of the SDK: from the first, below the second. The extra in pyproject.toml must agree."""
PACKAGE = f"mcp {OLDEST[0]}.{OLDEST[1]} or later, below {END[0]}"
INSTALL = f"pip install 'mcp>={OLDEST[0]}.{OLDEST[1]},<{END[0]}'"


def is_installed() -> bool:
    """Whether a supported version of the SDK is installed. Does not import it, because that takes most of a second."""
    try:
        version = re.match(r"(\d+)\.(\d+)", metadata.version("mcp"))
    except metadata.PackageNotFoundError:
        return False
    return version is not None and OLDEST <= (int(version[1]), int(version[2])) < END


def preload() -> None:
    """Imports the SDK, if it is installed, when a server starts, so that its first client need not wait.

    Call it at the end of `wsgi.py` and `asgi.py`. The app does not call it, because then every other process of the
    project, such as `migrate`, would wait for the import, too.
    """
    if is_installed():
        import_module("stats_app.mcp.server")
