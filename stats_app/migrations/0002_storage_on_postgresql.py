"""How PostgreSQL keeps the two tables that change all the time.

The call windows are not written to its log: they change on each call, and may be lost in a crash. A quarter of each
page of the rollups stays free: a row that finds room for its new version in its own page needs no new entries in the
indexes, which makes the table smaller in the end.
"""

from django.db import migrations


def alter(*changes):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for change in changes:
                schema_editor.execute(f"ALTER TABLE {change}")

    return run


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0001_initial")]

    operations = [
        migrations.RunPython(
            alter("stats_app_callwindow SET UNLOGGED", "stats_app_rollup SET (fillfactor = 75)"),
            alter("stats_app_callwindow SET LOGGED", "stats_app_rollup RESET (fillfactor)"),
        )
    ]
