"""How PostgreSQL keeps the two tables that change all the time, and how it finds people and campaigns by a part of a name.

The call windows are not written to its log: they change on each call, and may be lost in a crash. A quarter of each
page of the rollups stays free: a row that finds room for its new version in its own page needs no new entries in the
indexes, which makes the table smaller in the end.

The indexes of parts hold each three letters in a row of a name or e-mail, in the capitals in which Django compares
them. They need the extension pg_trgm. Where the server lacks it, or this login may not add it, searches read all rows
and find the same; docs/operations.md says how to add the indexes later.
"""

import logging

from django.db import DatabaseError, migrations, transaction

logger = logging.getLogger("stats_app")

PARTS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX IF NOT EXISTS stats_user_parts ON stats_app_workspaceuser"
    " USING gin (UPPER(display_name::text) gin_trgm_ops, UPPER(email::text) gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS stats_alias_parts ON stats_app_alias USING gin (UPPER(email::text) gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS stats_campaign_parts ON stats_app_campaign USING gin (UPPER(name::text) gin_trgm_ops)",
)


def alter(*changes):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for change in changes:
                schema_editor.execute(f"ALTER TABLE {change}")

    return run


def index_parts(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in PARTS:
                cursor.execute(statement)
    except DatabaseError as error:
        logger.warning("Searches will read all rows, for want of an index of parts (docs/operations.md): %s", error)


def drop_parts(apps, schema_editor):
    """Leaves the extension, which may have been there before."""
    if schema_editor.connection.vendor == "postgresql":
        for name in ("stats_user_parts", "stats_alias_parts", "stats_campaign_parts"):
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")  # one a statement, for Citus


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0001_initial")]

    operations = [
        migrations.RunPython(
            alter("stats_app_callwindow SET UNLOGGED", "stats_app_rollup SET (fillfactor = 75)"),
            alter("stats_app_callwindow SET LOGGED", "stats_app_rollup RESET (fillfactor)"),
        ),
        migrations.RunPython(index_parts, drop_parts),
    ]
