"""Deleting the rows of one tenant from any table, in batches."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql, rows


class TenantRows(NamedTuple):
    """A table, and the condition that selects the rows of the workspace `%(workspace)s`."""

    table: str
    condition: str

    def among(self, column: str, key: str) -> str:
        """A condition for another table: that its foreign key `column` refers to one of these rows by their column
        `key`."""
        return f"{column} IN (SELECT {key} FROM {self.table} WHERE {self.condition})"


def delete_some(connection: BaseDatabaseWrapper, tenant_rows: TenantRows, workspace_id: int, limit: int) -> int:
    """Deletes at most `limit` of the rows, and returns the number deleted."""
    table, condition = tenant_rows
    place = "ctid" if is_postgresql(connection) else "rowid"
    some = f"SELECT {place} FROM {table} WHERE {condition} LIMIT {limit}"
    among = f"= ANY(ARRAY({some}))" if is_postgresql(connection) else f"IN ({some})"
    statement = f"DELETE FROM {table} WHERE {condition} AND {place} {among}"
    return execute(connection, statement, {"workspace": workspace_id})


def count(connection: BaseDatabaseWrapper, tenant_rows: TenantRows, workspace_id: int) -> int:
    statement = f"SELECT count(*) FROM {tenant_rows.table} WHERE {tenant_rows.condition}"
    [(number,)] = rows(connection, statement, {"workspace": workspace_id})
    return int(number)
