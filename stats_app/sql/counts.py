"""Reading the rollups. Each row has at least one click: rows without clicks are deleted (`counting.delete_empty`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import WORKSPACE_DAYS
from stats_app.sql.counting import COLUMNS
from stats_app.sql.cursor import among, is_postgresql, number_list, rows

TOTAL = " + ".join(COLUMNS)
_SUMS = ", ".join(f"sum({column})" for column in COLUMNS)

Keys = int | Sequence[int] | None
"""One key of a dimension, several keys, or None for all keys."""


class DailyCounts(NamedTuple):
    """The counts of one key: the days that have counts, as offsets from the first day, and each column's counts on
    them."""

    key: int
    offsets: Sequence[int]
    columns: Sequence[Sequence[int]]


def totals(
    connection: BaseDatabaseWrapper, workspace_id: int, dimension: int, keys: Keys, start: date, end: date
) -> list[tuple[int, list[int]]]:
    """The sum of each column over the range of days, for each of the keys that has rows in it."""
    statement = f"SELECT key, {_SUMS} FROM stats_app_rollup WHERE {_RANGE} {_one(connection, keys)} GROUP BY key"
    sums = rows(connection, statement, _range(workspace_id, dimension, start, end, key=_given(connection, keys)))
    return [(key, counts) for key, *counts in sums]


def totals_of_workspaces(
    connection: BaseDatabaseWrapper, workspace_ids: Sequence[int], ranges: Sequence[tuple[date, date]]
) -> list[tuple[int, list[int]]]:
    """The sum of each column over each range of days, for each of the workspaces that has clicks in any range."""
    sums = ", ".join(
        f"sum(CASE WHEN day BETWEEN %(start_{number})s AND %(end_{number})s THEN {column} ELSE 0 END)"
        for number in range(len(ranges))
        for column in COLUMNS
    )
    statement = f"""
        SELECT workspace_id, {sums} FROM stats_app_rollup
        WHERE workspace_id {among(connection, "workspaces")} AND dimension = {WORKSPACE_DAYS} AND key = 0
            AND day BETWEEN %(start)s AND %(end)s
        GROUP BY workspace_id
    """
    starts, ends = zip(*ranges, strict=True)
    params: dict[str, Any] = {"workspaces": number_list(connection, workspace_ids)}
    params |= {"start": min(starts), "end": max(ends)}
    params |= {f"start_{number}": start for number, start in enumerate(starts)}
    params |= {f"end_{number}": end for number, end in enumerate(ends)}
    by_workspace = rows(connection, statement, params)
    return [(workspace_id, counts) for workspace_id, *counts in by_workspace]


def first_day(connection: BaseDatabaseWrapper, workspace_id: int, dimension: int, key: int) -> date | None:
    """The first day on which the key has clicks."""
    return _edge_day(connection, workspace_id, dimension, key, "ASC")


def last_day(connection: BaseDatabaseWrapper, workspace_id: int, dimension: int, key: int) -> date | None:
    """The last day on which the key has clicks."""
    return _edge_day(connection, workspace_id, dimension, key, "DESC")


def _edge_day(
    connection: BaseDatabaseWrapper, workspace_id: int, dimension: int, key: int, direction: str
) -> date | None:
    statement = f"""
        SELECT day FROM stats_app_rollup
        WHERE workspace_id = %(workspace)s AND dimension = %(dimension)s AND key = %(key)s
        ORDER BY day {direction} LIMIT 1
    """
    days = rows(connection, statement, {"workspace": workspace_id, "dimension": dimension, "key": key})
    return _day(days[0][0]) if days else None


def first_days(connection: BaseDatabaseWrapper, workspace_ids: Sequence[int]) -> dict[int, date]:
    """The first day with clicks of each of the workspaces that has any."""
    statement = f"""
        SELECT workspace_id, min(day) FROM stats_app_rollup
        WHERE workspace_id {among(connection, "workspaces")} AND dimension = {WORKSPACE_DAYS} AND key = 0
        GROUP BY workspace_id
    """
    days = rows(connection, statement, {"workspaces": number_list(connection, workspace_ids)})
    return {workspace_id: _day(day) for workspace_id, day in days}


def _day(value: date | str) -> date:
    """A date from the database, which is a text on SQLite."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def daily(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    dimension: int,
    keys: Keys,
    start: date,
    end: date,
    columns: Sequence[str],
) -> list[DailyCounts]:
    """The counts of each day of the range that has a row, for each of the keys; `columns` are expressions."""
    one = _one(connection, keys)
    statement = f"SELECT key, {series(connection, columns)} FROM stats_app_rollup WHERE {_RANGE} {one} GROUP BY key"
    params = _range(workspace_id, dimension, start, end, key=_given(connection, keys))
    return daily_counts(connection, rows(connection, statement, params))


_RANGE = "workspace_id = %(workspace)s AND dimension = %(dimension)s AND day BETWEEN %(start)s AND %(end)s"


def _range(workspace_id: int, dimension: int, start: date, end: date, **more: Any) -> dict[str, Any]:
    return {"workspace": workspace_id, "dimension": dimension, "start": start, "end": end, **more}


def _one(connection: BaseDatabaseWrapper, keys: Keys) -> str:
    """The condition that selects the keys in the parameter `key`."""
    if keys is None:
        return ""
    return "AND key = %(key)s" if isinstance(keys, int) else f"AND key {among(connection, 'key')}"


def _given(connection: BaseDatabaseWrapper, keys: Keys) -> int | str | None:
    return keys if keys is None or isinstance(keys, int) else number_list(connection, keys)


def series(connection: BaseDatabaseWrapper, columns: Sequence[str]) -> str:
    """The select list for the counts by day: the lists `offsets` (days after %(start)s), `counts_0`, `counts_1` and so
    on, one list of counts for each of the columns.

    Reading one row of lists is several times faster than reading a row for each day.
    """
    if is_postgresql(connection):
        collect, offset = "array_agg", "day - %(start)s::date"
    else:
        collect, offset = "json_group_array", "CAST(julianday(day) - julianday(%(start)s) AS INTEGER)"
    counts = ", ".join(f"{collect}({column}) AS counts_{number}" for number, column in enumerate(columns))
    return f"{collect}({offset}) AS offsets, {counts}"


def daily_counts(connection: BaseDatabaseWrapper, read: Sequence[Sequence[Any]]) -> list[DailyCounts]:
    """Converts rows that contain a key and its `series`."""
    if is_postgresql(connection):
        return [DailyCounts(key, offsets, columns) for key, offsets, *columns in read]
    return [DailyCounts(key, json.loads(offsets), [*map(json.loads, columns)]) for key, offsets, *columns in read]
