"""Counting the stored clicks again, a calendar month at a time, to rebuild or to check the rollups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.day_spans import DaySpan
from stats_app.dimensions import DIMENSIONS, YEARS, Dimension
from stats_app.periods import ONE_DAY, year_end
from stats_app.sql import reasons
from stats_app.sql.counting import COLUMNS, INTO_ROLLUPS, STORED_CLICKS, counted, day_params
from stats_app.sql.cursor import execute, rows


@dataclass(frozen=True, slots=True)
class MonthOfClicks:
    """The days of a calendar month whose clicks are still stored, with the start and end of each day."""

    start: date
    end: date
    spans: Sequence[DaySpan]

    @property
    def utc_days(self) -> tuple[date, date]:
        """The first and last day in UTC that these days touch in any zone."""
        return self.start - ONE_DAY, self.end + ONE_DAY


def rebuild(connection: BaseDatabaseWrapper, workspace_id: int, month: MonthOfClicks) -> None:
    """Counts the clicks of the month again, and replaces the stored counts of its days."""
    params = _params(connection, workspace_id, month)
    reasons.number_stored(connection, workspace_id, *month.utc_days)
    execute(connection, f"DELETE FROM stats_app_rollup WHERE {_STORED_DAYS}", params)
    execute(
        connection, f"WITH {counted(connection, _SOURCE)} {INTO_ROLLUPS} SELECT %(workspace)s, * FROM counted", params
    )


def differences(connection: BaseDatabaseWrapper, workspace_id: int, month: MonthOfClicks) -> list[tuple[Any, ...]]:
    """Rows `(dimension, key, day, side, *counts)` where clicks and rollups differ; the side is `counted` or `stored`.

    One statement reads both sides, because clicks that come in between two statements would look like differences.
    """
    columns = ", ".join(COLUMNS)
    return rows(
        connection,
        f"""
        WITH {counted(connection, _SOURCE)},
        expected AS (SELECT * FROM counted),
        stored AS (SELECT dimension, key, day, {columns} FROM stats_app_rollup WHERE {_STORED_DAYS})
        {_COMPARED}
        """,
        _params(connection, workspace_id, month),
    )


def _params(connection: BaseDatabaseWrapper, workspace_id: int, month: MonthOfClicks) -> dict[str, Any]:
    first, last = month.utc_days
    days = {"start": month.start, "end": month.end, "first_utc_day": first, "last_utc_day": last}
    return {"workspace": workspace_id, **days, **day_params(connection, month.spans)}


def rebuild_year(connection: BaseDatabaseWrapper, workspace_id: int, year: date) -> None:
    """Computes the sums of a calendar year from its stored days; `year` is the first day of the year."""
    params = _year_params(workspace_id, year)
    execute(connection, f"DELETE FROM stats_app_rollup WHERE {_STORED_YEARS}", params)
    execute(connection, f"{INTO_ROLLUPS} SELECT %(workspace)s, years.* FROM ({_YEARS}) AS years", params)


def year_differences(connection: BaseDatabaseWrapper, workspace_id: int, year: date) -> list[tuple[Any, ...]]:
    """As `differences`, comparing the sums of a calendar year with its stored days."""
    columns = ", ".join(COLUMNS)
    return rows(
        connection,
        f"""
        WITH expected (dimension, key, day, {columns}) AS ({_YEARS}),
        stored AS (SELECT dimension, key, day, {columns} FROM stats_app_rollup WHERE {_STORED_YEARS})
        {_COMPARED}
        """,
        _year_params(workspace_id, year),
    )


def _year_params(workspace_id: int, year: date) -> dict[str, Any]:
    return {"workspace": workspace_id, "first": year, "last": year_end(year)}


def strangers(connection: BaseDatabaseWrapper, workspace_id: int) -> int:
    """How many clicks refer to a campaign, user, alias or link that does not exist or is of another workspace."""
    references = " OR ".join(
        f"({column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {table} AS named "
        f"WHERE named.id = {column} AND named.workspace_id = stats_app_click.workspace_id))"
        for column, table in (
            ("campaign_id", "stats_app_campaign"),
            ("user_id", "stats_app_workspaceuser"),
            ("alias_id", "stats_app_alias"),
            ("link_id", "stats_app_trackedlink"),
        )
    )
    [(count,)] = rows(
        connection,
        f"SELECT count(*) FROM stats_app_click WHERE workspace_id = %(workspace)s AND ({references})",
        {"workspace": workspace_id},
    )
    return int(count)


_SOURCE = f"{STORED_CLICKS} AND utc_day BETWEEN %(first_utc_day)s AND %(last_utc_day)s"
_STORED_DAYS = (
    "workspace_id = %(workspace)s AND day BETWEEN %(start)s AND %(end)s AND dimension IN "
    f"({', '.join(str(dimension.code) for dimension in DIMENSIONS)})"
)
_COMPARED = f"""
    SELECT dimension, key, day, 'counted' AS side, {", ".join(COLUMNS)}
    FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) AS missing
    UNION ALL
    SELECT dimension, key, day, 'stored' AS side, {", ".join(COLUMNS)}
    FROM (SELECT * FROM stored EXCEPT SELECT * FROM expected) AS surplus
    ORDER BY 1, 3, 2, 4
"""


def _sums(dimension: Dimension) -> str:
    """Selects for each key of a dimension the sum of its stored days in a year."""
    sums = [f"sum({column})" for column in COLUMNS]
    return (
        f"SELECT {dimension.years}, key, %(first)s, {', '.join(sums)} FROM stats_app_rollup "
        f"WHERE workspace_id = %(workspace)s AND dimension = {dimension.code} AND day BETWEEN %(first)s AND %(last)s "
        f"GROUP BY key"
    )


_STORED_YEARS = (
    "workspace_id = %(workspace)s AND day BETWEEN %(first)s AND %(last)s AND dimension IN "
    f"({', '.join(map(str, YEARS))})"
)
_YEARS = " UNION ALL ".join(_sums(one) for one in DIMENSIONS if one.years is not None)
