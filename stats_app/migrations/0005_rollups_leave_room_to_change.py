"""On PostgreSQL a quarter of each page of the rollups stays free: they are updated again and again, and a row that finds
room for its new version in its own page needs no new entries in the indexes. It makes the table smaller in the end.
"""

from django.db import migrations


def set_storage(change):
    def alter(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE stats_app_rollup {change}")

    return alter


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0004_add_up_the_years")]

    operations = [migrations.RunPython(set_storage("SET (fillfactor = 75)"), set_storage("RESET (fillfactor)"))]
