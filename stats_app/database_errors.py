"""What an error of the database means for whoever called, and what is done about it.

Surfaces ask `unavailability` what to answer: an error that passes by itself, or that an administrator has to mend, is
no fault of the call.
"""

from __future__ import annotations

import logging
from typing import Literal

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Kind = Literal["unreachable", "busy", "read_only", "prepared_statements"]

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
"""What callers are told. An administrator finds in the log what is to be done."""

_FOR_THE_LOG: dict[Kind, str] = {
    "unreachable": "The database cannot be reached",
    "busy": "A transaction was given up, because others were in its way each time",
    "read_only": "The database is read-only: a standby, or a server that protects itself. Its connection is dropped",
    "prepared_statements": "The pooler in front of PostgreSQL does not know prepared statements: set "
    "STATS_APP['PREPARED_STATEMENTS'] = False, or use PgBouncer 1.21 or later",
}


def kind_of(error: BaseException) -> Kind | None:
    """What kind of unavailability the error is; None for one that is a fault of ours or of the call."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    kind = _KINDS.get(sqlstate(error))
    if kind is not None:
        return kind
    # Another client's statement of the same name, met with a code that a pooler uses for much else.
    if "prepared statement" in str(error):
        return "prepared_statements"
    # SQLite has no codes.
    if "database is locked" in str(error):
        return "busy"
    if "attempt to write a readonly database" in str(error):
        return "read_only"
    return "unreachable" if isinstance(error, OperationalError | InterfaceError) else None


def sqlstate(error: BaseException) -> str:
    """The code that PostgreSQL gave the error; empty where there is none."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same transaction may succeed when it is begun again at once."""
    return kind_of(error) == "busy"


def unavailability(error: BaseException) -> Kind | None:
    """As `kind_of`. Logs the error, and drops connections to a read-only server: the next call may find another."""
    kind = kind_of(error)
    if kind is None:
        return None
    logger.error(_FOR_THE_LOG[kind], exc_info=error)
    if kind == "read_only":
        for connection in connections.all(initialized_only=True):
            drop(connection)
    return kind


def drop(connection: BaseDatabaseWrapper) -> None:
    """Ends the connection to PostgreSQL for good: a pool would hand it to the next. Not within a transaction."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return
    if connection.in_atomic_block:
        connection.close_at = 0  # Django ends it with the request
        return
    connection.connection.close()
    connection.close()
