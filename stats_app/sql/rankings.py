"""The campaigns or users with the most clicks in a period: exact, without adding up the days of all of them.

1. A campaign or user has no more clicks in a period than in the calendar years that the period touches. The sums of
   years are stored, so reading this bound costs a row or two for each.
2. Add up the days of those with the largest bounds. Their last place is a minimum for the top: nobody with fewer
   clicks can be in it.
3. Drop everybody whose bound is below this minimum. Add up the days of the others, mostly a few, too.
4. The top is among those whose days were added up. Ties are sorted by public id.

If clicks are spread so evenly that more than `MANY` are left after step 3, the days of all are added up instead,
because one scan of all rows is faster than so many look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import Dimension
from stats_app.periods import Period, year_start
from stats_app.sql.counts import TOTAL, DailyCounts, daily_counts, series
from stats_app.sql.cursor import is_postgresql, rows

MANY = 5_000

_TABLES = {"campaign": "stats_app_campaign", "user": "stats_app_workspaceuser"}


def top_totals(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    dimension: Dimension,
    period: Period,
    limit: int,
) -> list[tuple[int, int]]:
    """The keys with the most clicks in the period, with their clicks, the largest number first."""
    return [(key, int(clicks)) for key, clicks in _top(connection, workspace_id, dimension, period, limit, [])]


def top_series(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    dimension: Dimension,
    period: Period,
    limit: int,
) -> list[DailyCounts]:
    """As `top_totals`, with the clicks of each day in place of their sum."""
    ranked = _top(connection, workspace_id, dimension, period, limit, [TOTAL])
    return daily_counts(connection, [(key, *lists) for key, _, *lists in ranked])


def _top(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    dimension: Dimension,
    period: Period,
    limit: int,
    columns: Sequence[str],
) -> list[Sequence[Any]]:
    """Rows that contain a key, its clicks, and, if `columns` are given, its `series`."""
    search = _Search(connection, dimension, columns)
    params = {
        "workspace": workspace_id,
        "start": period.start,
        "end": period.end,
        "first_year": year_start(period.start),
        "limit": limit,
        "rank": limit - 1,
        "many": MANY,
    }
    ranked = rows(connection, search.of_few(), params)
    if ranked[0][-1] > MANY:
        ranked = rows(connection, search.of_all(), params)
    return [row[:-1] for row in ranked if row[0] is not None]


class _Search:
    """The two statements of a search. The last column of their rows is the number of keys left in step 3."""

    def __init__(self, connection: BaseDatabaseWrapper, dimension: Dimension, columns: Sequence[str]) -> None:
        self.dimension = dimension
        self.series = f", {series(connection, columns)}" if columns else ""
        self.collation = 'COLLATE "C"' if is_postgresql(connection) else ""
        # Without MATERIALIZED, PostgreSQL may add up all counts again for each name, if the statistics of the table are
        # from a time when it was empty.
        self.once = "MATERIALIZED" if is_postgresql(connection) else ""

    def of_few(self) -> str:
        return f"""
            WITH bounds AS (
                SELECT key, sum({TOTAL}) AS most FROM stats_app_rollup
                WHERE workspace_id = %(workspace)s AND dimension = {self.dimension.years}
                    AND day BETWEEN %(first_year)s AND %(end)s
                GROUP BY key
            ), largest AS (
                SELECT key FROM bounds ORDER BY most DESC LIMIT %(limit)s
            ), seen AS (
                {self._counts("AND key IN (SELECT key FROM largest)")}
            ), others AS (
                SELECT key FROM bounds
                WHERE key NOT IN (SELECT key FROM largest) AND most >= coalesce(
                    (SELECT clicks FROM seen ORDER BY clicks DESC LIMIT 1 OFFSET %(rank)s), 1
                )
                LIMIT %(many)s + 1
            ), few AS (
                SELECT key FROM others WHERE (SELECT count(*) FROM others) <= %(many)s
            ), counted AS {self.once} (
                SELECT * FROM seen UNION ALL {self._counts("AND key IN (SELECT key FROM few)")}
            )
            {self._first("(SELECT count(*) FROM others)")}
        """

    def of_all(self) -> str:
        return f"WITH counted AS ({self._counts('')}) {self._first('0')}"

    def _counts(self, keys: str) -> str:
        """Selects the clicks in the period. `keys` is a condition for the keys."""
        return f"""
            SELECT key, sum({TOTAL}) AS clicks{self.series} FROM stats_app_rollup
            WHERE workspace_id = %(workspace)s AND dimension = {self.dimension.code}
                AND day BETWEEN %(start)s AND %(end)s {keys}
            GROUP BY key
        """

    def _first(self, left: str) -> str:
        """Selects the first rows of `counted`, with `left` as the last column. If there are none, selects a row of
        NULLs, because the caller always needs `left`."""
        table = _TABLES[self.dimension.name]
        return f"""
            SELECT counted.*, {left} FROM (SELECT 1) AS one
                LEFT JOIN (counted JOIN {table} AS named ON named.id = key AND clicks > 0) ON true
            ORDER BY clicks DESC, named.public_id {self.collation} LIMIT %(limit)s
        """
