"""Aliases are deleted while clicks and links refer to them: no reference stays, and nobody else has to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connections, transaction
from django.utils import timezone

from stats_app import visits
from stats_app.directory import save_users
from stats_app.erasures import erase_user
from stats_app.ingest import ClickInput, IngestResult, record_clicks
from stats_app.known_links import find_link
from stats_app.links import LinkInput, create_links
from stats_app.models import Alias, Click, TrackedLink, Workspace
from stats_app.rollups import check
from stats_app.verdicts import Visit
from stats_app.visits import record_visit
from tests.concurrency.processes import PATIENCE, answer, ask, running
from tests.factories import make_alias, make_user, make_workspace

PEOPLE = 12
SECONDS = 4.0

pytestmark = pytest.mark.django_db(transaction=True)


def save(workspace: Workspace, numbers: range) -> int:
    """Saves a list of all people, of whom those with these numbers have their alias. Returns how many have not got it,
    because it belongs to somebody else."""
    items = [
        {"email": f"user{number}@example.com", "aliases": [f"alias{number}@example.com"] if number in numbers else []}
        for number in range(PEOPLE)
    ]
    rejected = save_users(workspace, items).rejected
    assert {rejection.code for rejection in rejected} <= {"not_allowed"}
    return len(rejected)


def link_with(workspace: Workspace, alias: str) -> TrackedLink:
    [link] = create_links(workspace, [LinkInput("vcard", "https://www.example.com/ada.vcf", alias=alias)]).links
    assert link is not None
    return link


def test_no_click_and_no_link_keeps_an_alias_that_was_deleted() -> None:
    workspace = make_workspace()
    assert save(workspace, range(PEOPLE)) == 0
    token = link_with(workspace, "alias0@example.com").token
    acts = ["clicks", "clicks", "links", token, "aliases"]
    with running("alias_writer", [(workspace.pk, act, PEOPLE) for act in acts]) as processes:
        for process in processes:
            ask(process, str(SECONDS))
        until, turn = time.monotonic() + SECONDS, 0
        while time.monotonic() < until:
            turn += 1
            save(workspace, range(turn % 3, PEOPLE - turn % 4))
        outcomes = [[*map(int, answer(process).split())] for process in processes]
    for stored, missing, tried in outcomes:
        assert stored + missing == tried
    assert min(tried for _, _, tried in outcomes) > 0
    recorded = sum(stored for stored, _, _ in outcomes[:2])
    assert Click.objects.filter(kind="other").count() == recorded
    assert Click.objects.filter(kind="vcard").count() == outcomes[3][0]
    there = set(Alias.objects.values_list("pk", flat=True))
    for model in (Click, TrackedLink):
        named = set(model.objects.exclude(alias=None).values_list("alias_id", flat=True))
        assert named <= there
    assert [*check(workspace)] == []


@pytest.mark.postgres
@pytest.mark.plain("aliases are deleted under the workspace's lock there, so all of its clicks wait")
def test_only_who_refers_to_an_alias_waits_until_it_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MAX_WAIT", PATIENCE)  # so that no click is lost on a slow machine
    workspace = make_workspace()
    ada, bob = make_user(workspace), make_user(workspace)
    going, staying = make_alias(ada), make_alias(bob)
    tokens = [link_with(workspace, alias.email).token for alias in (staying, going)]
    record_clicks(workspace, [ClickInput("other")])  # only the first clicks of a workspace need it alone
    results: dict[str, object] = {}

    def record(alias: str | None) -> Callable[[], IngestResult]:
        return lambda: record_clicks(workspace, [ClickInput("other", alias=alias)])

    def follow(token: str) -> Callable[[], object]:
        def visit() -> object:
            link = find_link(token)
            assert link is not None
            return record_visit(link, Visit(), remote_addr="192.0.2.7", forwarded=None, now=timezone.now())

        return visit

    def begin(name: str, work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                results[name] = work()
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with transaction.atomic():
        save_users(workspace, [{"publicId": ada.public_id, "email": ada.email, "aliases": []}])
        free = [
            begin("no alias", record(None)),
            begin("another alias", record(staying.email)),
            begin("another link", follow(tokens[0])),
        ]
        for thread in free:
            thread.join(20)
        assert set(results) == {"no alias", "another alias", "another link"}
        waiting = [begin("the alias", record(going.email)), begin("its link", follow(tokens[1]))]
        waiting[0].join(0.3)
        assert all(thread.is_alive() for thread in waiting)
    for thread in waiting:
        thread.join(PATIENCE)
    rejected = results["the alias"]
    assert isinstance(rejected, IngestResult)
    assert [rejection.code for rejection in rejected.rejected] == ["not_found"]
    # The link's click is counted for its person, and without the alias.
    assert sorted(Click.objects.values_list("kind", "user", "alias"), key=str) == sorted(
        [("other", None, None)] * 2
        + [("other", bob.pk, staying.pk), ("vcard", bob.pk, staying.pk), ("vcard", ada.pk, None)],
        key=str,
    )


@pytest.mark.postgres
def test_an_erasure_and_a_deletion_of_the_same_aliases_do_not_deadlock() -> None:
    workspace = make_workspace()
    errors: list[BaseException] = []

    def run(work: Callable[[], object], together: threading.Barrier) -> None:
        try:
            together.wait(PATIENCE)
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    for _ in range(25):
        user = make_user(workspace)
        aliases = [make_alias(user) for _ in range(5)]
        for alias in aliases:
            link_with(workspace, alias.email)
        together = threading.Barrier(2)

        def delete(keys: list[int] = [alias.pk for alias in aliases]) -> None:  # noqa: B006  # of this round
            with transaction.atomic():
                Alias.objects.filter(pk__in=keys).delete()

        works: list[Callable[[], object]] = [partial(erase_user, user, now=timezone.now()), delete]
        threads = [threading.Thread(target=run, args=(work, together)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert errors == []
    assert not Alias.objects.exists()
