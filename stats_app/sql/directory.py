"""Writing people and campaigns, any number of rows by one statement.

The rows are passed as one JSON parameter, which both databases read as a table. Each statement names its workspace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import execute, is_postgresql, rows

_USER, _ALIAS, _ADDRESS = "stats_app_workspaceuser", "stats_app_alias", "stats_app_address"
_CAMPAIGN, _ASSIGNMENT = "stats_app_campaign", "stats_app_campaignassignment"

_TYPES = {
    "id": "int8",
    "user_id": "int8",
    "alias_id": "int8",
    "campaign_id": "int8",
    "starts_on": "date",
    "ends_on": "date",
    "is_active": "boolean",
    "is_paused": "boolean",
}
"""The types of the columns that are not text."""

_USER_VALUES = ("external_id", "email", "display_name", "is_active")
_CAMPAIGN_VALUES = ("external_id", "name", "target_url", "starts_on", "ends_on", "is_paused")

Row = Mapping[str, Any]


def insert_users(connection: BaseDatabaseWrapper, workspace_id: int, users: Sequence[Row], now: datetime) -> None:
    """Inserts users. Each row contains its `public_id`."""
    constant = {"is_opted_out": False, "created_at": now}
    _insert(connection, _USER, workspace_id, ("public_id", *_USER_VALUES), users, constant)


def update_users(
    connection: BaseDatabaseWrapper, workspace_id: int, users: Sequence[Row], columns: Sequence[str]
) -> None:
    """Writes only these columns."""
    _update(connection, _USER, workspace_id, columns, users)


def part_with_emails(connection: BaseDatabaseWrapper, workspace_id: int, users: Sequence[int]) -> None:
    """Clears the e-mails and external ids of users who get new ones, because two users may swap theirs."""
    _free(connection, _USER, workspace_id, users, "external_id = NULL, email = public_id || '@moved.invalid'")


def insert_aliases(connection: BaseDatabaseWrapper, workspace_id: int, aliases: Sequence[Row]) -> None:
    _insert(connection, _ALIAS, workspace_id, ("user_id", "email"), aliases)


def replace_addresses(connection: BaseDatabaseWrapper, workspace_id: int, addresses: Sequence[Row]) -> None:
    """Replaces the addresses of users whose e-mail changes, and adds those of new users and aliases."""
    if not addresses:
        return
    given = _given(connection, ("user_id",))
    statement = (
        f"DELETE FROM {_ADDRESS} WHERE workspace_id = %s AND user_id IN (SELECT given.user_id FROM {given} "
        "WHERE given.user_id IS NOT NULL)"
    )
    execute(connection, statement, [workspace_id, json.dumps([row for row in addresses if row["user_id"] is not None])])
    _insert(connection, _ADDRESS, workspace_id, ("email", "user_id", "alias_id"), addresses)


def deactivate_users(connection: BaseDatabaseWrapper, workspace_id: int, users: Sequence[int]) -> None:
    _free(connection, _USER, workspace_id, users, f"is_active = {'false' if is_postgresql(connection) else '0'}")


def active_users(connection: BaseDatabaseWrapper, workspace_id: int) -> list[tuple[int, str]]:
    """The id and the e-mail of each active user, in the order of their e-mails."""
    is_active = "is_active" if is_postgresql(connection) else "is_active = 1"
    statement = f"SELECT id, email FROM {_USER} WHERE workspace_id = %s AND {is_active} ORDER BY email"
    return rows(connection, statement, [workspace_id])


def insert_campaigns(
    connection: BaseDatabaseWrapper, workspace_id: int, campaigns: Sequence[Row], now: datetime
) -> None:
    """Inserts campaigns. Each row contains its `public_id`."""
    _insert(connection, _CAMPAIGN, workspace_id, ("public_id", *_CAMPAIGN_VALUES), campaigns, {"created_at": now})


def update_campaigns(
    connection: BaseDatabaseWrapper, workspace_id: int, campaigns: Sequence[Row], columns: Sequence[str]
) -> None:
    """Writes only these columns."""
    _update(connection, _CAMPAIGN, workspace_id, columns, campaigns)


def part_with_external_ids(connection: BaseDatabaseWrapper, workspace_id: int, campaigns: Sequence[int]) -> None:
    """Clears the external ids of campaigns that get new ones, because two campaigns may swap theirs."""
    _free(connection, _CAMPAIGN, workspace_id, campaigns, "external_id = NULL")


def assign(connection: BaseDatabaseWrapper, workspace_id: int, pairs: Sequence[Row], now: datetime) -> int:
    """Assigns users to campaigns; returns the number of new assignments."""
    if not pairs:
        return 0
    columns, constant = ("campaign_id", "user_id"), {"assigned_at": now}
    statement, params = _insertion(connection, _ASSIGNMENT, workspace_id, columns, pairs, constant)
    # The returned rows are counted, because for this statement Citus reports the number of given rows, not of new ones.
    new = f"{statement} ON CONFLICT (campaign_id, user_id) DO NOTHING RETURNING user_id"
    return len(rows(connection, new, params))


def unassign(connection: BaseDatabaseWrapper, workspace_id: int, pairs: Sequence[Row]) -> None:
    if pairs:
        given = _given(connection, ("campaign_id", "user_id"))
        statement = (
            f"DELETE FROM {_ASSIGNMENT} WHERE workspace_id = %s AND (campaign_id, user_id) IN "
            f"(SELECT given.campaign_id, given.user_id FROM {given})"
        )
        execute(connection, statement, [workspace_id, json.dumps(pairs)])


def _insert(
    connection: BaseDatabaseWrapper,
    table: str,
    workspace_id: int,
    columns: Sequence[str],
    given: Sequence[Row],
    constant: Mapping[str, Any] | None = None,
) -> None:
    if given:
        execute(connection, *_insertion(connection, table, workspace_id, columns, given, constant or {}))


def _insertion(
    connection: BaseDatabaseWrapper,
    table: str,
    workspace_id: int,
    columns: Sequence[str],
    given: Sequence[Row],
    constant: Mapping[str, Any],
) -> tuple[str, list[Any]]:
    """The statement that inserts the given rows, and its parameters. ON CONFLICT may follow."""
    others = {"workspace_id": workspace_id, **constant}
    names = ", ".join((*others, *columns))
    places = ", ".join(_placeholder(connection, value) for value in others.values())
    values = ", ".join(f"given.{column}" for column in columns)
    # Without `WHERE true` SQLite would parse the ON of ON CONFLICT as the condition of a join.
    statement = f"INSERT INTO {table} ({names}) SELECT {places}, {values} FROM {_given(connection, columns)} WHERE true"
    adapted = [_adapted(connection, value) for value in others.values()]
    return statement, [*adapted, json.dumps(given)]


def _update(
    connection: BaseDatabaseWrapper, table: str, workspace_id: int, columns: Sequence[str], given: Sequence[Row]
) -> None:
    if given:
        values = ", ".join(f"{column} = given.{column}" for column in columns)
        statement = (
            f"UPDATE {table} SET {values} FROM {_given(connection, ('id', *columns))} "
            f"WHERE {table}.id = given.id AND {table}.workspace_id = %s"
        )
        execute(connection, statement, [json.dumps(given), workspace_id])


def _free(connection: BaseDatabaseWrapper, table: str, workspace_id: int, keys: Iterable[int], assignment: str) -> None:
    given = [{"id": key} for key in keys]
    if given:
        statement = (
            f"UPDATE {table} SET {assignment} WHERE workspace_id = %s AND id IN "
            f"(SELECT given.id FROM {_given(connection, ('id',))})"
        )
        execute(connection, statement, [workspace_id, json.dumps(given)])


def _given(connection: BaseDatabaseWrapper, columns: Iterable[str]) -> str:
    """The SQL that reads the rows of a JSON parameter as the table `given`. Keys that are not columns are ignored."""
    if is_postgresql(connection):
        listed = ", ".join(f"{column} {_TYPES.get(column, 'text')}" for column in columns)
        return f"json_to_recordset(%s::json) AS given ({listed})"
    listed = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in columns)
    return f"(SELECT {listed} FROM json_each(%s)) AS given"


def _placeholder(connection: BaseDatabaseWrapper, value: object) -> str:
    if not is_postgresql(connection):
        return "%s"
    kinds = {int: "int8", bool: "boolean", datetime: "timestamptz"}
    return f"%s::{kinds[type(value)]}"


def _adapted(connection: BaseDatabaseWrapper, value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
