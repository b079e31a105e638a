"""All processes tell visitors by the same salt of the day, also when they all ask for it first."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from stats_app.models import VisitorSalt
from tests.mcp.live import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES, DAYS = 4, 2


@pytest.mark.django_db(transaction=True)
def test_a_visitor_has_the_same_keys_in_all_processes() -> None:
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.concurrency.visitor_teller",
                str(connection.settings_dict["NAME"]),
                str(DAYS),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", process.communicate()
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert [process.returncode for process in processes] == [0] * PROCESSES, outputs
    keys = [json.loads(output) for output, _ in outputs]
    assert keys == [keys[0]] * PROCESSES
    assert len({key for day in keys[0] for key in day}) == 2 * DAYS
    assert [*VisitorSalt.objects.order_by("day").values_list("day", flat=True)] == [date(2026, 3, 9), date(2026, 3, 10)]
