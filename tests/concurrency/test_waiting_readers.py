"""A reader who follows a link waits only shortly for a lock that somebody else holds, and the click is logged."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from stats_app import locks, visitors
from stats_app.database_errors import sqlstate
from stats_app.ingest import ClickInput, record_clicks
from stats_app.locks import in_pipeline
from stats_app.models import Click, TrackedLink
from stats_app.rollups import check, rebuild
from stats_app.sql import visits as network_locks
from stats_app.sql.workspaces import QUEUE, lock
from tests.concurrency.processes import PATIENCE
from tests.concurrency.test_writers import LOCKED, Failing
from tests.factories import make_alias, make_user, make_workspace
from tests.test_redirect import TARGET, follow, link_of

pytestmark = pytest.mark.django_db(transaction=True)

# Without a limit, a reader would wait until the lock is released, or four times the timeout of SQLite.
SOON = 25  # seconds


@pytest.fixture
def link() -> TrackedLink:
    """A link that was followed before, by which the time zone of the counts is stored."""
    workspace = make_workspace()
    user = make_user(workspace)
    link = link_of(workspace, "other", TARGET, user=user, alias=make_alias(user))
    record_clicks(workspace, [ClickInput("other", link=link)])
    return link


@contextmanager
def held(*statements: tuple[str, list[Any]]) -> Iterator[None]:
    """Inside this context another connection has run these statements, and holds their locks. After some time it
    releases them by itself, so that a reader who waits for them does not hang."""
    other = connection.copy()
    other.inc_thread_sharing()
    ended = threading.Lock()

    def release() -> None:
        with ended:
            other.close()

    with other.cursor() as cursor:
        cursor.execute("BEGIN" if other.vendor == "postgresql" else "BEGIN IMMEDIATE")
        for statement in statements:
            cursor.execute(*statement)
    timer = threading.Timer(min(2 * SOON, PATIENCE), release)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        release()


def queue(link: TrackedLink) -> tuple[str, list[Any]]:
    return "SELECT pg_advisory_xact_lock(%s, %s)", [QUEUE, link.workspace_id]


def row(link: TrackedLink) -> tuple[str, list[Any]]:
    return "SELECT 1 FROM stats_app_workspace WHERE id = %s FOR UPDATE", [link.workspace_id]


def alias(link: TrackedLink) -> tuple[str, list[Any]]:
    return "SELECT 1 FROM stats_app_alias WHERE id = %s FOR UPDATE", [link.alias_id]


def counts(link: TrackedLink) -> tuple[str, list[Any]]:
    return "SELECT 1 FROM stats_app_rollup WHERE workspace_id = %s FOR UPDATE", [link.workspace_id]


def network(link: TrackedLink) -> tuple[str, list[Any]]:
    return "SELECT pg_advisory_xact_lock(%s)", [1]


def follow_soon(link: TrackedLink, lost: Any) -> None:
    """Follows the link. The click must be logged soon."""
    number, began = len(lost()), time.monotonic()
    response = follow(link, at=timezone.now())
    assert time.monotonic() - began < SOON
    assert (response.status_code, response.headers["Location"]) == (302, TARGET)
    assert [line["link"] for line in lost()[number:]] == [link.token]


def waits_as_usual() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout" if connection.vendor == "postgresql" else "PRAGMA busy_timeout")
        return cursor.fetchone()


@pytest.mark.postgres
@pytest.mark.plain("it locks other rows there")
@pytest.mark.parametrize("taken", [queue, row, alias, counts, network])
def test_a_reader_does_not_wait_for_a_lock_of_postgresql(
    link: TrackedLink,
    taken: Callable[[TrackedLink], tuple[str, list[Any]]],
    lost: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        network_locks, "lock_network", lambda connection, _: network_locks.execute(connection, *network(link))
    )
    usual = waits_as_usual()
    with held(taken(link)):
        follow_soon(link, lost)
        assert waits_as_usual() == usual
    follow(link, at=timezone.now())
    assert (len(lost()), Click.objects.count(), waits_as_usual()) == (1, 2, usual)
    assert [*check(link.workspace)] == []


@pytest.mark.postgres
def test_the_first_reader_of_a_workspace_does_not_wait_either(lost: Any) -> None:
    link = link_of(make_workspace(), "other", TARGET)
    with held(queue(link)):
        follow_soon(link, lost)


@pytest.mark.postgres
def test_inside_the_callers_transaction_a_reader_does_not_wait_either(link: TrackedLink, lost: Any) -> None:
    usual = waits_as_usual()
    with transaction.atomic():
        with held(queue(link)):
            follow_soon(link, lost)
        follow(link, at=timezone.now())
    assert (len(lost()), Click.objects.count(), waits_as_usual()) == (1, 2, usual)


@pytest.mark.postgres
@pytest.mark.parametrize(("binding", "is_prepared"), [(False, True), (False, False), (True, True), (True, False)])
def test_the_limit_holds_in_every_way_to_send_a_statement(
    link: TrackedLink, binding: bool, is_prepared: bool, settings: Any
) -> None:
    settings.STATS_APP = {"PREPARED_STATEMENTS": is_prepared}
    other = connection.copy()
    other.settings_dict["OPTIONS"] = other.settings_dict["OPTIONS"] | {"server_side_binding": binding}
    try:
        with held(queue(link)), other.cursor() as cursor:
            cursor.execute("BEGIN")
            with pytest.raises(OperationalError) as caught:
                lock(other, link.workspace_id, alone=False, max_wait=0.01)
    finally:
        other.close()
    assert sqlstate(caught.value) == "55P03"


@pytest.mark.sqlite
@pytest.mark.parametrize("new_day", [False, True])
def test_a_reader_does_not_wait_for_a_writer_of_sqlite(
    link: TrackedLink, new_day: bool, lost: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if new_day:  # with a salt to be stored
        monkeypatch.setattr(visitors, "_cached", None)
    else:
        follow(link, at=timezone.now())
    usual, number = waits_as_usual(), Click.objects.count()
    with held():
        follow_soon(link, lost)
        assert waits_as_usual() == usual
    follow(link, at=timezone.now())
    assert (len(lost()), Click.objects.count(), waits_as_usual()) == (1, number + 1, usual)
    assert [*check(link.workspace)] == []


@pytest.mark.parametrize(("max_wait", "attempts"), [(PATIENCE, locks.ATTEMPTS), (0, 1)])
def test_nothing_is_tried_again_when_the_time_is_over(max_wait: float, attempts: int) -> None:
    work = Failing(9, LOCKED)
    with pytest.raises(OperationalError, match=LOCKED):
        in_pipeline(make_workspace().pk, lambda lock: work(lock()), using="default", max_wait=max_wait)
    assert work.attempts == attempts


class TimeIsUp(Exception):
    """As a task queue raises it in a signal handler when a task takes too long."""


def count_again(link: TrackedLink) -> None:
    rebuild(link.workspace)


def record_another(link: TrackedLink) -> None:
    record_clicks(link.workspace, [ClickInput("other", link=link)])


@pytest.mark.postgres
@pytest.mark.plain("it locks other rows there")
@pytest.mark.parametrize(
    ("act", "taken"),
    [
        (count_again, queue),
        (count_again, row),
        (record_another, queue),
        (record_another, row),
        (record_another, counts),
    ],
)
def test_a_time_limit_ends_the_wait_of_a_writer(
    act: Callable[[TrackedLink], object],
    taken: Callable[[TrackedLink], tuple[str, list[Any]]],
    link: TrackedLink,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stop(*_: object) -> None:
        raise TimeIsUp

    usual = signal.signal(signal.SIGALRM, stop)
    try:
        with held(taken(link)):
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            started = time.monotonic()
            with pytest.raises(TimeIsUp):
                act(link)
            assert time.monotonic() - started < SOON
    finally:
        signal.signal(signal.SIGALRM, usual)
    assert record_clicks(link.workspace, [ClickInput("other", link=link)]).accepted == 1
    assert (Click.objects.count(), caplog.records, [*check(link.workspace)]) == (2, [], [])
