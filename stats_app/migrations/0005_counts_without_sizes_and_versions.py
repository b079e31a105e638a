"""Rollups lose the column by whose size the largest were found, and workspaces the version of their counts.

Without an index on a column that changes, nearly every new version of a row of the rollups finds room in its own page,
so that less of each page needs to stay free on PostgreSQL.
"""

from django.db import migrations


def fill_pages_to(percent):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE stats_app_rollup SET (fillfactor = {percent})")

    return run


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0004_visitor_salt")]

    operations = [
        migrations.RemoveIndex(model_name="rollup", name="stats_rollup_size"),
        migrations.RemoveField(model_name="rollup", name="size"),
        migrations.RemoveField(model_name="workspace", name="counts_version"),
        migrations.RunPython(fill_pages_to(90), fill_pages_to(75)),
    ]
