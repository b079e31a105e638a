"""Counting the clicks themselves, a calendar month at a time: to rebuild the rollups and to compare them.

No time-zone function of a database is used, since they differ and some return NULL: the caller says which stretches of
time are which local day.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import DIMENSIONS, YEARS, Dimension
from stats_app.periods import DaySpan, year_end
from stats_app.sql.counts import COLUMNS
from stats_app.sql.cursor import array, execute, is_postgresql, rows


@dataclass(frozen=True, slots=True)
class MonthOfClicks:
    """The days of a calendar month whose raw clicks are there, with the stretches of time that they are."""

    start: date
    end: date
    spans: Sequence[DaySpan]


def rebuild(connection: BaseDatabaseWrapper, workspace_id: int, month: MonthOfClicks) -> None:
    """Counts the days of the month anew."""
    params = _params(connection, workspace_id, month)
    into = f"INSERT INTO stats_app_rollup (workspace_id, dimension, key, day, {', '.join(COLUMNS)})"
    execute(connection, f"DELETE FROM stats_app_rollup WHERE {_STORED_DAYS}", params)
    counted = f"WITH {_counted_days(connection)} SELECT %(workspace)s, counted.* FROM counted"
    execute(connection, f"{into} {counted}", params)


def differences(connection: BaseDatabaseWrapper, workspace_id: int, month: MonthOfClicks) -> list[tuple[Any, ...]]:
    """Rows `(dimension, key, day, side, *counts)` where clicks and rollups differ; the side is `counted` or `stored`.

    One statement, so that both sides are of one moment, also while clicks come in.
    """
    columns = ", ".join(COLUMNS)
    return rows(
        connection,
        f"""
        WITH {_counted_days(connection)},
        expected AS (SELECT * FROM counted),
        stored AS (SELECT dimension, key, day, {columns} FROM stats_app_rollup WHERE {_STORED_DAYS} AND ({_NOT_ZERO}))
        {_COMPARED}
        """,
        _params(connection, workspace_id, month),
    )


def rebuild_year(connection: BaseDatabaseWrapper, workspace_id: int, year: date) -> None:
    """Adds up the sums of the calendar year from its stored days; `year` is its first day."""
    params = _year_params(workspace_id, year)
    into = f"INSERT INTO stats_app_rollup (workspace_id, dimension, key, day, {', '.join(COLUMNS)})"
    execute(connection, f"DELETE FROM stats_app_rollup WHERE {_STORED_YEARS}", params)
    execute(connection, f"{into} SELECT %(workspace)s, years.* FROM ({_YEARS}) AS years", params)


def year_differences(connection: BaseDatabaseWrapper, workspace_id: int, year: date) -> list[tuple[Any, ...]]:
    """As `differences`: the sums of a calendar year held against its stored days."""
    columns = ", ".join(COLUMNS)
    return rows(
        connection,
        f"""
        WITH expected (dimension, key, day, {columns}) AS ({_YEARS}),
        stored AS (SELECT dimension, key, day, {columns} FROM stats_app_rollup WHERE {_STORED_YEARS} AND ({_NOT_ZERO}))
        {_COMPARED}
        """,
        _year_params(workspace_id, year),
    )


def _year_params(workspace_id: int, year: date) -> dict[str, Any]:
    return {"workspace": workspace_id, "first": year, "last": year_end(year)}


def strangers(connection: BaseDatabaseWrapper, workspace_id: int) -> int:
    """How many clicks name a campaign, user, alias or link that is not of their workspace, or not there at all."""
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


_HUMAN = 0
_NOT_ZERO = " OR ".join(f"{column} <> 0" for column in COLUMNS)
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
    """The stored days of a dimension added up by key over a year."""
    sums = [f"sum({column})" for column in COLUMNS]
    return (
        f"SELECT {dimension.years}, key, %(first)s, {', '.join(sums)} FROM stats_app_rollup "
        f"WHERE workspace_id = %(workspace)s AND dimension = {dimension.code} AND day BETWEEN %(first)s AND %(last)s "
        f"GROUP BY key HAVING {' OR '.join(f'{one} <> 0' for one in sums)}"
    )


_STORED_YEARS = (
    "workspace_id = %(workspace)s AND day BETWEEN %(first)s AND %(last)s AND dimension IN "
    f"({', '.join(map(str, YEARS))})"
)
_YEARS = " UNION ALL ".join(_sums(one) for one in DIMENSIONS if one.years is not None)


def _counted_days(connection: BaseDatabaseWrapper) -> str:
    """The common table `counted`: what the rollups of the days must hold, by the clicks."""
    if is_postgresql(connection):
        spans = (
            "SELECT * FROM unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], "
            "%(first)s::date[], %(last)s::date[])"
        )
    else:
        spans = f"SELECT {', '.join(f'value ->> {position}' for position in range(5))} FROM json_each(%(spans)s)"
    return f"""
        spans (day, starts, ends, first_utc_day, last_utc_day) AS ({spans}),
        clicks AS (
            SELECT spans.day, kind, verdict, campaign_id, user_id FROM spans JOIN stats_app_click ON
                workspace_id = %(workspace)s AND utc_day BETWEEN first_utc_day AND last_utc_day
                AND clicked_at >= starts AND clicked_at < ends
        ),
        counted AS ({" UNION ALL ".join(_counted(dimension) for dimension in DIMENSIONS)})
    """


def _counted(dimension: Dimension) -> str:
    key = dimension.key or "0"
    kinds = ", ".join(f"count(*) FILTER (WHERE kind = {kind}) AS {column}" for kind, column in enumerate(COLUMNS))
    group = f"{dimension.key}, day" if dimension.key else "day"
    return (
        f"SELECT {dimension.code} AS dimension, {key} AS key, day, {kinds} FROM clicks "
        f"WHERE verdict {'=' if dimension.human else '<>'} {_HUMAN} AND {key} IS NOT NULL GROUP BY {group}"
    )


def _params(connection: BaseDatabaseWrapper, workspace_id: int, month: MonthOfClicks) -> dict[str, Any]:
    columns: list[Sequence[Any]] = [
        [span.day for span in month.spans],
        [span.start for span in month.spans],
        [span.end for span in month.spans],
        [span.start.date() for span in month.spans],
        [(span.end - timedelta(seconds=1)).date() for span in month.spans],
    ]
    params = {
        "workspace": workspace_id,
        "start": month.start,
        "end": month.end,
    }
    if is_postgresql(connection):
        names = ("days", "starts", "ends", "first", "last")
        return params | {
            name: array(f'"{value}"' for value in column) for name, column in zip(names, columns, strict=True)
        }
    texts = [[_sqlite_text(value) for value in row] for row in zip(*columns, strict=True)]
    return params | {"spans": json.dumps(texts)}


def _sqlite_text(value: date | datetime) -> str:
    return str(value.replace(tzinfo=None) if isinstance(value, datetime) else value)
