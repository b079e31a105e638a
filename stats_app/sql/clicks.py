"""Storing clicks, each id of a workspace once, and changing their verdicts. Both update the rollups, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.day_spans import DaySpan
from stats_app.dimensions import DIMENSIONS, Dimension
from stats_app.sql.citus import commit_together
from stats_app.sql.counting import (
    ADDED,
    FACTS,
    INTO_ROLLUPS,
    STORED_CLICKS,
    add_counted,
    changes,
    counted,
    day_params,
    delete_empty,
    sqlite_time,
)
from stats_app.sql.cursor import array, execute, is_postgresql, number_array, rows, send, text_array, value_lists


class ClickRow(NamedTuple):
    """A click as it is stored, without its workspace."""

    id: bytes
    clicked_at: datetime
    utc_day: date
    kind: int
    verdict: int
    campaign_id: int | None
    user_id: int | None
    alias_id: int | None
    link_id: int | None
    reason: str
    shadow: int | None = None
    visitor: bytes | None = None


FEW_CLICKS = 10
"""Up to this number, clicks and changes of rollups are sent to Citus as `VALUES`. For more, arrays cost less."""


def insert(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    clicks: Sequence[ClickRow],
    spans: Sequence[DaySpan],
    *,
    on_citus: bool,
) -> Callable[[], int]:
    """Stores and counts the clicks whose ids are new, and returns a function that returns their number (see `send`).

    The ids must be unique and sorted: overlapping batches could deadlock otherwise. `spans` cover the clicks' days
    in UTC.
    """
    if is_postgresql(connection) and not on_citus:
        return _store_and_count(connection, workspace_id, clicks, spans)
    # Two statements: SQLite changes only one table in a statement, and Citus would send the new clicks to every machine
    # to change the second table.
    few = on_citus and len(clicks) <= FEW_CLICKS
    if few and connection.savepoint_ids:  # the transaction is the caller's, who may change other tables in it
        commit_together(connection)
    store = _store_few if few else _store_many if on_citus else _store_sqlite
    stored = store(connection, workspace_id, clicks)
    move(connection, workspace_id, stored, spans, few=few)
    return lambda: len(stored)


def _store_and_count(
    connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow], spans: Sequence[DaySpan]
) -> Callable[[], int]:
    values = _columns(clicks)
    statement, params = _insertion(workspace_id, values)
    dimensions = _occurring(values)
    stored = send(
        connection,
        f"""
        WITH inserted AS ({statement} RETURNING {FACTS}),
        {counted(connection, f"SELECT {FACTS} FROM inserted", dimensions)},
        moved AS ({add_counted(connection, dimensions=dimensions)})
        SELECT count(*) FROM inserted
        """,
        params | day_params(connection, spans),
    )
    return lambda: stored()[0][0]


def _occurring(values: Mapping[str, Sequence[Any]]) -> tuple[Dimension, ...]:
    """The dimensions in which any of the clicks is counted. Verdicts other than human are not 0, and so true."""
    return tuple(one for one in DIMENSIONS if one.key is None or any(values[one.key if one.human else "verdict"]))


def _store_many(connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow]) -> list[bytes]:
    statement, params = _insertion(workspace_id, _columns(clicks))
    return [_bytes(click_id) for (click_id,) in rows(connection, f"{statement} RETURNING id", params)]


def _store_few(connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow]) -> list[bytes]:
    lists, params = value_lists(
        [(workspace_id, c.id.hex(), *c[1:-1], c.visitor and f"\\x{c.visitor.hex()}") for c in clicks]
    )
    statement = f"INSERT INTO stats_app_click (workspace_id, {', '.join(ClickRow._fields)}) VALUES {lists}"
    stored = rows(connection, f"{statement} ON CONFLICT DO NOTHING RETURNING id", params)
    return [_bytes(click_id) for (click_id,) in stored]


def _insertion(workspace_id: int, values: Mapping[str, Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    """The statement that stores clicks in PostgreSQL, and its parameters."""
    given = [column for column in _GIVEN if not column.is_nullable or any(values[column.name])]
    arrays = ", ".join(f"%({column.name})s::{column.type}[]" for column in given)
    names = ", ".join(column.name for column in given)
    statement = f"""
        INSERT INTO stats_app_click (workspace_id, utc_day, {names})
        SELECT %(workspace)s, {_UTC_DAY}, {", ".join(column.expression or column.name for column in given)}
        FROM unnest({arrays}) AS given ({names})
        ON CONFLICT DO NOTHING
    """
    params = {column.name: column.array(values[column.name]) for column in given}
    return statement, {"workspace": workspace_id, **params}


def _columns(clicks: Sequence[ClickRow]) -> dict[str, tuple[Any, ...]]:
    """The values of each column of the clicks."""
    return dict(zip(ClickRow._fields, zip(*clicks, strict=True), strict=True))


class _Given(NamedTuple):
    """How a column of clicks is sent to PostgreSQL: as one array, in a format that Python can write fast."""

    name: str
    type: str
    array: Callable[[Any], str]
    is_nullable: bool = False  # left out of the statement if no click of the batch has a value
    expression: str = ""  # converts the value in the array to the column's type


def _id_array(ids: Iterable[bytes]) -> str:
    return array(click_id.hex() for click_id in ids)


def _time_array(times: Iterable[datetime]) -> str:
    """Times as microseconds, because formatting them as text takes ten times as long."""
    return number_array((time - _EPOCH) // _MICROSECOND for time in times)


def _bytes_array(values: Iterable[bytes | None]) -> str:
    return array(None if value is None else f'"\\\\x{value.hex()}"' for value in values)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UTC_DAY = "date 'epoch' + (clicked_at / 86400000000)::int4"
_GIVEN = (
    _Given("id", "uuid", _id_array),
    _Given("clicked_at", "int8", _time_array, expression="timestamptz 'epoch' + clicked_at * interval '1 microsecond'"),
    _Given("kind", "int2", number_array),
    _Given("verdict", "int2", number_array),
    _Given("campaign_id", "int4", number_array, is_nullable=True),
    _Given("user_id", "int4", number_array, is_nullable=True),
    _Given("alias_id", "int4", number_array, is_nullable=True),
    _Given("link_id", "int4", number_array, is_nullable=True),
    _Given("reason", "text", text_array),
    _Given("shadow", "int2", number_array, is_nullable=True),
    _Given("visitor", "bytea", _bytes_array, is_nullable=True),
)


def _store_sqlite(connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow]) -> list[bytes]:
    # SQLite allows too few parameters for all values. So most values are sent as JSON. JSON cannot contain bytes, so
    # ids and visitors are sent as two long byte strings.
    fields = ", ".join(f"value ->> {position}" for position in range(10))
    stored = rows(
        connection,
        f"""
        INSERT INTO stats_app_click (workspace_id, {", ".join(ClickRow._fields)})
        SELECT %(workspace)s, substr(%(ids)s, 16 * key + 1, 16), {fields},
            CASE WHEN value ->> 10 THEN substr(%(visitors)s, 16 * key + 1, 16) END
        FROM json_each(%(clicks)s) WHERE true
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        {
            "workspace": workspace_id,
            "ids": b"".join(click.id for click in clicks),
            "visitors": b"".join(click.visitor or bytes(16) for click in clicks),
            "clicks": json.dumps(
                [(sqlite_time(c.clicked_at), str(c.utc_day), *c[3:-1], c.visitor is not None) for c in clicks]
            ),
        },
    )
    return [click_id for (click_id,) in stored]


class StoredVerdict(NamedTuple):
    """The verdict of a stored click, and its day in UTC."""

    id: bytes
    utc_day: date
    verdict: int
    reason: str


def lock_verdicts(connection: BaseDatabaseWrapper, workspace_id: int, ids: Sequence[bytes]) -> list[StoredVerdict]:
    """Locks, until the transaction ends, those of the clicks that are stored. Returns them sorted by id."""
    lock = "FOR NO KEY UPDATE" if is_postgresql(connection) else ""
    clicks = rows(
        connection,
        f"""
        SELECT id, utc_day, verdict, reason FROM stats_app_click
        WHERE workspace_id = %(workspace)s AND {_among_ids(connection)} ORDER BY id {lock}
        """,
        {"workspace": workspace_id, **_id_params(connection, ids)},
    )
    return [StoredVerdict(_bytes(click_id), *rest) for click_id, *rest in clicks]


def _bytes(click_id: Any) -> bytes:
    return bytes(getattr(click_id, "bytes", click_id))


class Subject(NamedTuple):
    """The campaign and the user of a stored click."""

    id: bytes
    campaign_id: int | None
    user_id: int | None


def subjects(connection: BaseDatabaseWrapper, workspace_id: int, ids: Sequence[bytes]) -> list[Subject]:
    """The campaign and the user of each of the clicks that is stored."""
    clicks = rows(
        connection,
        f"""
        SELECT id, campaign_id, user_id FROM stats_app_click
        WHERE workspace_id = %(workspace)s AND {_among_ids(connection)}
        """,
        {"workspace": workspace_id, **_id_params(connection, ids)},
    )
    return [Subject(_bytes(click_id), *rest) for click_id, *rest in clicks]


def set_verdicts(
    connection: BaseDatabaseWrapper, workspace_id: int, ids: Sequence[bytes], verdict: int, reason: str
) -> None:
    """Changes the verdict of clicks. The caller subtracts them from the rollups before, and adds them after
    (`move`)."""
    execute(
        connection,
        f"""
        UPDATE stats_app_click SET verdict = %(verdict)s, reason = %(reason)s
        WHERE workspace_id = %(workspace)s AND {_among_ids(connection)}
        """,
        {"workspace": workspace_id, "verdict": verdict, "reason": reason, **_id_params(connection, ids)},
    )


def move(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    ids: Sequence[bytes],
    spans: Sequence[DaySpan],
    sign: str = "",
    *,
    few: bool = False,
) -> None:
    """Adds these stored clicks to the rollups, or subtracts them if the sign is "-".

    With `few`, the changes of the rollups are computed by a first statement and written by a second one. On Citus that
    costs less for up to `FEW_CLICKS` clicks.
    """
    if not ids:
        return
    # OFFSET or LIMIT make the database find the clicks by their ids before it joins them with the days. Otherwise it
    # may read all clicks of these days.
    first = "OFFSET 0" if is_postgresql(connection) else "LIMIT -1"
    common = f"WITH {counted(connection, f'{STORED_CLICKS} AND {_among_ids(connection)} {first}')}"
    params = {"workspace": workspace_id, **_id_params(connection, ids), **day_params(connection, spans)}
    if not few:
        execute(connection, f"{common} {add_counted(connection, sign)}", params)
        if sign:
            execute(connection, f"{common} {delete_empty(connection)}", params)
    elif changed := rows(connection, f"{common} {changes(connection, sign)}", params):
        lists, values = value_lists(changed)
        execute(connection, f"{INTO_ROLLUPS} VALUES {lists} {ADDED}", values)


def delete(connection: BaseDatabaseWrapper, workspace_id: int, ids: Sequence[bytes]) -> int:
    """Deletes stored clicks, but not their counts, and returns the number of clicks deleted."""
    statement = f"DELETE FROM stats_app_click WHERE workspace_id = %(workspace)s AND {_among_ids(connection)}"
    return execute(connection, statement, {"workspace": workspace_id, **_id_params(connection, ids)})


def _among_ids(connection: BaseDatabaseWrapper) -> str:
    if is_postgresql(connection):
        return "id = ANY(%(ids)s::uuid[])"
    return "id IN (SELECT substr(%(ids)s, 16 * value + 1, 16) FROM json_each(%(places)s))"


def _id_params(connection: BaseDatabaseWrapper, ids: Sequence[bytes]) -> dict[str, Any]:
    if is_postgresql(connection):
        return {"ids": _id_array(ids)}
    return {"ids": b"".join(ids), "places": json.dumps([*range(len(ids))])}
