"""Names and time zones are never empty. Rows without a name get their public id as one, as they were shown so far."""

from django.db import migrations, models
from django.db.models import F


def fill_in(apps, schema_editor):
    using = schema_editor.connection.alias
    for model in ('Workspace', 'Campaign'):
        apps.get_model('stats_app', model)._base_manager.using(using).filter(name='').update(name=F('public_id'))
    apps.get_model('stats_app', 'Workspace')._base_manager.using(using).filter(timezone='').update(timezone='UTC')


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0022_refused_addresses_wait'),
    ]

    operations = [
        migrations.RunPython(fill_in, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='stats_campaign_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='workspace',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='stats_workspace_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='workspace',
            constraint=models.CheckConstraint(condition=models.Q(('timezone', ''), _negated=True), name='stats_workspace_has_a_timezone'),
        ),
    ]
