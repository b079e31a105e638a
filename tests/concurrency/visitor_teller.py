"""A separate process that computes the visitors of some days, and prints their keys.

    python -m tests.concurrency.visitor_teller DATABASE DAYS

It says "ready" and waits for a line, so that all processes begin together.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from tests.concurrency.processes import say, set_up


def main(database: str, days: str) -> None:
    set_up(database)

    from stats_app.visitors import visitor_of

    def visitor(day: int) -> list[str]:
        now = datetime(2026, 3, 9, tzinfo=UTC) + timedelta(days=day)
        return [key.hex() for key in visitor_of(1, ip_address("203.0.113.77"), "Browser", "fr", now=now)]

    say("ready")
    sys.stdin.readline()
    say(json.dumps([visitor(day) for day in range(int(days))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
