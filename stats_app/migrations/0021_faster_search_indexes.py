"""PostgreSQL's indexes of parts are made again, because the expression that searches use has changed.

Not in one transaction, because Citus lets no statement on its reference tables follow another kind in one.
"""

from importlib import import_module

from django.db import migrations


def make_again(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    indexes = import_module("stats_app.migrations.0010_search_indexes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_class WHERE relname = ANY(%s) AND relkind = 'i'", [list(indexes.PARTS)])
        if cursor.fetchone() is None:
            return  # without pg_trgm there are none
        for statement in indexes.statements(connection, indexes.operators(cursor)):
            cursor.execute(statement)
        for table, _columns in indexes.PARTS.values():
            cursor.execute(f"ANALYZE {table}")  # plans need statistics of the expressions


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('stats_app', '0020_no_empty_counts'),
    ]

    operations = [
        migrations.RunPython(make_again, make_again, elidable=False),
    ]
