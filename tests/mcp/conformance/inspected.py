"""Checks what the inspector printed: `inspected.py TOOLS_JSON CALL_JSON`. Exits 1 with what is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TOOLS = [
    "stats_get_workspace_overview",
    "stats_get_campaign_performance",
    "stats_get_user_metrics",
    "campaign_find",
    "user_find",
]


def result(path: str) -> dict[str, Any]:
    printed = json.loads(Path(path).read_text(encoding="utf-8"))
    found: dict[str, Any] = printed.get("result", printed)
    return found


def main(tools_path: str, call_path: str) -> None:
    names = [tool["name"] for tool in result(tools_path)["tools"]]
    if names != TOOLS:
        sys.exit(f"The inspector lists {names}.")
    call = result(call_path)
    campaigns = [campaign["name"] for campaign in call["structuredContent"]["campaigns"]]
    if call.get("isError") or campaigns != ["Spring launch"]:
        sys.exit(f"The inspector got {call}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
