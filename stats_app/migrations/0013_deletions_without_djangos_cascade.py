"""Changes nothing in the database: what deleting does to clicks stands in `stats_app.models.deletion`."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0012_recent_visits'),
    ]

    operations = [
        migrations.AlterField(
            model_name='click',
            name='alias',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='clicks', to='stats_app.alias', verbose_name='alias'),
        ),
        migrations.AlterField(
            model_name='click',
            name='campaign',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='clicks', to='stats_app.campaign', verbose_name='campaign'),
        ),
        migrations.AlterField(
            model_name='click',
            name='link',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='clicks', to='stats_app.trackedlink', verbose_name='link'),
        ),
        migrations.AlterField(
            model_name='click',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='clicks', to='stats_app.workspaceuser', verbose_name='user'),
        ),
        migrations.AlterField(
            model_name='click',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='clicks', to='stats_app.workspace', verbose_name='workspace'),
        ),
        migrations.AlterField(
            model_name='rollup',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='rollups', to='stats_app.workspace'),
        ),
    ]
