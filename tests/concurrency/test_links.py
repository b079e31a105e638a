"""Two processes that make the same links at the same time get the same links, each made once."""

from __future__ import annotations

import json

import pytest

from stats_app.models import TrackedLink
from tests.concurrency.processes import answer, ask, running
from tests.factories import make_workspace

ROUNDS = 25
LINKS = 40


@pytest.mark.django_db(transaction=True)
def test_the_same_links_asked_for_at_once_are_made_once() -> None:
    workspace = make_workspace()
    with running("link_maker", [(workspace.pk,)] * 2) as processes:
        for number in range(ROUNDS):
            targets = [f"https://www.example.com/{number}/{link}" for link in range(LINKS)]
            # In another order, so that each would wait for the other if they were written as they come.
            ask(processes[0], json.dumps(targets))
            ask(processes[1], json.dumps(targets[::-1]))
            (made, tokens), (made_by_other, others) = (json.loads(answer(process)) for process in processes)
            assert tokens == others[::-1]
            assert (made + made_by_other, len(set(tokens))) == (LINKS, LINKS)
    assert TrackedLink.objects.count() == ROUNDS * LINKS
