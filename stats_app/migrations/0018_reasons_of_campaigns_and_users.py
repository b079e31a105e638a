"""What is not counted is counted by verdict and reason, of each campaign and user, too; and what rules on trial match.

Reasons had no verdict, so that counts by them begin anew, as those by verdict do, which they now tell, too.
`manage.py rebuild_rollups` counts what was stored before.
"""

import django.db.models.deletion
import stats_app.models.fields
from django.db import migrations, models


def forget_counts(apps, schema_editor):
    rollups = apps.get_model("stats_app", "Rollup").objects.using(schema_editor.connection.alias)
    rollups.filter(dimension__in=[3, 4]).delete()


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0017_erasures")]

    operations = [
        migrations.RunPython(forget_counts, migrations.RunPython.noop),
        migrations.DeleteModel(name="Reason"),
        migrations.CreateModel(
            name="Reason",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dimension", models.SmallIntegerField()),
                ("key", models.IntegerField()),
                (
                    "verdict",
                    stats_app.models.fields.CodeField(
                        choices=[("human", "human"), ("suspected", "suspected"), ("bot", "bot")],
                        codes={"human": 0, "suspected": 1, "bot": 2},
                    ),
                ),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "dimension", "key", "verdict", "text"), name="stats_reason_unique"
                    )
                ],
            },
        ),
        migrations.AddField("click", "shadow", models.SmallIntegerField(null=True)),
    ]
