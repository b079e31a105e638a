"""A separate process that calls a tool many times at once, and prints the statuses it got.

    python -m tests.concurrency.rate_limit_caller DATABASE ATOMIC_REQUESTS SECRET CALLS THREADS

It says "ready" and waits for a line, so that all processes begin together.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.concurrency.processes import say, set_up


def main(database: str, atomic_requests: str, secret: str, calls: str, threads: str) -> None:
    set_up(database, ATOMIC_REQUESTS=atomic_requests == "True")

    from stats_app import limits
    from tests.rest import OVERVIEW, request

    # An hour instead of a minute: on a slow machine the calls take longer than that.
    limits._WINDOW *= 60

    def call(_: int) -> int:
        return request("GET", secret, OVERVIEW, {"from": "2026-03-01", "to": "2026-03-31"}).status_code

    say("ready")
    sys.stdin.readline()
    with ThreadPoolExecutor(int(threads)) as pool:
        say(json.dumps([*pool.map(call, range(int(calls)))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
