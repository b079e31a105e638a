"""Comparing and sorting words in the database: by the rule of `stats_app.words`, not by the database's collation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import F, Func, TextField, Transform
from django.db.models.lookups import Contains

from stats_app import words

# The common order of all languages (CLDR root). Every PostgreSQL built with ICU has it, in any locale.
_ICU = 'COLLATE "und-x-icu"'


class Folded(Transform):
    """A text as searches compare it. The text that is searched for is folded in the same way.

    The database folds both, so that equal texts always match. On PostgreSQL there are indexes on this expression.
    """

    bilateral = True
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        sql, params = compiler.compile(self.lhs)
        template = FOLDED if has_unicode(connection) else FOLDED_WITHOUT_UNICODE
        return template.format(text=f"({sql})::text"), [*params] * template.count("{text}")

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="STATS_SEARCH_KEY", **context)


# Treats the same letters as equal as `words.search_key` does. The first branch is for ASCII, as most names are. It
# takes a twelfth of the time of the other branch, because `upper` with the collation C does not call ICU.
FOLDED = (
    f'(CASE WHEN octet_length({{text}}) = length({{text}}) THEN upper({{text}} COLLATE "C") {_ICU} ELSE '
    f"replace(normalize(upper(lower(normalize({{text}}, NFKC) {_ICU})), NFKC), 'İ', 'I') END)"
)
FOLDED_WITHOUT_UNICODE = "upper({text})"


class Alphabetical(Func):
    """The sort key of a text: É sorts with E, and capitals with small letters, in any collation of the database."""

    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        return ORDERED.format(text=sql) if has_unicode(connection) else sql, params

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="STATS_ALPHABETICAL_KEY", **context)


ORDERED = f"{{text}} {_ICU}"


def holds(column: str, word: str) -> Contains:
    """The condition that the text in the column contains the word. The column may be of a related row."""
    return Contains(Folded(F(column)), word)


def has_unicode(connection: BaseDatabaseWrapper) -> bool:
    """Whether PostgreSQL stores this database in UTF-8 and was built with ICU, which knows the case of all letters.

    If not, searches ignore case only for letters of the database's locale. The answer is cached for the process.
    """
    name = (connection.alias, str(connection.settings_dict["NAME"]))
    if name not in _with_unicode:
        connection.ensure_connection()
        driver: Any = connection.connection
        # Uses the driver directly, so that this query is not seen by what the host has added to Django's cursors, such
        # as query counters and execute wrappers.
        with connection.wrap_database_errors, driver.cursor() as cursor:
            cursor.execute(_HAS_UNICODE)
            _with_unicode[name] = bool(cursor.fetchone()[0])
    return _with_unicode[name]


_with_unicode: dict[tuple[str, str], bool] = {}
_HAS_UNICODE = (
    "SELECT current_setting('server_encoding') = 'UTF8'"
    " AND EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collname = 'und-x-icu')"
)


def add_functions(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Adds functions to an open SQLite connection, because SQLite can compare and sort only ASCII without case."""
    if connection.vendor == "sqlite" and connection.connection is not None:
        for name, function in (
            ("STATS_SEARCH_KEY", words.search_key),
            ("STATS_ALPHABETICAL_KEY", words.alphabetical_key),
        ):
            connection.connection.create_function(name, 1, _or_null(function), deterministic=True)


def _or_null(function: Callable[[str], str]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else function(text)


def add_functions_to_all() -> None:
    """Adds the functions to each new connection, and to those that another app has already opened."""
    connection_created.connect(add_functions, dispatch_uid="stats_app.sql.words")
    for connection in connections.all(initialized_only=True):
        add_functions(connection)
