"""Finding the rows of a workspace that clicks, links and lists refer to."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import array, is_postgresql, rows, text_array

OWNER_IS_OPTED_OUT = (
    "(SELECT is_opted_out FROM stats_app_workspaceuser AS person "
    "WHERE person.id = known.user_id AND person.workspace_id = known.workspace_id)"
)


def find(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    table: str,
    column: str,
    values: Collection[str] | Collection[int],
    more: str = "",
) -> list[tuple[Any, ...]]:
    """For each row of the workspace whose column has one of the values: `(value, id, *more)`.

    `more` are further columns of the table, whose alias is `known`.
    """
    if not values:
        return []
    columns = f"known.{column}, known.id{', ' + more if more else ''}"
    # SQLite looks up each value if the values come first in the join. With `IN (...)` it reads the whole workspace.
    statement = (
        f"SELECT {columns} FROM {{given}} CROSS JOIN {table} AS known "
        f"WHERE known.{column} = given.value AND known.workspace_id = %s"
    )
    if not is_postgresql(connection):
        given = "json_each(%s) AS given"
        return rows(connection, statement.format(given=given), [json.dumps([*values]), workspace_id])
    texts = [value for value in values if isinstance(value, str)]
    kind, param = ("text", text_array(texts)) if texts else ("int8", array(values))
    given = f"unnest(%s::{kind}[]) AS given (value)"
    return rows(connection, statement.format(given=given), [param, workspace_id])
