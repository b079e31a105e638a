"""The campaigns and users with the most clicks, without reading the counts of all.

A key has at most the clicks of the calendar years that a period touches. So the days of the largest keys of these years
tell how many clicks the last of the top has at least, and all keys that have fewer in these years are out. What is left
are some dozens, whose days are read. Where clicks are spread so evenly that many keys are left, `top_campaigns` and
`top_users` give up and answer None; `top_of_all` reads the days of all.

Not even the years are read of all: their sums are found in the order of their size through an index on `Rollup.size`,
which stays the same for most clicks. An index on the counts themselves would have to change with every click.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import CAMPAIGN_DAYS, CAMPAIGN_YEARS, USER_DAYS, USER_YEARS
from stats_app.periods import ONE_DAY, Period, year_start
from stats_app.sql.counts import TOTAL, DailyCounts, daily_counts, series
from stats_app.sql.cursor import is_postgresql, rows

# Beyond, it takes longer to look each campaign or user up than to read the days of all.
MANY_CAMPAIGN_DAYS = 30_000
MANY_USERS = 5_000

Top = list[tuple[int, int]]
"""Keys and their clicks, most first, ties by public id."""

_YEARS = {CAMPAIGN_DAYS: CAMPAIGN_YEARS, USER_DAYS: USER_YEARS}
_TABLES = {CAMPAIGN_DAYS: "stats_app_campaign", USER_DAYS: "stats_app_workspaceuser"}


def top_campaigns(
    connection: BaseDatabaseWrapper, workspace_id: int, period: Period, limit: int, many: int = MANY_CAMPAIGN_DAYS
) -> list[DailyCounts] | None:
    """The campaigns with the most clicks in the period, most first, ties by public id, each with its days. Exact.

    None when more than `many` days of campaigns would have to be read.
    """
    counts = f"""
        SELECT key, sum({TOTAL}) AS clicks, {series(connection, [TOTAL])} FROM stats_app_rollup
        WHERE workspace_id = %(workspace)s AND dimension = {CAMPAIGN_DAYS} AND day BETWEEN %(start)s AND %(end)s
            AND key IN (SELECT key FROM {{keys}}) GROUP BY key
    """
    params = _params(workspace_id, period, limit)
    found = _top(connection, CAMPAIGN_DAYS, period, counts, "offsets, counts_0", params, many // period.days)
    return None if found is None else daily_counts(connection, found)


def top_users(
    connection: BaseDatabaseWrapper, workspace_id: int, period: Period, limit: int, many: int = MANY_USERS
) -> Top | None:
    """The users with the most clicks in the period, most first, ties by public id. Exact.

    None when more than `many` users would have to be looked up.
    """
    params = _params(workspace_id, period, limit)
    parts = []
    for number, (dimension, start, end) in enumerate(_pieces(period)):
        parts.append(
            f"SELECT key, {TOTAL} AS clicks FROM stats_app_rollup WHERE workspace_id = %(workspace)s "
            f"AND dimension = {dimension} AND day BETWEEN %(start_{number})s AND %(end_{number})s "
            "AND key IN (SELECT key FROM {keys})"
        )
        params |= {f"start_{number}": start, f"end_{number}": end}
    counts = f"SELECT key, sum(clicks) AS clicks FROM ({' UNION ALL '.join(parts)}) AS parts GROUP BY key"
    found = _top(connection, USER_DAYS, period, counts, "clicks", params, many)
    return None if found is None else [(key, int(clicks)) for key, clicks in found]


def _top(
    connection: BaseDatabaseWrapper,
    dimension: int,
    period: Period,
    counts: str,
    columns: str,
    params: dict[str, Any],
    many: int,
) -> list[Sequence[Any]] | None:
    """Rows of a key and the `columns` of its counts in the period. None when it may be one of more than `many`.

    `counts` is the statement that reads `clicks` and these columns for the keys of a table in the place of `{keys}`.
    """
    years = [date(year, 1, 1) for year in range(period.start.year, period.end.year + 1)]
    # A key has an equal share of its clicks, or more, in one of the years at least.
    share = f"(({_LEAST} + {len(years) - 1}) / {len(years)})"
    statement = f"""
        WITH large AS (
            {_of_each_year(dimension, years, "ORDER BY size DESC LIMIT 2 * %(limit)s")}
        ), largest AS (
            SELECT key FROM ({_bounds(dimension, "large")}) AS bounds ORDER BY most DESC LIMIT %(limit)s
        ), seen AS (
            {counts.format(keys="largest")}
        ), others AS (
            {_of_each_year(dimension, years, f"AND size >= {size_of(connection, share)} LIMIT %(many)s + 1")}
        ), candidates AS (
            SELECT key FROM ({_bounds(dimension, "others")}) AS bounds
            WHERE (SELECT count(*) FROM others) <= %(many)s AND most >= {_LEAST}
                AND key NOT IN (SELECT key FROM largest)
        ), counted AS (
            SELECT * FROM seen UNION ALL {counts.format(keys="candidates")}
        )
        SELECT (SELECT count(*) FROM others), key, {columns} {_first(connection, dimension)}
    """
    params |= {"many": many} | {f"year_{number}": year for number, year in enumerate(years)}
    found = rows(connection, statement, params)
    if found[0][0] > many:
        return None
    return [row[1:] for row in found if row[1] is not None]


def top_of_all(connection: BaseDatabaseWrapper, workspace_id: int, dimension: int, period: Period, limit: int) -> Top:
    """The campaigns or users with the most clicks in the period, by reading the days of all. Exact."""
    statement = f"""
        WITH sums AS (
            SELECT key, sum({TOTAL}) AS clicks FROM stats_app_rollup
            WHERE workspace_id = %(workspace)s AND dimension = %(dimension)s AND day BETWEEN %(start)s AND %(end)s
            GROUP BY key
        ), counted AS (
            SELECT key, clicks FROM sums
            WHERE clicks >= coalesce((SELECT clicks FROM sums ORDER BY clicks DESC LIMIT 1 OFFSET %(rank)s), 1)
        )
        SELECT key, clicks {_first(connection, dimension)}
    """
    found = rows(connection, statement, _params(workspace_id, period, limit) | {"dimension": dimension})
    return [(key, int(clicks)) for key, clicks in found if key is not None]


# What the last of the top has at least: those of the largest that were seen have it, too.
_LEAST = "coalesce((SELECT clicks FROM seen WHERE clicks > 0 ORDER BY clicks DESC LIMIT 1 OFFSET %(rank)s), 1)"


def _params(workspace_id: int, period: Period, limit: int) -> dict[str, Any]:
    return {
        "workspace": workspace_id,
        "start": period.start,
        "end": period.end,
        "year": year_start(period.start),
        "limit": limit,
        "rank": limit - 1,
    }


def _first(connection: BaseDatabaseWrapper, dimension: int) -> str:
    """The end of a statement: the first rows of `counted`, or one of NULLs where there are none."""
    collation = 'COLLATE "C"' if is_postgresql(connection) else ""
    return f"""
        FROM (SELECT 1) AS one
            LEFT JOIN (counted JOIN {_TABLES[dimension]} AS named ON named.id = key AND clicks > 0) ON true
        ORDER BY clicks DESC, named.public_id {collation} LIMIT %(limit)s
    """


def _of_each_year(dimension: int, years: Sequence[date], narrowed: str) -> str:
    """The keys of some sums of each year: for several years at once the database would sort or scan them all."""
    # The dimension is written out, since no index of some dimensions alone is taken for a parameter.
    return " UNION ".join(
        f"SELECT key FROM (SELECT key FROM stats_app_rollup WHERE workspace_id = %(workspace)s "
        f"AND dimension = {_YEARS[dimension]} AND day = %(year_{number})s {narrowed}) AS year_{number}"
        for number in range(len(years))
    )


def _bounds(dimension: int, keys: str) -> str:
    """The clicks of these keys in all the years, of which the period has no more."""
    return (
        f"SELECT key, sum({TOTAL}) AS most FROM stats_app_rollup WHERE workspace_id = %(workspace)s AND "
        f"dimension = {_YEARS[dimension]} AND day BETWEEN %(year)s AND %(end)s AND key IN (SELECT key FROM {keys}) "
        "GROUP BY key"
    )


def size_of(connection: BaseDatabaseWrapper, number: str) -> str:
    """What `Rollup.size` is of a count: the number of its digits, then the first. It never falls as counts rise."""
    text = f"CAST({number} AS {'text' if is_postgresql(connection) else 'TEXT'})"
    return f"(SELECT length({text}) * 10 + CAST(substr({text}, 1, 1) AS integer))"


def _pieces(period: Period) -> list[tuple[int, date, date]]:
    """The dimensions and days to read, so that each day of the period is counted once."""
    years = period.whole_years()
    if years is None:
        return [(USER_DAYS, period.start, period.end)]
    pieces = [
        (USER_DAYS, period.start, years.start - ONE_DAY),
        (USER_YEARS, years.start, year_start(years.end)),
        (USER_DAYS, years.end + ONE_DAY, period.end),
    ]
    return [piece for piece in pieces if piece[1] <= piece[2]]
