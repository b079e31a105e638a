"""Classifying database errors: which of them mean that the database is unavailable, and not that the call is wrong.

Surfaces call `unavailability` to decide what to answer. Unavailability ends by itself, or an administrator has to end
it.
"""

from __future__ import annotations

import logging
from typing import Literal

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Kind = Literal["unreachable", "busy", "read_only", "prepared_statements"]

DATABASE_ERRORS = (DatabaseError, InterfaceError)
"""What a database raises. Django's InterfaceError, for example of a closed connection, is no DatabaseError."""
RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_KINDS: dict[str, Kind] = {
    "40001": "busy",  # serialization_failure
    "40P01": "busy",  # deadlock_detected
    "55P03": "busy",  # lock_not_available
    "25006": "read_only",  # read_only_sql_transaction
    "42P05": "prepared_statements",  # duplicate_prepared_statement
    "26000": "prepared_statements",  # invalid_sql_statement_name
    "XX000": "unreachable",  # internal_error: how Citus tells that a worker was lost within a statement
}

TEXTS: dict[Kind, str] = {
    "unreachable": "The database cannot be reached; try again.",
    "busy": "The database was too busy with other transactions to finish this one; try again.",
    "read_only": "The database is read-only at the moment; try again.",
    "prepared_statements": "The database cannot be reached; try again.",
}
"""The texts for callers. The log has more for the administrator."""

_FOR_THE_LOG: dict[Kind, str] = {
    "unreachable": "The database cannot be reached",
    "busy": "A transaction was given up, because others were in its way each time",
    "read_only": "The database is read-only: a standby, or a server that protects itself. Its connection is dropped",
    "prepared_statements": "The pooler in front of PostgreSQL does not know prepared statements: set "
    "STATS_APP['PREPARED_STATEMENTS'] = False, or use PgBouncer 1.21 or later",
}


def kind_of(error: BaseException) -> Kind | None:
    """The kind of unavailability; None for an error in our code or in the call."""
    if not isinstance(error, DATABASE_ERRORS):
        return None
    kind = _KINDS.get(sqlstate(error))
    if kind is not None:
        return kind
    # A pooler has mixed up prepared statements. Poolers use a general code for it, so the text is tested.
    if "prepared statement" in str(error):
        return "prepared_statements"
    # SQLite has no codes.
    if "database is locked" in str(error):
        return "busy"
    if "attempt to write a readonly database" in str(error):
        return "read_only"
    return "unreachable" if isinstance(error, OperationalError | InterfaceError) else None


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of the error; empty if it has none."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same transaction may succeed if it is tried again at once."""
    return kind_of(error) == "busy"


def unavailability(error: BaseException) -> Kind | None:
    """As `kind_of`. Also logs the error, and closes connections to a read-only server, because a new connection may
    reach the primary server."""
    kind = kind_of(error)
    if kind is None:
        return None
    logger.error(_FOR_THE_LOG[kind], exc_info=error)
    if kind == "read_only":
        for connection in connections.all(initialized_only=True):
            drop(connection)
    return kind


def drop(connection: BaseDatabaseWrapper) -> None:
    """Closes the connection to PostgreSQL, so that no pool gives it to another request. Not inside a transaction."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return
    if connection.in_atomic_block:
        connection.close_at = 0  # Django closes it at the end of the request
        return
    connection.connection.close()
    connection.close()
