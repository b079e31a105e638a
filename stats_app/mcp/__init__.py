"""MCP (Model Context Protocol) over the same tools, by the protocol's official SDK: extra `mcp`.

This module, `urls` and `views` can be imported without the SDK; the others cannot.
"""

from __future__ import annotations

from importlib import metadata

INSTALL = "pip install 'django-stats-tools[mcp]'"


def is_installed() -> bool:
    """Whether the SDK is there, in a version that works. Does not import it, which takes most of a second."""
    try:
        return metadata.version("mcp").partition(".")[0] == "2"
    except metadata.PackageNotFoundError:
        return False
