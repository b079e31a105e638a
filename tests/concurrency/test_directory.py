"""Lists of people and campaigns, and forms, saved at the same time: no deadlock, and nobody is saved twice."""

from __future__ import annotations

import pytest

from stats_app.models import Address, Alias, Campaign, CampaignAssignment, WorkspaceUser
from tests.concurrency.directory_writer import PEOPLE
from tests.concurrency.processes import answer, ask, running
from tests.factories import make_workspace

ROUNDS = 10


@pytest.mark.django_db(transaction=True)
def test_lists_at_the_same_time_make_everybody_once() -> None:
    workspace = make_workspace()
    with running("directory_writer", [(workspace.pk,)] * 4) as processes:
        for number in range(ROUNDS):
            # All of them are about the same people.
            for process, what in zip(processes, ("users", "users", "users", "form"), strict=True):
                ask(process, f"{what} {number}")
            made, rejected = zip(*(map(int, answer(process).split()) for process in processes), strict=True)
            assert (sum(made), sum(rejected)) == (PEOPLE, 0)
        for number in range(ROUNDS):
            for process in processes:
                ask(process, f"campaigns {number}")
            made, _ = zip(*(map(int, answer(process).split()) for process in processes), strict=True)
            assert sum(made) == PEOPLE + 1
    assert WorkspaceUser.objects.count() == Alias.objects.count() == PEOPLE * ROUNDS
    emails = {*WorkspaceUser.objects.values_list("email", flat=True), *Alias.objects.values_list("email", flat=True)}
    assert set(Address.objects.values_list("email", flat=True)) == emails
    assert len(emails) == 2 * PEOPLE * ROUNDS
    assert Campaign.objects.count() == (PEOPLE + 1) * ROUNDS
    # The last list decides who carries the campaigns.
    assert CampaignAssignment.objects.count() == 5 * ROUNDS
