"""The clicks for all measurements. The same seed and size give the same clicks.

The visits are on 400 days that end on 2026-02-05, in office hours. Their number grows with time, and is lower at
weekends. A visit is a geometric number of clicks of one user (mean 2.2) with exponential gaps (mean a minute). Few
users and campaigns have most of the clicks.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

SEED = 20260101
DAYS = 400
END = datetime(2026, 2, 5, tzinfo=UTC)
LAST_DAY = date(2026, 2, 4)
FIRST_DAY = LAST_DAY - timedelta(days=DAYS - 1)
CAMPAIGNS = 50
USERS = 100_000

VISIT_STOPS = 0.45  # after each click
MEAN_GAP = 60.0  # seconds
WEEKDAYS = (1.10, 1.15, 1.15, 1.10, 1.00, 0.75, 0.75)
HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 15, 17, 16, 13, 10, 13, 16, 16, 14, 10, 6, 4, 3, 2, 2, 1)
KINDS = (68, 17, 15)  # percent of campaign, vCard and other clicks
CAMPAIGN_KIND = 0


class WorkloadClick(NamedTuple):
    """One click. `campaign` and `user` are ranks, 0 the largest; only campaign clicks have a campaign."""

    id: bytes
    clicked_at: datetime
    kind: int
    campaign: int | None
    user: int


def clicks(size: int, users: int = USERS, campaigns: int = CAMPAIGNS, *, even: bool = False) -> Iterator[WorkloadClick]:
    """`size` clicks, day by day, each visit's clicks together. If `even`, all users have about as many, and all
    campaigns."""
    rng = random.Random(SEED)
    draws = _Draws(rng, users, campaigns, even)
    midnight = END - timedelta(days=DAYS)
    for quota in _quotas(size):
        yield from _day(rng, draws, midnight.timestamp(), quota)
        midnight += timedelta(days=1)


def _quotas(size: int) -> list[int]:
    """The number of clicks of each day: the factor of the weekday, times a linear growth from 1 to 1.5."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    weights = [(1 + 0.5 * n / (DAYS - 1)) * WEEKDAYS[day.weekday()] for n, day in enumerate(days)]
    ends = [round(size * part / sum(weights)) for part in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


class _Draws:
    """Random choices, drawn in bulk, because drawing one by one would take most of the time."""

    def __init__(self, rng: random.Random, users: int, campaigns: int, even: bool) -> None:
        self.rng = rng
        self.users = list(accumulate(1.0 if even else (rank + 10) ** -0.9 for rank in range(users)))
        self.campaigns = list(accumulate(1.0 if even else 1 / (k + 1) for k in range(campaigns)))
        self.hours = list(accumulate(HOURS))
        self.kinds = list(accumulate(KINDS))

    def many(self, cum_weights: Sequence[float], number: int) -> list[int]:
        return self.rng.choices(range(len(cum_weights)), cum_weights=cum_weights, k=number)


def _day(rng: random.Random, draws: _Draws, midnight: float, quota: int) -> Iterator[WorkloadClick]:
    users, hours = draws.many(draws.users, quota), draws.many(draws.hours, quota)
    kinds, campaigns = draws.many(draws.kinds, quota), draws.many(draws.campaigns, quota)
    last_moment = END.timestamp() - 0.001
    visit, moment, goes_on = -1, 0.0, False
    for number in range(quota):
        if goes_on:
            moment += rng.expovariate(1 / MEAN_GAP)
        else:
            visit += 1
            moment = midnight + hours[visit] * 3600 + rng.random() * 3600
        goes_on = rng.random() >= VISIT_STOPS
        milliseconds = math.floor(min(moment, last_moment) * 1000)
        yield WorkloadClick(
            milliseconds.to_bytes(6, "big") + rng.randbytes(10),
            datetime.fromtimestamp(milliseconds / 1000, UTC),
            kinds[number],
            campaigns[number] if kinds[number] == CAMPAIGN_KIND else None,
            users[visit],
        )
