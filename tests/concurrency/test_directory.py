"""Lists of people and campaigns, and forms, saved at the same time: no deadlock, and nobody is saved twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from stats_app.directory import save_campaigns, save_users
from stats_app.models import Address, Alias, Campaign, CampaignAssignment, WorkspaceUser
from tests.concurrency.directory_writer import PEOPLE
from tests.concurrency.processes import PATIENCE, answer, ask, running
from tests.factories import make_campaign, make_user, make_workspace

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


@pytest.mark.postgres
@pytest.mark.plain("a change of one user waits there for those of all others")
@pytest.mark.django_db(transaction=True)
def test_a_list_does_not_undo_what_it_does_not_name() -> None:
    workspace = make_workspace()
    user, campaign = make_user(workspace, email="ada@example.com"), make_campaign(workspace, external_id="1")
    others = [make_user(workspace, external_id=number) for number in ("8", "9")]

    def elsewhere(work: Callable[[], object]) -> None:
        def run() -> None:
            work()
            connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(PATIENCE)

    def changed_before_an_update(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE stats_app_workspaceuser"):
            elsewhere(lambda: WorkspaceUser.objects.filter(pk=user.pk).update(is_active=False, email="new@example.com"))
        if sql.startswith("UPDATE stats_app_campaign"):
            elsewhere(lambda: Campaign.objects.update(is_paused=True, name="Autumn"))
        return execute(sql, *args)

    with connection.execute_wrapper(changed_before_an_update):
        # The two others swap their e-mails.
        swapped = zip(("8", "9"), reversed(others), strict=True)
        swaps = [{"externalId": external_id, "email": other.email} for external_id, other in swapped]
        save_users(workspace, [*swaps, {"email": "ada@example.com", "displayName": "Ada"}])
        save_campaigns(workspace, [{"externalId": "1", "targetUrl": "https://www.example.com/new"}])
    user.refresh_from_db()
    campaign.refresh_from_db()
    assert (user.display_name, user.is_active, user.email) == ("Ada", False, "new@example.com")
    stored = dict(Address.objects.exclude(user=None).values_list("user", "email"))
    assert stored == dict(WorkspaceUser.objects.values_list("pk", "email"))
    assert [stored[one.pk] for one in others] == [one.email for one in reversed(others)]
    assert (campaign.target_url, campaign.is_paused, campaign.name) == ("https://www.example.com/new", True, "Autumn")
