"""The SQL that counts clicks into the rollups: new clicks, clicks whose verdict changes, and recounted ones.

The clicks to count are given by a `source`: a SELECT of the columns `FACTS` for some clicks of one workspace. The local
day of a click is found by comparing its time with the start and the end of each day, which the caller passes
(`day_params`). The time-zone functions of the databases are not used, because they differ, and some return NULL.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.day_spans import DaySpan
from stats_app.dimensions import DIMENSIONS, HUMAN, VERDICTS, WITH_REASONS, Dimension
from stats_app.sql.cursor import array, day_array, is_postgresql

COLUMNS = ("campaign_clicks", "vcard_clicks", "other_clicks")
"""The columns of the rollups that contain counts, in the order of the kinds."""

FACTS = "utc_day, clicked_at, kind, verdict, reason, campaign_id, user_id, shadow"
"""The columns of a click that decide in which rows of the rollups it is counted."""

STORED_CLICKS = f"SELECT {FACTS} FROM stats_app_click WHERE workspace_id = %(workspace)s"
"""A source with all clicks of the workspace. Further conditions can be appended."""

_ROW = f"dimension, key, day, {', '.join(COLUMNS)}"
INTO_ROLLUPS = f"INSERT INTO stats_app_rollup (workspace_id, {_ROW})"

ADDED = (
    "ON CONFLICT (workspace_id, dimension, key, day) DO UPDATE SET "
    f"{', '.join(f'{column} = stats_app_rollup.{column} + excluded.{column}' for column in COLUMNS)}"
)
"""The end of an INSERT into the rollups: where a row already exists, the new counts are added to its counts."""


def day_params(connection: BaseDatabaseWrapper, spans: Sequence[DaySpan]) -> dict[str, Any]:
    """The parameters of `counted`, without the workspace. Clicks outside of the spans are not counted."""
    if is_postgresql(connection):
        return {
            "utc_days": day_array(span.start.date() for span in spans),
            "starts": array(f'"{span.start}"' for span in spans),
            "ends": array(f'"{span.end}"' for span in spans),
            "days": day_array(span.day for span in spans),
        }
    columns = [(str(s.start.date()), sqlite_time(s.start), sqlite_time(s.end), str(s.day)) for s in spans]
    return {"spans": json.dumps(columns)}


def sqlite_time(time: datetime) -> str:
    """The text that Django's own DateTimeField writes and compares."""
    return str(time.replace(tzinfo=None))


Dimensions = tuple[Dimension, ...]
"""The dimensions to count in. Those in which none of the clicks is counted can be left out, because counting nothing
takes time, too."""


def counted(connection: BaseDatabaseWrapper, source: str, dimensions: Dimensions = DIMENSIONS) -> str:
    """Common table expressions that end with `counted`: the rows of the rollups by day for the clicks of the source."""
    return _counted_by(is_postgresql(connection), source, dimensions)


@cache
def _counted_by(on_postgresql: bool, source: str, dimensions: Dimensions) -> str:
    # Cached, because making this text takes as long as running a small statement.
    if on_postgresql:
        spans = (
            "SELECT * FROM unnest(%(utc_days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], "
            "%(days)s::date[])"
        )
    else:
        spans = f"SELECT {', '.join(f'value ->> {position}' for position in range(4))} FROM json_each(%(spans)s)"
    expressions = f"""
        spans (utc_day, starts, ends, day) AS ({spans}),
        clicks AS (
            SELECT spans.day, kind, verdict, reason, campaign_id, user_id, shadow FROM ({source}) AS source
                JOIN spans ON spans.utc_day = source.utc_day AND clicked_at >= starts AND clicked_at < ends
        ),
        {"" if all(dimension.human for dimension in dimensions) else _EXCLUDED}
        counted AS ({" UNION ALL ".join(map(_counted, dimensions))})
    """
    return " ".join(expressions.split())  # psycopg keeps only short statements parsed


def _excluded(dimension: Dimension) -> str:
    key = dimension.key or "0"
    return (
        f"SELECT day, kind, verdict, reason, {dimension.code} AS dimension, {key} AS key FROM clicks "
        f"WHERE verdict <> {VERDICTS[HUMAN]} AND {key} IS NOT NULL"
    )


def _counted(dimension: Dimension) -> str:
    key = dimension.key or "0"
    kinds = ", ".join(f"count(*) FILTER (WHERE kind = {kind}) AS {column}" for kind, column in enumerate(COLUMNS))
    clicks = f"clicks WHERE verdict = {VERDICTS[HUMAN]} AND" if dimension.human else "excluded WHERE"
    group = f"{dimension.key}, day" if dimension.key else "day"
    # The columns get their names here, because Citus loses names that are given after the name of a common table.
    return (
        f"SELECT {dimension.code} AS dimension, {key} AS key, day, {kinds} FROM {clicks} {key} IS NOT NULL "
        f"GROUP BY {group}"
    )


_EXCLUDED = f"""
    excluded AS (
        SELECT day, kind, coalesce(known.id, 0) AS reason_id
        FROM ({" UNION ALL ".join(map(_excluded, WITH_REASONS))}) AS given
            LEFT JOIN stats_app_reason AS known ON known.workspace_id = %(workspace)s
                AND known.dimension = given.dimension AND known.key = given.key
                AND known.verdict = given.verdict AND known.text = reason
    ),
"""


def add_counted(connection: BaseDatabaseWrapper, sign: str = "", dimensions: Dimensions = DIMENSIONS) -> str:
    """The statement that adds `counted` to the rollups of days and years, or subtracts it if the sign is "-"."""
    return f"{INTO_ROLLUPS} {changes(connection, sign, dimensions)} {ADDED}"


def changes(connection: BaseDatabaseWrapper, sign: str = "", dimensions: Dimensions = DIMENSIONS) -> str:
    """The rows that `add_counted` adds. They are sorted by the primary key, because otherwise writers would
    deadlock."""
    counts = ", ".join(sign + column for column in COLUMNS)
    rows = _of_days_and_years(is_postgresql(connection), dimensions)
    return f"""
        SELECT %(workspace)s, dimension, key, day, {counts} FROM ({rows}) AS changes
        WHERE true ORDER BY dimension, key, day
    """


def delete_empty(connection: BaseDatabaseWrapper) -> str:
    """The statement that deletes the rows that have no clicks left after `counted` was subtracted.

    They must not stay, because `listings.number_with_clicks` reads only the index and not the counts.
    """
    rows = _of_days_and_years(is_postgresql(connection), DIMENSIONS)
    return (
        f"DELETE FROM stats_app_rollup WHERE workspace_id = %(workspace)s "
        f"AND {' AND '.join(f'{column} = 0' for column in COLUMNS)} "
        f"AND (dimension, key, day) IN (SELECT dimension, key, day FROM ({rows}) AS changes)"
    )


@cache
def _of_days_and_years(on_postgresql: bool, dimensions: Dimensions) -> str:
    """A SELECT of the rows of `counted`, and of their sums by calendar year."""
    first = "make_date(extract(year FROM day)::int, 1, 1)" if on_postgresql else "strftime('%%Y-01-01', day)"
    years = {dimension.code: dimension.years for dimension in dimensions if dimension.years is not None}
    if not years:
        return "SELECT * FROM counted"
    dimension = f"CASE dimension {' '.join(f'WHEN {code} THEN {year}' for code, year in years.items())} END"
    sums = ", ".join(f"CAST(sum({column}) AS integer)" for column in COLUMNS)
    by_year = (
        f"SELECT {dimension}, key, {first}, {sums} FROM counted WHERE dimension IN ({', '.join(map(str, years))}) "
        "GROUP BY 1, 2, 3"
    )
    return f"SELECT * FROM counted UNION ALL {by_year}"
