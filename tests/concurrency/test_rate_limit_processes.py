"""The rate limit and the audit log are exact also when several processes answer at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from tests.factories import make_key, make_workspace
from tests.mcp.live import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES, CALLS, THREADS = 4, 50, 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic_requests", [False, True])
def test_of_200_concurrent_calls_exactly_30_pass(atomic_requests: bool) -> None:
    workspace = make_workspace()
    secret = make_key(workspace)
    arguments = [str(connection.settings_dict["NAME"]), str(atomic_requests), secret, str(CALLS), str(THREADS)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.rate_limit_caller", *arguments],
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
    statuses = Counter(status for output, _ in outputs for status in json.loads(output))
    assert statuses == {200: 30, 429: 170}
    assert Counter(workspace.tool_calls.values_list("outcome", flat=True)) == {"ok": 30, "rate_limited": 170}
