"""`python -m benchmarks.timed COMMAND ...`: runs a command of manage.py and prints what it cost as the last line.

As JSON: the milliseconds of CPU until Python and Django had started, and the `Cost` of the command itself. Another
process cannot measure it, because the PostgreSQL backend ends with the connection.
"""

from __future__ import annotations

import json
import sys
import time

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from benchmarks.cpu import Meter
    from benchmarks.databases import Chosen

    meter = Meter(None, Chosen.alias)
    meter.start()
    before = time.process_time() * 1000
    call_command(*sys.argv[1:])
    print(json.dumps([before, meter.stop()]))


if __name__ == "__main__":
    main()
