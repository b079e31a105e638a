"""An assignment's campaign and user are of one workspace, and it has the number of it."""

import django.db.models.deletion
import stats_app.models.workspaces
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0008_addresses_and_workspaces_filled_in'),
    ]

    operations = [
        migrations.AlterField(
            model_name='campaignassignment',
            name='workspace',
            field=stats_app.models.workspaces.WorkspaceOf(db_index=False, editable=False, of='campaign', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.workspace', verbose_name='workspace'),
        ),
        migrations.AddConstraint(
            model_name='campaignassignment',
            constraint=stats_app.models.workspaces.OfOneWorkspace(field='campaign', name='stats_assignment_campaign_of_workspace'),
        ),
        migrations.AddConstraint(
            model_name='campaignassignment',
            constraint=stats_app.models.workspaces.OfOneWorkspace(field='user', name='stats_assignment_user_of_workspace'),
        ),
    ]
