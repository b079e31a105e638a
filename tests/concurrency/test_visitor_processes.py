"""All processes tell visitors by the same salt of the day, also when they all ask for it first."""

from __future__ import annotations

import json
from datetime import date

import pytest

from stats_app.models import VisitorSalt
from tests.concurrency.processes import outputs_at_once, running

PROCESSES, DAYS = 4, 2


@pytest.mark.django_db(transaction=True)
def test_a_visitor_has_the_same_keys_in_all_processes() -> None:
    with running("visitor_teller", [(DAYS,)] * PROCESSES) as processes:
        outputs = outputs_at_once(processes)
    keys = [json.loads(output) for output in outputs]
    assert keys == [keys[0]] * PROCESSES
    assert len({key for day in keys[0] for key in day}) == 2 * DAYS
    assert [*VisitorSalt.objects.order_by("day").values_list("day", flat=True)] == [date(2026, 3, 9), date(2026, 3, 10)]
