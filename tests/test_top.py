"""The users and campaigns with the most clicks are those of a plain count, with any bounds in the search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from stats_app import rollups, store
from stats_app.dimensions import USER_YEARS
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


def top_users(workspace: Workspace, period: Period) -> list[tuple[int, int]]:
    counts = store.counts(workspace.pk, period, ("user",), top=TOP)
    return [(int(key), clicks) for (key,), [clicks] in counts.items()]


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
            assert top_users(workspace, period) == expected
            # Clicks are spread evenly, so that more users are left than the search looks up one by one.
            for many in (4, 0):
                with mock.patch.object(rankings, "MANY", many):
                    assert top_users(workspace, period) == expected
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
            counted = store.counts(workspace.pk, period, ("campaign", "day"), top=TOP)
            expected = plain_top(campaigns, drawn, period)
            assert [(key, sum(daily)) for (key,), daily in counted.items()] == expected
            for many in (4, 0):
                with mock.patch.object(rankings, "MANY", many):
                    assert store.counts(workspace.pk, period, ("campaign", "day"), top=TOP) == counted


@pytest.mark.django_db
def test_ties_go_by_public_id_also_when_they_are_many() -> None:
    workspace = make_workspace()
    users = [make_user(workspace) for _ in range(12)]
    drawn = [(number, date(2025, 6, 1) + timedelta(days=number), 1) for number in range(12)]
    store_clicks(workspace, users, drawn)
    period = Period(date(2025, 6, 1), date(2025, 6, 30))
    first = sorted(users, key=lambda user: user.public_id)[:TOP]
    assert top_users(workspace, period) == [(user.pk, 1) for user in first]


@pytest.mark.django_db
def test_the_sums_of_years_can_be_thrown_away_and_added_up_again() -> None:
    workspace = make_workspace()
    users = [make_user(workspace)]
    store_clicks(workspace, users, [(0, date(2024, 12, 31), 2), (0, date(2025, 1, 1), 3)])
    years = Rollup.objects.filter(workspace=workspace, dimension=USER_YEARS).order_by("day")
    expected = [(date(2024, 1, 1), 2), (date(2025, 1, 1), 3)]
    assert list(years.values_list("day", "vcard_clicks")) == expected
    years.filter(day=date(2024, 1, 1)).delete()
    years.update(vcard_clicks=7)
    assert [str(difference) for difference in rollups.check(workspace)] == [
        f"2024-01-01 user by year {users[0].pk}: 0/2/0 counted, 0/0/0 stored",
        f"2025-01-01 user by year {users[0].pk}: 0/3/0 counted, 0/7/0 stored",
    ]
    rollups.rebuild(workspace)
    assert list(years.values_list("day", "vcard_clicks")) == expected
    assert list(rollups.check(workspace)) == []
