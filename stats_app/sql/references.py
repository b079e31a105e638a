"""Finding the rows that clicks name."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import is_postgresql, rows


def find(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    table: str,
    column: str,
    values: Collection[str] | Collection[int],
    more: str = "",
) -> list[tuple[Any, ...]]:
    """Rows `(value, id, *more)` of those rows of the workspace whose column, an expression, is one of the values."""
    if not values:
        return []
    columns = f"{column}, id{', ' + more if more else ''}"
    if is_postgresql(connection):
        return rows(
            connection,
            f"SELECT {columns} FROM {table} WHERE workspace_id = %s AND {column} = ANY(%s)",
            [workspace_id, list(values)],
        )
    return rows(
        connection,
        f"SELECT {columns} FROM {table} WHERE workspace_id = %s AND {column} IN (SELECT value FROM json_each(%s))",
        [workspace_id, json.dumps(list(values))],
    )
