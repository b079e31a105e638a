"""What is not counted is counted by reason, too. `manage.py rebuild_rollups` counts what was stored before."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0010_search_indexes")]

    operations = [
        migrations.CreateModel(
            name="Reason",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(blank=True, max_length=40)),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reasons",
                        to="stats_app.workspace",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "text"), name="stats_reason_unique")],
            },
        ),
    ]
