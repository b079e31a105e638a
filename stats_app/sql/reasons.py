"""The reasons why clicks are not counted. Rollups refer to a reason by its number, the primary key."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import HUMAN, VERDICTS, WITH_REASONS
from stats_app.sql.cursor import among, execute, is_postgresql, number_array, number_list, rows, text_array


class Reason(NamedTuple):
    """A reason for not counting clicks of one key of a dimension in `WITH_REASONS`."""

    dimension: int
    key: int
    verdict: int
    text: str


class Excluded(Protocol):
    """A click that is not counted."""

    @property
    def verdict(self) -> int: ...

    @property
    def reason(self) -> str: ...


_COLUMNS = ", ".join(Reason._fields)
_INSERT = f"INSERT INTO stats_app_reason (workspace_id, {_COLUMNS})"


def reasons_of(click: Excluded) -> Iterator[Reason]:
    """The reasons under which the click is counted."""
    for dimension in WITH_REASONS:
        key = getattr(click, dimension.key) if dimension.key else 0
        if key is not None:
            yield Reason(dimension.code, key, click.verdict, click.reason)


def number(connection: BaseDatabaseWrapper, workspace_id: int, reasons: Collection[Reason]) -> None:
    """Stores those of the reasons that are new, so that each has a number."""
    given = _given(connection)
    params = {"workspace": workspace_id, **_params(connection, reasons)}
    numbered = rows(
        connection,
        f"""
        SELECT {_COLUMNS} FROM stats_app_reason
        WHERE workspace_id = %(workspace)s AND ({_COLUMNS}) IN (SELECT {_COLUMNS} FROM {given})
        """,
        params,
    )
    new = set(reasons) - {Reason(*one) for one in numbered}
    if new:
        # Sorted, because otherwise writers with the same new reasons could deadlock.
        params |= _params(connection, sorted(new))
        statement = f"{_INSERT} SELECT %(workspace)s, {_COLUMNS} FROM {given} WHERE true ON CONFLICT DO NOTHING"
        execute(connection, statement, params)


def _given(connection: BaseDatabaseWrapper) -> str:
    """The reasons of `_params` as a table."""
    if is_postgresql(connection):
        arrays = "%(dimensions)s::int2[], %(keys)s::int4[], %(verdicts)s::int2[], %(texts)s::text[]"
        return f"unnest({arrays}) AS given ({_COLUMNS})"
    columns = ", ".join(f"value ->> {place} AS {column}" for place, column in enumerate(Reason._fields))
    return f"(SELECT {columns} FROM json_each(%(reasons)s)) AS given"


def _params(connection: BaseDatabaseWrapper, reasons: Collection[Reason]) -> dict[str, Any]:
    if not is_postgresql(connection):
        return {"reasons": json.dumps(list(reasons))}
    dimensions, keys, verdicts, texts = zip(*reasons, strict=True)
    return {
        "dimensions": number_array(dimensions),
        "keys": number_array(keys),
        "verdicts": number_array(verdicts),
        "texts": text_array(texts),
    }


def number_stored(connection: BaseDatabaseWrapper, workspace_id: int, first: date, last: date) -> None:
    """As `number`, for the reasons of the stored clicks of the days `first` to `last` in UTC.

    The reasons are read before they are written, because most of them already have a number, and on Citus every write
    to this table is made on every machine.
    """
    stored = " UNION ".join(
        f"""
        SELECT {one.code} AS dimension, {one.key or 0} AS key, verdict, reason AS text FROM stats_app_click
        WHERE workspace_id = %(workspace)s AND utc_day BETWEEN %(first)s AND %(last)s
            AND verdict <> {VERDICTS[HUMAN]} AND {one.key or 0} IS NOT NULL
        """
        for one in WITH_REASONS
    )
    of_clicks = rows(connection, stored, {"workspace": workspace_id, "first": first, "last": last})
    if of_clicks:
        number(connection, workspace_id, [Reason(*reason) for reason in of_clicks])


def numbers(connection: BaseDatabaseWrapper, workspace_id: int, dimension: int, key: int) -> dict[int, Reason]:
    """The reasons of one key of a dimension, by number."""
    condition = "dimension = %(dimension)s AND key = %(key)s"
    return _by_number(connection, workspace_id, condition, {"dimension": dimension, "key": key})


def numbered(connection: BaseDatabaseWrapper, workspace_id: int, numbers: Sequence[int]) -> dict[int, Reason]:
    """The reasons with these numbers."""
    return _by_number(
        connection, workspace_id, f"id {among(connection, 'numbers')}", {"numbers": number_list(connection, numbers)}
    )


def _by_number(
    connection: BaseDatabaseWrapper, workspace_id: int, condition: str, params: dict[str, Any]
) -> dict[int, Reason]:
    statement = f"SELECT id, {_COLUMNS} FROM stats_app_reason WHERE workspace_id = %(workspace)s AND {condition}"
    reasons = rows(connection, statement, {"workspace": workspace_id, **params})
    return {number: Reason(*reason) for number, *reason in reasons}
