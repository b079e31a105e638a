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
    *,
    lock: bool = False,
) -> list[tuple[Any, ...]]:
    """For each row of the workspace whose column has one of the values: `(value, id, *more)`.

    `more` are further columns of the table, whose alias is `known`. With `lock`, PostgreSQL keeps others from deleting
    these rows until the transaction ends. The rows are locked in the order of their ids, because transactions that lock
    the same rows in different orders could deadlock.
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
    locking = " ORDER BY known.id FOR KEY SHARE OF known" if lock else ""
    return rows(connection, statement.format(given=given) + locking, [param, workspace_id])
