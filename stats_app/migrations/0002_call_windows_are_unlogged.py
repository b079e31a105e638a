"""On PostgreSQL the table of call windows is not written to the log: it changes on each call and may be lost in a crash."""

from django.db import migrations


def set_logging(logging):
    def alter(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE stats_app_callwindow SET {logging}")

    return alter


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0001_initial")]

    operations = [migrations.RunPython(set_logging("UNLOGGED"), set_logging("LOGGED"))]
