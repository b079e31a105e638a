"""Finding the rows that clicks name."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import array, is_postgresql, rows, text_array


def find(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    table: str,
    column: str,
    values: Collection[str] | Collection[int],
    more: str = "",
) -> list[tuple[Any, ...]]:
    """Rows `(value, id, *more)` of those rows of the workspace whose column is one of the values."""
    if not values:
        return []
    columns = f"named.id{', ' + more if more else ''}"
    given, param = _given(connection, values)
    statement = (
        f"SELECT named.{column}, {columns} FROM {table} AS named "
        f"WHERE named.{column} IN (SELECT value FROM {given}) AND named.workspace_id = %s"
    )
    return rows(connection, statement, [param, workspace_id])


def _given(connection: BaseDatabaseWrapper, values: Collection[str] | Collection[int]) -> tuple[str, str]:
    """The table `given` of the column `value`, and its parameter."""
    if not is_postgresql(connection):
        return "json_each(%s) AS given", json.dumps([*values])
    texts = [value for value in values if isinstance(value, str)]
    kind, param = ("text", text_array(texts)) if texts else ("int8", array(values))
    return f"unnest(%s::{kind}[]) AS given (value)", param
