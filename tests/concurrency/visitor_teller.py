"""A separate process that computes the visitors of some days, and prints their keys.

    python -m tests.concurrency.visitor_teller DATABASE DAYS

It says "ready" and waits for a line, so that all processes begin together.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address


def main(database: str, days: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"] |= {"NAME": database}
    django.setup()

    from stats_app.visitors import visitor_of

    def visitor(day: int) -> list[str]:
        now = datetime(2026, 3, 9, tzinfo=UTC) + timedelta(days=day)
        return [key.hex() for key in visitor_of(1, ip_address("203.0.113.77"), "Browser", "fr", now=now)]

    print("ready", flush=True)  # noqa: T201  # what the test waits for
    sys.stdin.readline()
    print(json.dumps([visitor(day) for day in range(int(days))]))  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
