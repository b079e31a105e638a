"""The place of each table in a Citus cluster, which is PostgreSQL on several machines.

Clicks and rollups are distributed by workspace. All rows of one workspace are on the same machine, so that a click and
its counts change on one machine. The tables that clicks are joined with are small, and every machine has a copy of them
(a reference table). All other tables stay on the coordinator.

The workspaces stay on the coordinator, too, because their rows are locks. A lock on a row of a reference table stops
the writers of all workspaces. Citus must know the table of workspaces, because only then does it commit a transaction
that locks one of its rows on all machines or on none.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections, models, transaction

from stats_app.errors import Refused
from stats_app.models import (
    Address,
    Alias,
    ApiKey,
    CallWindow,
    Campaign,
    CampaignAssignment,
    Click,
    ClickRecord,
    ErasedIdentifier,
    ErasureSalt,
    ImportKey,
    Mailing,
    MailingAddress,
    MailingDelivery,
    Reason,
    RecentVisit,
    Rollup,
    SharedReport,
    ToolCall,
    TrackedLink,
    VisitorSalt,
    Workspace,
    WorkspaceUser,
)
from stats_app.sql import citus

PLACES: dict[type[models.Model], str] = {
    Click: citus.DISTRIBUTED,
    ClickRecord: citus.DISTRIBUTED,
    Rollup: citus.DISTRIBUTED,
    Campaign: citus.REFERENCE,
    WorkspaceUser: citus.REFERENCE,
    Alias: citus.REFERENCE,
    CampaignAssignment: citus.REFERENCE,
    TrackedLink: citus.REFERENCE,
    Reason: citus.REFERENCE,
    Workspace: citus.LOCAL,
    Address: citus.LOCAL,
    ApiKey: citus.LOCAL,
    CallWindow: citus.LOCAL,
    ErasedIdentifier: citus.LOCAL,
    ErasureSalt: citus.LOCAL,
    ImportKey: citus.LOCAL,
    Mailing: citus.LOCAL,
    MailingAddress: citus.LOCAL,
    MailingDelivery: citus.LOCAL,
    RecentVisit: citus.LOCAL,
    SharedReport: citus.LOCAL,
    ToolCall: citus.LOCAL,
    VisitorSalt: citus.LOCAL,
}
"""The place of each model's table. A new model is `LOCAL`, unless a statement joins it with clicks."""

COLUMN = "workspace_id"
SHARDS = 32
"""The default number of shards of clicks. They can be spread over at most this many machines."""

OLDEST = (13, 0)
"""The oldest version of Citus that was tested."""

RECOVERY_MS = 5_000
"""The longest time between two repairs by Citus without a warning (W007). Until a repair, the clicks that a crashed
machine was storing cannot be read."""

_KNOWN = Workspace._meta.db_table  # the local table that Citus must know
_PLACED = {
    citus.DISTRIBUTED: "spread by workspace",
    citus.REFERENCE: "copied to every machine",
    citus.LOCAL: "stays on the coordinator, and is known to Citus",
}


def misplaced(using: str) -> dict[str, str]:
    """The tables that are not in their places, with their right places. Empty if the database has no Citus."""
    wanted = {model._meta.db_table: place for model, place in PLACES.items() if place != citus.LOCAL}
    wanted[_KNOWN] = citus.LOCAL
    connection = connections[using]
    if citus.cluster(connection) is None:
        return {}
    actual = citus.places(connection, wanted)
    return {table: place for table, place in wanted.items() if actual.get(table) != place}


def recovers_late(using: str) -> bool:
    """Whether Citus may take longer than `RECOVERY_MS` to finish the commits that a crash interrupted."""
    cluster = citus.cluster(connections[using])
    return cluster is not None and not 0 < cluster.recovery_ms <= RECOVERY_MS


def distribute(using: str, shards: int = SHARDS, *, dry_run: bool = False) -> Iterator[str]:
    """Moves every table to its place in one transaction, and yields a line for each table it moved. Raises Refused.

    Tables that are already in their places are not moved, so it can be run again: after an interruption, and after an
    update that adds tables.
    """
    _refuse_without_citus(using)
    connection = connections[using]
    tables = misplaced(using)
    if tables and not dry_run:
        with transaction.atomic(using=using):
            citus.begin_layout(connection)
            for table, place in tables.items():
                _move(using, table, place, shards)
    yield from (f"{table}: {_PLACED[place]}" for table, place in tables.items())
    if not citus.keeps_to_one_connection(connection):
        yield "citus.multi_shard_modify_mode: sequential in this database, for later migrations"
        if not dry_run:
            citus.keep_to_one_connection(connection)
    if dry_run:
        return
    for table in (Click._meta.db_table, Rollup._meta.db_table):
        if citus.bytes_left_behind(connection, table):
            citus.remove_what_was_left_behind(connection, table)
            yield f"{table}: removed the rows that were left behind on the coordinator"


def machines(using: str) -> int:
    """The number of machines that clicks are spread over."""
    cluster = citus.cluster(connections[using])
    return cluster.machines if cluster is not None else 1


def _move(using: str, table: str, place: str, shards: int) -> None:
    connection = connections[using]
    if place == citus.DISTRIBUTED:
        first = Click._meta.db_table
        citus.distribute(connection, table, COLUMN, None if table == first else first, shards)
    elif place == citus.REFERENCE:
        citus.copy_to_all(connection, table)
    else:
        citus.make_known(connection, table)


def _refuse_without_citus(using: str) -> None:
    connection = connections[using]
    if connection.vendor != "postgresql":
        raise Refused(
            f"The database is {connection.display_name}: only PostgreSQL with the extension citus can be distributed."
        )
    cluster = citus.cluster(connection)
    oldest = ".".join(map(str, OLDEST))
    if cluster is None:
        raise Refused(
            f"The database has no extension citus, {oldest} or later: install it on every machine and run "
            "CREATE EXTENSION citus in the database of each."
        )
    if cluster.version < OLDEST:
        version = ".".join(map(str, cluster.version))
        raise Refused(f"The extension citus has version {version}; {oldest} or later is needed.")
    if not cluster.is_coordinator:
        raise Refused("This machine is a worker of the cluster: run the command on the coordinator.")
    if not cluster.has_coordinator:
        raise Refused(
            "The cluster does not know its coordinator: run SELECT citus_set_coordinator_host('NAME', 5432) on it, "
            "with the name by which the workers reach it."
        )
