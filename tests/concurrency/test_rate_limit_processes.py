"""The rate limit and the audit log are exact also when several processes answer at once."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.concurrency.processes import outputs_at_once, running
from tests.factories import make_key, make_workspace

PROCESSES, CALLS, THREADS = 4, 50, 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic_requests", [False, True])
def test_of_200_concurrent_calls_exactly_30_pass(atomic_requests: bool) -> None:
    workspace = make_workspace()
    secret = make_key(workspace)
    with running("rate_limit_caller", [(atomic_requests, secret, CALLS, THREADS)] * PROCESSES) as processes:
        outputs = outputs_at_once(processes)
    statuses = Counter(status for output in outputs for status in json.loads(output))
    assert statuses == {200: 30, 429: 170}
    assert Counter(workspace.tool_calls.values_list("outcome", flat=True)) == {"ok": 30, "rate_limited": 170}
