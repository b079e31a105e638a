"""Writing to the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql


def insert_tool_call(connection: BaseDatabaseWrapper, values: Sequence[Any]) -> None:
    """Inserts a row. `values` are its columns in the order of the statement, with the arguments as JSON text."""
    cast = "::jsonb" if is_postgresql(connection) else ""
    execute(
        connection,
        f"""
        INSERT INTO stats_app_toolcall
            (workspace_id, api_key_id, tool, surface, client, arguments, outcome, duration_ms, called_at)
        VALUES (%s, %s, %s, %s, %s, %s{cast}, %s, %s, %s)
        """,
        values,
    )
