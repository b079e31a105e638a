"""The reasons why clicks are not counted. The rollups hold numbers, so each text of a workspace has one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.dimensions import HUMAN, VERDICTS
from stats_app.sql.cursor import among, execute, number_list, rows, text_list, texts_of

_INSERT = "INSERT INTO stats_app_reason (workspace_id, text)"


def number(connection: BaseDatabaseWrapper, workspace_id: int, texts: Collection[str]) -> None:
    """Gives a number to those of the texts that have none yet."""
    given = texts_of(connection, "texts")
    params = {"workspace": workspace_id, "texts": text_list(connection, texts)}
    statement = f"SELECT text FROM stats_app_reason WHERE workspace_id = %(workspace)s AND text IN ({given})"
    new = set(texts) - {text for (text,) in rows(connection, statement, params)}
    if new:
        # In order: writers with the same new texts would deadlock otherwise.
        params["texts"] = text_list(connection, sorted(new))
        statement = f"{_INSERT} SELECT %(workspace)s, value FROM ({given}) AS given WHERE true ON CONFLICT DO NOTHING"
        execute(connection, statement, params)


def number_stored(connection: BaseDatabaseWrapper, workspace_id: int, first: date, last: date) -> None:
    """The same for the texts of stored clicks, those of the days `first` to `last` in UTC."""
    found = rows(
        connection,
        f"""
        SELECT DISTINCT reason FROM stats_app_click
        WHERE workspace_id = %(workspace)s AND utc_day BETWEEN %(first)s AND %(last)s
            AND verdict <> {VERDICTS[HUMAN]}
        """,
        {"workspace": workspace_id, "first": first, "last": last},
    )
    if found:
        number(connection, workspace_id, [text for (text,) in found])


def texts(connection: BaseDatabaseWrapper, workspace_id: int, numbers: Sequence[int]) -> dict[int, str]:
    """The texts of these numbers."""
    statement = f"""
        SELECT id, text FROM stats_app_reason
        WHERE workspace_id = %(workspace)s AND id {among(connection, "numbers")}
    """
    params = {"workspace": workspace_id, "numbers": number_list(connection, numbers)}
    return dict(rows(connection, statement, params))
