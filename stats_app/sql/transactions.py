"""Transactions for several queries on one state of the database, and savepoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import is_postgresql


@contextmanager
def snapshot(using: str) -> Iterator[None]:
    """Inside this context all reads see the same state of the database, even while clicks come in.

    Inside a transaction of the caller this has no effect, because its isolation level cannot be changed any more. The
    context is for reading only.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        yield
        return
    with _deferred(connection), transaction.atomic(using=using):
        if is_postgresql(connection):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                # Compiling the statement of a search takes PostgreSQL longer than executing it.
                cursor.execute("SET LOCAL jit = off")
        yield


def savepoint(using: str) -> AbstractContextManager[Any]:
    """A context for statements that may fail. Inside a caller's transaction, which a failed statement would make
    unusable, it is a savepoint."""
    return transaction.atomic(using=using) if connections[using].in_atomic_block else nullcontext()


@contextmanager
def rolled_back(*databases: str) -> Iterator[None]:
    """Inside this context changes are made in one transaction for each of the databases. At the end they are undone."""
    with ExitStack() as stack:
        for using in set(databases):
            stack.enter_context(transaction.atomic(using=using))
            stack.callback(transaction.set_rollback, True, using=using)
        yield


@contextmanager
def _deferred(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Makes SQLite begin a transaction as a reader. The host may have set that transactions begin as writers, which
    would wait for each other."""
    if is_postgresql(connection):
        yield
        return
    mode = getattr(connection, "transaction_mode", None)
    connection.ensure_connection()
    connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]  # an attribute of Django's SQLite backend
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]  # as above
