"""The databases of the benchmark: created and loaded once, and kept for the next run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection as default_connection
from django.db import connections
from psycopg import sql

MAIN, SMALL, STAFF, SCRATCH = "default", "small", "staff", "scratch"
SQLITE = "sqlite"
SUFFIXES = {MAIN: "", SMALL: "_small", STAFF: "_staff", SCRATCH: "_scratch"}


class Chosen:
    """The database router: all queries go to the database that `on` names, or that a server was started for."""

    alias = os.environ.get("BENCH_ALIAS", MAIN)

    def db_for_read(self, model: type, **hints: Any) -> str:
        return self.alias

    def db_for_write(self, model: type, **hints: Any) -> str:
        return self.alias


@contextmanager
def on(alias: str) -> Iterator[None]:
    """All queries of the block go to this database."""
    before, Chosen.alias = Chosen.alias, alias
    try:
        yield
    finally:
        Chosen.alias = before


def prepare(alias: str, size: int, fresh: bool, fill: Callable[[int], None]) -> None:
    """Creates the database and fills it with `size` clicks, unless that was done before."""
    name, mark = connections.databases[alias]["NAME"], _mark(size)
    if not fresh and _mark_of(name) == mark:
        return
    recreate(alias)
    with on(alias):
        fill(size)
    with _maintenance() as connection:
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), mark))


def recreate(alias: str) -> None:
    """Creates an empty database with the product's tables."""
    name = connections.databases[alias]["NAME"]
    drop(alias)
    with _maintenance() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    call_command("migrate", database=alias, verbosity=0)


def recreate_sqlite() -> None:
    """Creates an empty SQLite file with the product's tables."""
    connections[SQLITE].close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{connections.databases[SQLITE]['NAME']}{suffix}").unlink(missing_ok=True)
    call_command("migrate", database=SQLITE, verbosity=0)


def drop(alias: str) -> None:
    connections[alias].close()
    with _maintenance() as connection:
        name = sql.Identifier(connections.databases[alias]["NAME"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _maintenance() -> psycopg.Connection[Any]:
    """A connection to another database, for creating and dropping databases, which must not run in a transaction."""
    params = default_connection.get_connection_params()
    names = {name: params[name] for name in ("host", "port", "user", "password") if params.get(name)}
    return psycopg.connect(**names, dbname="postgres", autocommit=True)


def _mark(size: int) -> str:
    """Identifies the contents of a filled database. If tables or workload have changed, it must be filled again."""
    here = Path(__file__).parent
    sources = [here / "workload.py", here / "filling.py", *sorted(here.parent.glob("stats_app/migrations/0*.py"))]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    return f"{size} clicks, {digest.hexdigest()[:16]}"


def _mark_of(name: str) -> str | None:
    with _maintenance() as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
    return row[0] if row else None
