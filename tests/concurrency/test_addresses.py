"""Two processes save the same e-mail at the same time, as a user's own and as an alias: one of them is refused."""

from __future__ import annotations

import pytest

from stats_app.models import Address, Alias, WorkspaceUser
from tests.concurrency.processes import answer, ask, running
from tests.factories import make_user, make_workspace

ROUNDS = 60


@pytest.mark.django_db(transaction=True)
def test_an_email_is_a_users_or_an_alias_and_never_both() -> None:
    workspace = make_workspace()
    make_user(workspace, email="owner@example.com")
    with running("address_writer", [(workspace.pk, model) for model in ("user", "alias")]) as processes:
        for number in range(ROUNDS):
            # The same to the database, though not to its readers.
            ask(processes[0], f"E{number}@example.com")
            ask(processes[1], f"e{number}@EXAMPLE.COM")
            assert sorted(answer(process) for process in processes) == ["made", "refused"], number
    users, aliases = (set(model.objects.values_list("email", flat=True)) for model in (WorkspaceUser, Alias))
    assert users & aliases == set()
    assert len(users | aliases) == ROUNDS + 1
    assert set(Address.objects.values_list("email", flat=True)) == users | aliases
