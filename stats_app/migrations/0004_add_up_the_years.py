"""Adds up the stored days of each user by calendar year, so that nobody has to rebuild for the new sums.

Only stored days are read, so that those whose raw clicks are pruned count, too. What is there already is left alone.
"""

from django.db import migrations


def add_up(apps, schema_editor):
    connection = schema_editor.connection
    year = "date_trunc('year', day)::date" if connection.vendor == "postgresql" else "strftime('%%Y-01-01', day)"
    columns = ("campaign_clicks", "vcard_clicks", "other_clicks")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO stats_app_rollup (workspace_id, dimension, key, day, {', '.join(columns)}) "
            f"SELECT workspace_id, 22, key, {year}, {', '.join(f'sum({column})' for column in columns)} "
            f"FROM stats_app_rollup WHERE dimension = %s GROUP BY workspace_id, key, {year}",
            [2],
        )


def remove(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM stats_app_rollup WHERE dimension = %s", [22])


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0003_the_largest_users_of_a_year")]

    operations = [migrations.RunPython(add_up, remove)]
