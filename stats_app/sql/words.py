"""How the database compares and orders words: by the rule of `stats_app.words`, whatever its own collation is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import F, Func, TextField, Transform
from django.db.models.lookups import Contains

from stats_app import words

# The order of all languages together (CLDR root), which every PostgreSQL that was built with ICU has, whatever its own
# locale.
_ICU = 'COLLATE "und-x-icu"'


class Folded(Transform):
    """A text as searches compare it. A look-up by it folds the text that is looked for in the same way.

    Both sides are folded by the database, so that a text finds itself on each one. An index on the very expression
    that PostgreSQL gets serves it.
    """

    bilateral = True
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        sql, params = compiler.compile(self.lhs)
        template = FOLDED if has_unicode(connection) else FOLDED_WITHOUT_UNICODE
        return template.format(text=f"({sql})::text"), [*params] * template.count("{text}")

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="STATS_SEARCH_KEY", **context)


# The same letters are one to it as to `words.search_key`. ASCII, which most names are, costs a quarter of the rest.
FOLDED = (
    f"(CASE WHEN octet_length({{text}}) = length({{text}}) THEN upper({{text}} {_ICU}) ELSE "
    f"replace(normalize(upper(lower(normalize({{text}}, NFKC) {_ICU})), NFKC), 'İ', 'I') END)"
)
FOLDED_WITHOUT_UNICODE = "upper({text})"


class Alphabetical(Func):
    """A text as lists are ordered by it: É with E, capitals with small letters, whatever the database's collation."""

    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        return ORDERED.format(text=sql) if has_unicode(connection) else sql, params

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="STATS_ALPHABETICAL_KEY", **context)


ORDERED = f"{{text}} {_ICU}"


def holds(column: str, word: str) -> Contains:
    """The condition that the text in the column, which may be one of a related row, has the word in it."""
    return Contains(Folded(F(column)), word)


def has_unicode(connection: BaseDatabaseWrapper) -> bool:
    """Whether PostgreSQL keeps this database in UTF-8 and was built with ICU, without which it knows not all letters.

    Searches then ignore case as far as the database's locale goes. Neither changes while a process runs.
    """
    name = (connection.alias, str(connection.settings_dict["NAME"]))
    if name not in _with_unicode:
        connection.ensure_connection()
        driver: Any = connection.connection
        # By the driver, past all that counts, wraps or prefixes the statements of the page that is being made.
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
    """Gives an open connection to SQLite what it lacks: it knows the case of ASCII only, and orders by code points."""
    if connection.vendor == "sqlite" and connection.connection is not None:
        for name, function in (
            ("STATS_SEARCH_KEY", words.search_key),
            ("STATS_ALPHABETICAL_KEY", words.alphabetical_key),
        ):
            connection.connection.create_function(name, 1, _or_null(function), deterministic=True)


def _or_null(function: Callable[[str], str]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else function(text)


def add_functions_to_all() -> None:
    """The same for each connection from now on, and those that another app has opened before."""
    connection_created.connect(add_functions, dispatch_uid="stats_app.sql.words")
    for connection in connections.all(initialized_only=True):
        add_functions(connection)
