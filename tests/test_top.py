"""The users and campaigns with the most clicks are those of a plain count, whatever bounds are used to find them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from stats_app import dimensions, rollups, store
from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Rollup, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.sql import rankings
from tests.factories import make_campaign, make_user, make_workspace, record_all

TOP = 3
FIRST, LAST = date(2023, 11, 1), date(2026, 2, 28)

days = st.dates(FIRST, LAST)
# Few users and large numbers side by side, so that bounds and ties both decide.
drawn_clicks = st.lists(st.tuples(st.integers(0, 14), days, st.sampled_from([1, 1, 2, 9, 10, 40])), max_size=40)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def store_clicks(workspace: Workspace, users: list[WorkspaceUser], drawn: list[tuple[int, date, int]]) -> None:
    clicks = [
        ClickInput("vcard", user=users[number], clicked_at=noon(day))
        for number, day, times in drawn
        for _ in range(times)
    ]
    record_all(workspace, clicks, now=noon(LAST))


def plain_top(
    users: Sequence[WorkspaceUser | Campaign], drawn: list[tuple[int, date, int]], period: Period
) -> list[tuple[int, int]]:
    counted: Counter[int] = Counter()
    for number, day, times in drawn:
        if period.start <= day <= period.end:
            counted[number] += times
    ordered = sorted(counted, key=lambda number: (-counted[number], users[number].public_id))
    return [(users[number].pk, counted[number]) for number in ordered[:TOP]]


def found_top(workspace: Workspace, period: Period) -> list[tuple[int, int]]:
    found = store.counts(workspace.pk, period, ("user",), top=TOP)
    return [(int(key), clicks) for (key,), [clicks] in found.items()]


class TopTest(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(drawn_clicks, st.lists(st.tuples(days, days), min_size=3, max_size=6))
    def test_users_are_those_of_a_plain_count(
        self, drawn: list[tuple[int, date, int]], ends: list[tuple[date, date]]
    ) -> None:
        workspace, other = make_workspace(), make_workspace()
        users = [make_user(workspace) for _ in range(15)]
        store_clicks(workspace, users, drawn)
        store_clicks(other, [make_user(other)], [(0, day, 50) for _, day, _ in drawn[:2]])
        for one, two in [*ends, (FIRST, LAST), (date(2024, 1, 1), date(2025, 12, 31))]:
            period = Period(min(one, two), max(one, two))
            expected = plain_top(users, drawn, period)
            assert found_top(workspace, period) == expected
            assert rankings.top_of_all(connection, workspace.pk, dimensions.USER_DAYS, period, TOP) == expected
            # Clicks that are spread evenly: too many users to look at each.
            for many in (4, 0):
                assert rankings.top_users(connection, workspace.pk, period, TOP, many=many) in (None, expected)
        assert list(rollups.check(workspace)) == []

    @settings(max_examples=60, deadline=None)
    @given(drawn_clicks, st.lists(st.tuples(days, days), min_size=3, max_size=6))
    def test_campaigns_are_those_of_a_plain_count(
        self, drawn: list[tuple[int, date, int]], ends: list[tuple[date, date]]
    ) -> None:
        workspace = make_workspace()
        campaigns = [make_campaign(workspace) for _ in range(15)]
        clicks = [
            ClickInput("campaign", campaign=campaigns[number], clicked_at=noon(day))
            for number, day, times in drawn
            for _ in range(times)
        ]
        record_all(workspace, clicks, now=noon(LAST))
        for one, two in [*ends, (FIRST, LAST), (LAST - timedelta(days=29), LAST), (LAST, LAST)]:
            period = Period(min(one, two), max(one, two))
            found = store.counts(workspace.pk, period, ("campaign", "day"), top=TOP)
            expected = plain_top(campaigns, drawn, period)
            assert [(key, sum(daily)) for (key,), daily in found.items()] == expected
            assert rankings.top_of_all(connection, workspace.pk, dimensions.CAMPAIGN_DAYS, period, TOP) == expected
            for many in (4 * period.days, 0):
                series = rankings.top_campaigns(connection, workspace.pk, period, TOP, many=many)
                assert series is None or [(one.key, sum(one.columns[0])) for one in series] == expected


def give_up(*args: object, **kwargs: object) -> None:
    """What a bounded search answers where clicks are spread evenly over very many."""


class KeptTopTest(TestCase):
    """Where all must be counted, that is kept until the counts change; so it must never be what they were before."""

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.lists(st.tuples(st.integers(0, 7), days, st.sampled_from([1, 3])), max_size=4), max_size=6),
        st.lists(st.tuples(days, days), min_size=1, max_size=3),
    )
    def test_what_is_kept_is_what_a_plain_count_says(
        self, batches: list[list[tuple[int, date, int]]], ends: list[tuple[date, date]]
    ) -> None:
        workspace, drawn = make_workspace(), list[tuple[int, date, int]]()
        users = [make_user(workspace) for _ in range(8)]
        periods = [Period(min(pair), max(pair)) for pair in [*ends, (FIRST, LAST)]]
        with mock.patch.multiple(rankings, top_users=give_up, top_campaigns=give_up):
            for batch in [[], *batches]:
                store_clicks(workspace, users, batch)
                drawn += batch
                for period in periods * 2:
                    with self.captureOnCommitCallbacks(execute=True):
                        found = found_top(workspace, period)
                    assert found == plain_top(users, drawn, period)


@pytest.fixture
def even_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rankings, "top_users", give_up)
    monkeypatch.setattr(rankings, "top_campaigns", give_up)


JUNE = Period(date(2025, 6, 1), date(2025, 6, 30))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("even_clicks")
def test_all_are_counted_once_until_counts_change(django_assert_num_queries: Any) -> None:
    workspace = make_workspace()
    users = [make_user(workspace), make_user(workspace)]
    store_clicks(workspace, users, [(0, date(2025, 6, 1), 2), (1, date(2025, 6, 2), 1)])
    with django_assert_num_queries(2):  # the state of the counts, and the count
        assert found_top(workspace, JUNE) == [(users[0].pk, 2), (users[1].pk, 1)]
    with django_assert_num_queries(1):
        assert found_top(workspace, JUNE) == [(users[0].pk, 2), (users[1].pk, 1)]
    store_clicks(workspace, users, [(1, date(2025, 7, 1), 5)])
    with django_assert_num_queries(1):  # not in June
        assert found_top(workspace, JUNE) == [(users[0].pk, 2), (users[1].pk, 1)]
    store_clicks(workspace, users, [(1, date(2025, 6, 30), 2)])
    assert found_top(workspace, JUNE) == [(users[1].pk, 3), (users[0].pk, 2)]


@pytest.mark.django_db
def test_a_search_that_gave_up_is_not_tried_again_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    users = [make_user(workspace)]
    store_clicks(workspace, users, [(0, date(2025, 6, 1), 2)])
    search = mock.Mock(side_effect=give_up)
    monkeypatch.setattr(rankings, "top_users", search)
    july = Period(date(2025, 7, 1), date(2025, 7, 31))
    for period, tried in ((JUNE, 1), (JUNE, 1), (july, 2), (JUNE, 2), (july, 2)):
        found_top(workspace, period)
        assert search.call_count == tried


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("even_clicks")
def test_campaigns_that_are_kept_come_with_their_days() -> None:
    workspace = make_workspace()
    campaigns = [make_campaign(workspace) for _ in range(3)]
    for number, day in ((0, 1), (1, 2), (1, 4), (2, 1)):
        moment = noon(date(2025, 6, day))
        record_all(workspace, [ClickInput("campaign", campaign=campaigns[number], clicked_at=moment)], now=noon(LAST))
    period = Period(date(2025, 6, 1), date(2025, 6, 4))
    expected = [(campaigns[1].pk, [0, 1, 0, 1])]
    expected += [(one.pk, [1, 0, 0, 0]) for one in sorted((campaigns[0], campaigns[2]), key=lambda one: one.public_id)]
    for _ in range(2):
        found = store.counts(workspace.pk, period, ("campaign", "day"), top=TOP)
        assert [(key, daily) for (key,), daily in found.items()] == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("even_clicks")
def test_what_is_undone_is_not_kept() -> None:
    workspace = make_workspace()
    users = [make_user(workspace), make_user(workspace)]
    with transaction.atomic():
        store_clicks(workspace, users, [(0, date(2025, 6, 1), 1)])
        assert found_top(workspace, JUNE) == [(users[0].pk, 1)]
        transaction.set_rollback(True)
    store_clicks(workspace, users, [(1, date(2025, 6, 1), 1)])
    assert found_top(workspace, JUNE) == [(users[1].pk, 1)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("even_clicks")
def test_what_moves_clicks_from_one_to_the_other_is_not_hidden_by_what_is_kept() -> None:
    """The period's clicks are as many as before, after each of these."""
    workspace = make_workspace()
    users = [make_user(workspace), make_user(workspace)]
    first, second = users[0].pk, users[1].pk
    store_clicks(workspace, users, [(0, date(2025, 6, 1), 2), (1, date(2025, 6, 2), 1)])
    assert found_top(workspace, JUNE) == [(first, 2), (second, 1)]
    changes = {(2, first, date(2025, 6, 1)): (0, -2, 0), (2, second, date(2025, 6, 1)): (0, 2, 0)}
    store.apply(workspace.pk, changes, using="default")
    assert found_top(workspace, JUNE) == [(second, 3)]
    rollups.rebuild(workspace)
    assert found_top(workspace, JUNE) == [(first, 2), (second, 1)]
    store_clicks(workspace, users, [(1, date(2025, 5, 31), 4)])
    assert found_top(workspace, JUNE) == [(first, 2), (second, 1)]
    # Noon in UTC is the next day at the date line.
    rollups.change_timezone(workspace, "Pacific/Kiritimati")
    assert found_top(workspace, JUNE) == [(second, 5), (first, 2)]


@pytest.mark.django_db
@pytest.mark.usefixtures("even_clicks")
def test_a_cache_that_is_out_of_order_costs_time_only(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    workspace = make_workspace()
    users = [make_user(workspace)]
    store_clicks(workspace, users, [(0, date(2025, 6, 1), 2)])

    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr(store, "cache", mock.Mock(get=refuse, set=refuse))
    assert found_top(workspace, JUNE) == [(users[0].pk, 2)]
    messages = {"The cache cannot be read.", "The cache cannot be written."}
    assert {record.getMessage() for record in caplog.records} == messages


@pytest.mark.django_db
def test_ties_go_by_public_id_also_when_they_are_many() -> None:
    workspace = make_workspace()
    users = [make_user(workspace) for _ in range(12)]
    drawn = [(number, date(2025, 6, 1) + timedelta(days=number), 1) for number in range(12)]
    store_clicks(workspace, users, drawn)
    period = Period(date(2025, 6, 1), date(2025, 6, 30))
    first = sorted(users, key=lambda user: user.public_id)[:TOP]
    assert found_top(workspace, period) == [(user.pk, 1) for user in first]


@pytest.mark.django_db
def test_the_sums_of_years_can_be_thrown_away_and_added_up_again() -> None:
    workspace = make_workspace()
    users = [make_user(workspace)]
    store_clicks(workspace, users, [(0, date(2024, 12, 31), 2), (0, date(2025, 1, 1), 3)])
    years = Rollup.objects.filter(workspace=workspace, dimension=22).order_by("day")
    expected = [(date(2024, 1, 1), 2, 12), (date(2025, 1, 1), 3, 13)]
    assert list(years.values_list("day", "vcard_clicks", "size")) == expected
    years.filter(day=date(2024, 1, 1)).delete()
    years.update(vcard_clicks=7)
    assert [str(difference) for difference in rollups.check(workspace)] == [
        f"2024-01-01 user by year {users[0].pk}: 0/2/0 counted, 0/0/0 stored",
        f"2025-01-01 user by year {users[0].pk}: 0/3/0 counted, 0/7/0 stored",
    ]
    rollups.rebuild(workspace)
    assert list(years.values_list("day", "vcard_clicks", "size")) == expected
    assert list(rollups.check(workspace)) == []


@pytest.mark.django_db
def test_a_size_never_falls_as_counts_rise() -> None:
    numbers = ", ".join(f"({number})" for number in range(1, 3000))
    size = rankings.size_of(connection, "number")
    with connection.cursor() as cursor:
        statement = f"WITH counts (number) AS (VALUES {numbers}) SELECT number, {size} FROM counts ORDER BY number"  # noqa: S608  # numbers of our own
        cursor.execute(statement)
        sizes = dict(cursor.fetchall())
    assert list(sizes.values()) == sorted(sizes.values())
    assert [sizes[number] for number in (1, 9, 10, 1999, 2000)] == [11, 19, 21, 41, 42]


@pytest.mark.django_db
def test_too_many_to_look_at_is_said_and_never_answered_in_part() -> None:
    workspace, campaigns = make_workspace(), []
    for number in range(12):
        campaigns.append(make_campaign(workspace))
        user, day = make_user(workspace), date(2025, 6, 1) + timedelta(days=number)
        record_all(
            workspace, [ClickInput("campaign", campaign=campaigns[-1], user=user, clicked_at=noon(day))], now=noon(LAST)
        )
    period = Period(date(2025, 6, 1), date(2025, 6, 30))
    assert rankings.top_users(connection, workspace.pk, period, TOP, many=11) is None
    assert len(rankings.top_users(connection, workspace.pk, period, TOP, many=12) or ()) == TOP
    assert rankings.top_campaigns(connection, workspace.pk, period, TOP, many=12 * 30 - 1) is None
    assert len(rankings.top_campaigns(connection, workspace.pk, period, TOP, many=12 * 30) or ()) == TOP
