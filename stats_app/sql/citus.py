"""Citus: PostgreSQL over several machines. Where its tables lie, and laying them out."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql, rows, text_array

DISTRIBUTED = "distributed"
REFERENCE = "reference"
LOCAL = "local"


class Cluster(NamedTuple):
    """What the database says of itself: the version of Citus, and its machines."""

    version: tuple[int, ...]
    is_coordinator: bool
    machines: int
    has_coordinator: bool
    """Whether the machines know the coordinator. One alone makes itself known."""
    recovery_ms: int
    """The time between two looks at transactions that a crash left half done; below 0 without any."""


def cluster(connection: BaseDatabaseWrapper) -> Cluster | None:
    """None where the database has no Citus."""
    if not is_postgresql(connection):
        return None
    versions = rows(connection, "SELECT extversion FROM pg_extension WHERE extname = 'citus'")
    if not versions:
        return None
    version = tuple(int(part) for part in versions[0][0].partition("-")[0].split(".") if part.isdecimal())
    [(group, machines, has_coordinator, recovery_ms)] = rows(
        connection,
        """
        SELECT (SELECT groupid FROM pg_dist_local_group), (SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards),
            NOT EXISTS (SELECT 1 FROM pg_dist_node) OR EXISTS (SELECT 1 FROM pg_dist_node WHERE groupid = 0),
            (SELECT setting::int8 FROM pg_settings WHERE name = 'citus.recover_2pc_interval')
        """,
    )
    return Cluster(version, group == 0, machines, has_coordinator, recovery_ms)


def places(connection: BaseDatabaseWrapper, tables: Collection[str]) -> dict[str, str]:
    """Where each of the tables lies that Citus knows. The others lie on the coordinator alone."""
    kinds = f"CASE WHEN partmethod = 'h' THEN '{DISTRIBUTED}' WHEN repmodel = 't' THEN '{REFERENCE}' ELSE '{LOCAL}' END"
    statement = f"""
        SELECT name, {kinds} FROM unnest(%s::text[]) AS given (name)
            JOIN pg_dist_partition ON logicalrelid = to_regclass(name)
    """
    return dict(rows(connection, statement, [text_array(tables)]))


def begin_layout(connection: BaseDatabaseWrapper) -> None:
    """The tables refer to each other, so that none may be changed over two connections at once."""
    execute(connection, "SET LOCAL citus.multi_shard_modify_mode = 'sequential'")
    execute(connection, "SET LOCAL client_min_messages = warning")


def keeps_to_one_connection(connection: BaseDatabaseWrapper) -> bool:
    """Whether `keep_to_one_connection` was called for this database."""
    settings = rows(
        connection,
        """
        SELECT 1 FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = current_database() AND 'citus.multi_shard_modify_mode=sequential' = ANY(setconfig)
        """,
    )
    return bool(settings)


def keep_to_one_connection(connection: BaseDatabaseWrapper) -> None:
    """Has what changes a whole table go from part to part: a migration that also changes a copied table fails else."""
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    execute(connection, f"ALTER DATABASE {name} SET citus.multi_shard_modify_mode = 'sequential'")


def distribute(connection: BaseDatabaseWrapper, table: str, column: str, with_table: str | None, shards: int) -> None:
    """Spreads a table by a column, its rows beside those of `with_table` that have the same value there."""
    if with_table is None:
        given = [table, column, str(shards)]
        rows(connection, "SELECT create_distributed_table(%s, %s, shard_count => %s::int4)::text", given)
    else:
        given = [table, column, with_table]
        rows(connection, "SELECT create_distributed_table(%s, %s, colocate_with => %s)::text", given)


def copy_to_all(connection: BaseDatabaseWrapper, table: str) -> None:
    """Keeps a copy of a table on each machine."""
    rows(connection, "SELECT create_reference_table(%s)::text", [table])


def make_known(connection: BaseDatabaseWrapper, table: str) -> None:
    """Leaves a table where it is, with those that it has to do with by foreign keys, and has changes of it committed
    along with those on other machines."""
    statement = "SELECT citus_add_local_table_to_metadata(%s, cascade_via_foreign_keys => true)::text"
    rows(connection, statement, [table])


def commit_together(connection: BaseDatabaseWrapper) -> None:
    """Has what the transaction changes committed on all machines or none, whatever it changes on the coordinator.

    Citus does so by itself only if it sees several machines change. To it, tables that it does not know are none: the
    host's, and some of ours. A change of one that it knows is one, even of no row.
    """
    execute(connection, "UPDATE stats_app_workspace SET name = name WHERE false")


def bytes_left_behind(connection: BaseDatabaseWrapper, table: str) -> int:
    """The room that rows of a distributed table still take on the coordinator from before they were moved."""
    [(size,)] = rows(connection, "SELECT pg_relation_size(%s::regclass)", [table])
    return int(size)


def remove_what_was_left_behind(connection: BaseDatabaseWrapper, table: str) -> None:
    rows(connection, "SELECT truncate_local_data_after_distributing_table(%s)::text", [table])
