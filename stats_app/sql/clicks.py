"""Storing clicks, each id of a workspace once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from stats_app.sql.cursor import array, day_array, is_postgresql, number_array, rows, text_array

_COLUMNS = (
    "workspace_id, id, clicked_at, utc_day, kind, verdict, campaign_id, user_id, alias_id, link_id, reason, visitor"
)


class ClickRow(NamedTuple):
    """A click as it is stored, but for the workspace."""

    id: bytes
    clicked_at: datetime
    utc_day: date
    kind: int
    verdict: int
    campaign_id: int | None
    user_id: int | None
    alias_id: int | None
    link_id: int | None
    reason: str
    visitor: bytes | None


def insert(connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow]) -> set[bytes] | None:
    """Stores the clicks whose ids are not there yet, and returns those ids; None means all of them.

    The ids must be different from each other and in order: batches that overlap deadlock otherwise.
    """
    if is_postgresql(connection):
        return _insert_postgresql(connection, workspace_id, clicks)
    return _insert_sqlite(connection, workspace_id, clicks)


def _insert_postgresql(
    connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow]
) -> set[bytes] | None:
    ids, times, days, kinds, verdicts, campaigns, users, aliases, links, reasons, visitors = zip(*clicks, strict=True)
    [(stored, new_ids)] = rows(
        connection,
        f"""
        WITH inserted AS (
            INSERT INTO stats_app_click ({_COLUMNS})
            SELECT %s, given.* FROM unnest(
                %s::uuid[], %s::timestamptz[], %s::date[], %s::int2[], %s::int2[], %s::int4[], %s::int4[], %s::int4[],
                %s::int4[], %s::text[], %s::bytea[]
            ) AS given
            ON CONFLICT DO NOTHING
            RETURNING id
        )
        SELECT count(*), CASE WHEN count(*) < %s THEN array_agg(id) END FROM inserted
        """,
        [
            workspace_id,
            array(click_id.hex() for click_id in ids),
            array(f'"{moment.isoformat()}"' for moment in times),
            day_array(days),
            number_array(kinds),
            number_array(verdicts),
            number_array(campaigns),
            number_array(users),
            number_array(aliases),
            number_array(links),
            text_array(reasons),
            array(None if visitor is None else f'"\\\\x{visitor.hex()}"' for visitor in visitors),
            len(clicks),
        ],
    )
    return None if stored == len(clicks) else {new_id.bytes for new_id in new_ids or ()}


def _insert_sqlite(connection: BaseDatabaseWrapper, workspace_id: int, clicks: Sequence[ClickRow]) -> set[bytes] | None:
    """Looks first and inserts then, which is exact here: the transaction began with a write, so nobody else writes."""
    there = _ids_there(connection, workspace_id, [click.id for click in clicks])
    new = [click for click in clicks if click.id not in there] if there else clicks
    marks = ", ".join(["%s"] * 12)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO stats_app_click ({_COLUMNS}) VALUES ({marks})",
            [(workspace_id, click.id, _sqlite_time(click.clicked_at), str(click.utc_day), *click[3:]) for click in new],
        )
    return {click.id for click in new} if there else None


def _ids_there(connection: BaseDatabaseWrapper, workspace_id: int, ids: Sequence[bytes]) -> set[bytes]:
    """All ids go in as one value, because SQLite limits the number of variables, and JSON cannot hold bytes."""
    found = rows(
        connection,
        """
        SELECT id FROM stats_app_click WHERE workspace_id = %s AND id IN (
            SELECT substr(given.ids, 16 * place.value + 1, 16)
            FROM (SELECT %s AS ids) AS given, json_each(%s) AS place
        )
        """,
        [workspace_id, b"".join(ids), json.dumps([*range(len(ids))])],
    )
    return {row[0] for row in found}


def _sqlite_time(moment: datetime) -> str:
    """The text that Django's own DateTimeField writes and compares."""
    return str(moment.replace(tzinfo=None))
