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
    statement = (
        f"SELECT {column}, id{', ' + more if more else ''} FROM {table} "
        f"WHERE {column} IN (SELECT value FROM {{given}}) AND workspace_id = %s"
    )
    if not is_postgresql(connection):
        return rows(connection, statement.format(given="json_each(%s)"), [json.dumps([*values]), workspace_id])
    texts = [value for value in values if isinstance(value, str)]
    kind, param = ("text", text_array(texts)) if texts else ("int8", array(values))
    given = f"unnest(%s::{kind}[]) AS given (value)"
    return rows(connection, statement.format(given=given), [param, workspace_id])
