"""Running statements, prepared where the database supports it, and passing lists to them as one parameter."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from functools import cache, lru_cache
from typing import Any

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.conf import conf


def is_postgresql(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "postgresql"


def rows(connection: BaseDatabaseWrapper, statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
    """All rows that a statement returns. They are read at once, because SQLite needs that before the next statement."""
    with closing(_cursor(connection)) as cursor:
        cursor.execute(statement, params)
        fetched: list[Any] = cursor.fetchall()
        return fetched


def send(
    connection: BaseDatabaseWrapper, statement: str, params: Sequence[Any] | Mapping[str, Any] = ()
) -> Callable[[], list[Any]]:
    """Sends a statement, and returns a function that returns its rows. See `pipelined`. SQLite runs it at once."""
    if not is_postgresql(connection):
        fetched = rows(connection, statement, params)
        return lambda: fetched
    cursor = _cursor(connection)
    cursor.execute(statement, params)

    def read() -> list[Any]:
        with closing(cursor):
            fetched: list[Any] = cursor.fetchall()
            return fetched

    return read


def execute(connection: BaseDatabaseWrapper, statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Runs a statement that returns no rows, and returns the number of rows it changed."""
    with closing(_cursor(connection)) as cursor:
        cursor.execute(statement, params)
        touched: int = cursor.rowcount
        return touched


@contextmanager
def pipelined(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Inside this context PostgreSQL gets the statements of `send` and `execute` together, when rows are first read or
    the context ends. That saves a round trip for each.

    Errors are raised then at the latest. The number of changed rows is not known (-1): do not use what `execute` and
    `QuerySet.update` return, and do not call `Model.save`. It does nothing where statements are not prepared (see
    `_cursor`), because a pipeline takes only one statement at a time, too.
    """
    if not (_may_prepare(connection) and _can_pipeline()):
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    failure: BaseException | None = None
    try:
        with connection.wrap_database_errors, driver.pipeline():
            try:
                yield
            except BaseException as error:  # kept, because psycopg would log the errors that follow from it
                failure = error
                if driver.info.transaction_status.name == "ACTIVE":
                    # Statements are still running, perhaps waiting for a lock, and the end of the pipeline waits for
                    # them. The error may be that of a time limit, so they are canceled.
                    with suppress(Exception):
                        driver.cancel()
    except Error:
        if failure is None:
            raise
    if failure is not None:
        raise failure


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array as text, for values that need no quoting; None is NULL.

    Passing a Python list costs ten times as much, because the driver converts each element by itself.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def number_array(numbers: Iterable[int | None]) -> str:
    """`array` for whole numbers. Formatting the whole list is faster than joining its elements."""
    return "{" + str([*numbers])[1:-1].replace("None", "NULL") + "}"


def text_array(values: Collection[str]) -> str:
    """`array` for any text."""
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(escaped) + '"}' if escaped else "{}"


def day_array(days: Iterable[date]) -> str:
    """`array` for days. Each day is formatted once, because many clicks share few days."""
    return array(map(_day_text, days))


def value_lists(values: Collection[Sequence[Any]]) -> tuple[str, list[str | None]]:
    """The rows after `VALUES` in an INSERT, and their parameters. All parameters are sent as text, so that the columns
    decide their types. Otherwise the driver would choose the type of a number by its size, and prepare the statement
    again for each combination of types."""
    lists = ", ".join(f"({', '.join(['%s'] * len(row))})" for row in values)
    return lists, [None if value is None else str(value) for row in values for value in row]


def among(connection: BaseDatabaseWrapper, name: str) -> str:
    """The end of a condition: that a number is in the list that is passed as the parameter `name` (see
    `number_list`)."""
    if is_postgresql(connection):
        return f"= ANY(%({name})s::int4[])"
    return f"IN (SELECT value FROM json_each(%({name})s))"


def number_list(connection: BaseDatabaseWrapper, numbers: Sequence[int]) -> str:
    """Whole numbers as one parameter, in the form that `among` reads."""
    return number_array(numbers) if is_postgresql(connection) else json.dumps(list(numbers))


_day_text = lru_cache(maxsize=4096)(date.isoformat)


def _cursor(connection: BaseDatabaseWrapper) -> Any:
    """A cursor from Django, which prepares its statement if possible.

    Parsing and planning are half the cost of a small statement. Django switches prepared statements off because it
    binds parameters on the client. So we replace the driver's cursor inside Django's cursor, and keep what the host
    has added around it: a search path set for each cursor (django-tenants), query logs, toolbars. Nothing is prepared
    while execute wrappers are installed, because one may put a second statement before ours (django-pghistory).
    """
    cursor = connection.cursor()
    if not _may_prepare(connection):
        return cursor
    prepared = _prepared_cursor_class()
    # If the host has replaced the driver's cursor, it is kept, because ours lacks what the host's cursor does.
    if prepared is not None and type(getattr(cursor, "cursor", None)) in _cursors_of_django():
        cursor.cursor.close()
        cursor.cursor = prepared(connection.connection)
    return cursor


def _may_prepare(connection: BaseDatabaseWrapper) -> bool:
    return is_postgresql(connection) and conf.prepared_statements and not connection.execute_wrappers


@cache
def _cursors_of_django() -> tuple[type, ...]:
    from django.db.backends.postgresql import base

    return (base.Cursor, base.ServerBindingCursor) if hasattr(base, "ServerBindingCursor") else (base.Cursor,)


@cache
def _can_pipeline() -> bool:
    """Whether the driver is psycopg 3 with a libpq that has pipelines (PostgreSQL 14)."""
    try:
        from psycopg import Pipeline
    except ImportError:
        return False
    return bool(Pipeline.is_supported())


@cache
def _prepared_cursor_class() -> type | None:
    """A cursor class that prepares its statements; None for the driver psycopg2, which cannot prepare statements."""
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
