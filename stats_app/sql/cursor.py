"""Running a statement, prepared where the database can, and lists as parameters of one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date
from functools import cache, lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.conf import conf


def is_postgresql(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "postgresql"


def rows(connection: BaseDatabaseWrapper, statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
    """All rows of a statement that returns some. They are read before anything else runs, as SQLite demands."""
    with closing(_cursor(connection)) as cursor:
        cursor.execute(statement, params)
        found: list[Any] = cursor.fetchall()
        return found


def execute(connection: BaseDatabaseWrapper, statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Runs a statement without rows and returns how many it touched."""
    with closing(_cursor(connection)) as cursor:
        cursor.execute(statement, params)
        touched: int = cursor.rowcount
        return touched


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array as text, for values that need no quoting; None is NULL.

    The driver's own way, a Python list, dumps each element by itself and costs ten times as much.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def number_array(numbers: Iterable[int | None]) -> str:
    """The same for whole numbers: Python writes a list of them faster than they can be joined one by one."""
    return "{" + str([*numbers])[1:-1].replace("None", "NULL") + "}"


def text_array(values: Collection[str]) -> str:
    """The same for text of any kind."""
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(escaped) + '"}' if escaped else "{}"


def day_array(days: Iterable[date]) -> str:
    """The same for days. Many clicks share few of them."""
    return array(map(_day_text, days))


def among(connection: BaseDatabaseWrapper, name: str) -> str:
    """The end of a condition that a number is one of the parameter `name`, a `number_list` of any length."""
    if is_postgresql(connection):
        return f"= ANY(%({name})s::int4[])"
    return f"IN (SELECT value FROM json_each(%({name})s))"


def number_list(connection: BaseDatabaseWrapper, numbers: Sequence[int]) -> str:
    """Whole numbers as the one parameter that `among` asks for."""
    return number_array(numbers) if is_postgresql(connection) else json.dumps(list(numbers))


_day_text = lru_cache(maxsize=4096)(date.isoformat)


def _cursor(connection: BaseDatabaseWrapper) -> Any:
    """A cursor as the host's Django makes it, which prepares its statement if it can.

    Parsing and planning are half the cost of a small statement. Django switches preparing off by binding parameters on
    the client, so the driver's cursor inside Django's is exchanged. Whatever the host has put around it stays: a search
    path that is set when a cursor is made (django-tenants), query logs, toolbars. Nothing is prepared while statements
    are wrapped, because a wrapper may put a second statement before ours (django-pghistory).
    """
    cursor = connection.cursor()
    if not is_postgresql(connection) or not conf.prepared_statements or connection.execute_wrappers:
        return cursor
    prepared = _prepared_cursor_class()
    # A driver's cursor that is not Django's own does something that ours would not do.
    if prepared is not None and type(getattr(cursor, "cursor", None)) in _cursors_of_django():
        cursor.cursor.close()
        cursor.cursor = prepared(connection.connection)
    return cursor


@cache
def _cursors_of_django() -> tuple[type, ...]:
    from django.db.backends.postgresql import base

    return (base.Cursor, base.ServerBindingCursor) if hasattr(base, "ServerBindingCursor") else (base.Cursor,)


@cache
def _prepared_cursor_class() -> type | None:
    """None when the driver is psycopg2, which has no prepared statements."""
    try:
        from psycopg import Cursor
        from psycopg.pq import Format
    except ImportError:
        return None

    class PreparedCursor(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
            connection = self.connection
            before = connection.prepare_threshold
            connection.prepare_threshold = 0
            self.format = Format.BINARY
            try:
                return super().execute(query, params, prepare=True, **kwargs)
            finally:
                connection.prepare_threshold = before

    return PreparedCursor
