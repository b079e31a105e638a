"""Citus, an extension that runs PostgreSQL on several machines: where its tables are, and moving them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql, rows, text_array

DISTRIBUTED = "distributed"
REFERENCE = "reference"
LOCAL = "local"


class Cluster(NamedTuple):
    """The version of Citus, its machines and settings, as the database reports them."""

    version: tuple[int, ...]
    is_coordinator: bool
    machines: int
    has_coordinator: bool
    """Whether the coordinator is registered as a machine of the cluster. Without workers it registers itself."""
    recovery_ms: int
    """The interval between two checks for transactions that a crash interrupted; negative if there are no checks."""


def cluster(connection: BaseDatabaseWrapper) -> Cluster | None:
    """The cluster; None if the database has no Citus."""
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
    """The place of each of these tables that Citus knows. The others are on the coordinator only."""
    kinds = f"CASE WHEN partmethod = 'h' THEN '{DISTRIBUTED}' WHEN repmodel = 't' THEN '{REFERENCE}' ELSE '{LOCAL}' END"
    statement = f"""
        SELECT name, {kinds} FROM unnest(%s::text[]) AS given (name)
            JOIN pg_dist_partition ON logicalrelid = to_regclass(name)
    """
    return dict(rows(connection, statement, [text_array(tables)]))


def begin_layout(connection: BaseDatabaseWrapper) -> None:
    """Sets up a transaction that moves tables. Because the tables reference each other, Citus must not change their
    shards over several connections at the same time."""
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
    """Makes Citus change the shards of a table one after the other in all later sessions of the database.

    Otherwise a migration that changes both a distributed table and a reference table fails.
    """
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    execute(connection, f"ALTER DATABASE {name} SET citus.multi_shard_modify_mode = 'sequential'")


def distribute(connection: BaseDatabaseWrapper, table: str, column: str, with_table: str | None, shards: int) -> None:
    """Distributes a table by a column. Its rows are stored with the rows of `with_table` that have the same value in
    it."""
    if with_table is None:
        given = [table, column, str(shards)]
        rows(connection, "SELECT create_distributed_table(%s, %s, shard_count => %s::int4)::text", given)
    else:
        given = [table, column, with_table]
        rows(connection, "SELECT create_distributed_table(%s, %s, colocate_with => %s)::text", given)


def copy_to_all(connection: BaseDatabaseWrapper, table: str) -> None:
    """Makes a table a reference table, of which each machine has a copy."""
    rows(connection, "SELECT create_reference_table(%s)::text", [table])


def make_known(connection: BaseDatabaseWrapper, table: str) -> None:
    """Makes Citus know a table and those connected to it by foreign keys, without moving them. A change of such a table
    is committed together with the transaction's changes on other machines."""
    statement = "SELECT citus_add_local_table_to_metadata(%s, cascade_via_foreign_keys => true)::text"
    rows(connection, statement, [table])


def commit_together(connection: BaseDatabaseWrapper) -> None:
    """Makes Citus commit this transaction on all machines or on none.

    Citus does so by itself only if it sees changes on several machines. It does not see changes of tables that it does
    not know, such as the host's. An UPDATE of a table that it knows counts as a change, even if it changes no row.
    """
    execute(connection, "UPDATE stats_app_workspace SET name = name WHERE false")


def bytes_left_behind(connection: BaseDatabaseWrapper, table: str) -> int:
    """The size of the rows that stayed on the coordinator when the table was distributed."""
    [(size,)] = rows(connection, "SELECT pg_relation_size(%s::regclass)", [table])
    return int(size)


def remove_what_was_left_behind(connection: BaseDatabaseWrapper, table: str) -> None:
    rows(connection, "SELECT truncate_local_data_after_distributing_table(%s)::text", [table])
