"""PostgreSQL's indexes of names and e-mails: of their parts as searches compare them, and of users in their order.

They take the place of those by capitals (0002), which knew the case of some alphabets only, and by the database's own
order. Parts need the extension pg_trgm; where the server lacks it, or this login may not add it, searches read all rows
and find the same. docs/operations.md says how to add the indexes later.
"""

import logging
from importlib import import_module

from django.db import DatabaseError, migrations, router, transaction
from django.db.migrations.operations.base import Operation

from stats_app.sql.words import ORDERED, FOLDED, FOLDED_WITHOUT_UNICODE, has_unicode

logger = logging.getLogger("stats_app")

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
PARTS = {
    "stats_user_parts": ("stats_app_workspaceuser", ("display_name", "email")),
    "stats_alias_parts": ("stats_app_alias", ("email",)),
    "stats_campaign_parts": ("stats_app_campaign", ("name",)),
}


def statements(connection, operators):
    """What makes the indexes of parts, by an operator class of pg_trgm."""
    folded = FOLDED if has_unicode(connection) else FOLDED_WITHOUT_UNICODE
    for name, (table, columns) in PARTS.items():
        keys = ", ".join(f"{folded.format(text=f'({column})::text')} {operators}" for column in columns)
        yield f"DROP INDEX IF EXISTS {name}"
        yield f"CREATE INDEX {name} ON {table} USING gin ({keys})"


def order(connection):
    column = ORDERED.format(text="display_name") if has_unicode(connection) else "display_name"
    return f"CREATE INDEX stats_user_name ON stats_app_workspaceuser ({column}, id)"


def operators(cursor):
    """The operator class, in whatever schema the extension lies."""
    cursor.execute("SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'")
    found = cursor.fetchone()
    return f"{found[0]}.gin_trgm_ops" if found else "gin_trgm_ops"


def is_wanted(connection, app_label):
    """Whether the database is PostgreSQL, and the project's routers put the app's tables into it."""
    return connection.vendor == "postgresql" and router.allow_migrate(connection.alias, app_label)


class IndexSearches(Operation):
    """`sqlmigrate` prints its statements, which the docs refer to."""

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        connection = schema_editor.connection
        if not is_wanted(connection, app_label):
            return
        schema_editor.execute(order(connection))
        if schema_editor.collect_sql:
            schema_editor.execute(EXTENSION)
            with connection.cursor() as cursor:
                found = operators(cursor)
            for statement in statements(connection, found):
                schema_editor.execute(statement)
            return
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(EXTENSION)
                for statement in statements(connection, operators(cursor)):
                    cursor.execute(statement)
        except DatabaseError as error:
            logger.warning("Searches will read all rows, for want of an index of parts (docs/operations.md): %s", error)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if is_wanted(schema_editor.connection, app_label):
            for name in ("stats_user_name", *PARTS):
                schema_editor.execute(f"DROP INDEX IF EXISTS {name}")
            import_module("stats_app.migrations.0002_storage_on_postgresql").index_parts(None, schema_editor)

    def describe(self):
        return "Index names and e-mails for searches"


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0009_assignments_of_one_workspace")]

    operations = [IndexSearches()]
