"""The visits of the last minute, by which bursts of clicks are judged."""

import django.db.models.deletion
import stats_app.models.campaigns
import stats_app.models.fields
from django.db import migrations, models


def alter(change):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE stats_app_recentvisit SET {change}")

    return run


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0011_counts_by_reason'),
    ]

    operations = [
        migrations.AlterField(
            model_name='campaign',
            name='target_url',
            field=models.CharField(max_length=2000, validators=[stats_app.models.campaigns.validate_target_url], verbose_name='target address'),
        ),
        migrations.AlterField(
            model_name='trackedlink',
            name='target_url',
            field=models.CharField(blank=True, help_text="Empty for a campaign link: the campaign's current target.", max_length=2000, validators=[stats_app.models.campaigns.validate_target_url], verbose_name='target address'),
        ),
        migrations.CreateModel(
            name='RecentVisit',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('network', models.BinaryField(max_length=16)),
                ('visitor', models.BinaryField(max_length=16)),
                ('link', models.IntegerField()),
                ('signature', models.IntegerField(null=True)),
                ('click', stats_app.models.fields.UlidField()),
                ('visited_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.workspace')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace', 'network', 'visited_at'], name='stats_visit_network'), models.Index(fields=['visited_at'], name='stats_visit_time')],
            },
        ),
        # Written with each click, and of use for a minute.
        migrations.RunPython(alter("UNLOGGED"), alter("LOGGED")),
    ]
