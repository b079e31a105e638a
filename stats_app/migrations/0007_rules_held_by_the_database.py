"""What one row can get wrong, held by the database, and the columns for external ids, opting out and links switched off.

An e-mail belongs to one user or alias of its workspace (`Address`), rows that name each other are of one workspace, and
targets lead to the web.
"""

import django.db.models.deletion
import django.utils.timezone
import stats_app.models.fields
import stats_app.models.workspaces
import stats_app.sql.words
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0006_one_form_of_emails'),
    ]

    operations = [
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', stats_app.models.fields.FoldedEmailField(max_length=254)),
            ],
        ),
        migrations.AlterModelOptions(
            name='workspace',
            options={'ordering': [stats_app.sql.words.Alphabetical('name'), 'id'], 'verbose_name': 'workspace', 'verbose_name_plural': 'workspaces'},
        ),
        migrations.AlterModelOptions(
            name='workspaceuser',
            options={'ordering': [stats_app.sql.words.Alphabetical('display_name'), 'id'], 'verbose_name': 'workspace user', 'verbose_name_plural': 'workspace users'},
        ),
        migrations.RemoveConstraint(
            model_name='alias',
            name='stats_alias_email_unique',
        ),
        migrations.RemoveConstraint(
            model_name='workspaceuser',
            name='stats_user_email_unique',
        ),
        migrations.RemoveIndex(
            model_name='workspaceuser',
            name='stats_user_name',
        ),
        migrations.AddField(
            model_name='campaign',
            name='external_id',
            field=stats_app.models.fields.ExternalIdField(blank=True, help_text='The key of the directory that it comes from, if any.', max_length=200, null=True, verbose_name='external id'),
        ),
        migrations.AddField(
            model_name='campaignassignment',
            name='workspace',
            field=stats_app.models.workspaces.WorkspaceOf(db_index=False, editable=False, null=True, of='campaign', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.workspace', verbose_name='workspace'),
        ),
        migrations.AddField(
            model_name='trackedlink',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at'),
        ),
        migrations.AddField(
            model_name='trackedlink',
            name='is_active',
            field=models.BooleanField(default=True, verbose_name='active'),
        ),
        migrations.AddField(
            model_name='workspaceuser',
            name='external_id',
            field=stats_app.models.fields.ExternalIdField(blank=True, help_text='The key of the directory that it comes from, if any.', max_length=200, null=True, verbose_name='external id'),
        ),
        migrations.AddField(
            model_name='workspaceuser',
            name='is_opted_out',
            field=models.BooleanField(default=False, help_text='Their links redirect and count for the workspace and the campaign, never for the person.', verbose_name='opted out'),
        ),
        migrations.AlterField(
            model_name='alias',
            name='email',
            field=stats_app.models.fields.FoldedEmailField(max_length=254, verbose_name='e-mail'),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='name',
            field=stats_app.models.fields.NameField(max_length=200, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='campaign',
            name='name',
            field=stats_app.models.fields.NameField(max_length=200, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='workspace',
            name='name',
            field=stats_app.models.fields.NameField(max_length=200, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='workspaceuser',
            name='display_name',
            field=stats_app.models.fields.NameField(blank=True, max_length=200, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='workspaceuser',
            name='email',
            field=stats_app.models.fields.FoldedEmailField(max_length=254, verbose_name='e-mail'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.UniqueConstraint(fields=('workspace', 'email'), name='stats_alias_email_unique', violation_error_message='This e-mail is already an alias in this workspace.'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='stats_alias_of_workspace'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('target_url', ''), ('target_url__istartswith', 'http://'), ('target_url__istartswith', 'https://'), _connector='OR'), name='stats_campaign_target_leads_to_the_web', violation_error_message='Enter an http or https address.'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.UniqueConstraint(fields=('workspace', 'external_id'), name='stats_campaign_external_id_unique', violation_error_message='Another campaign of this workspace has this external id.'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='stats_campaign_of_workspace'),
        ),
        migrations.AddConstraint(
            model_name='trackedlink',
            constraint=models.CheckConstraint(condition=models.Q(('target_url', ''), ('target_url__istartswith', 'http://'), ('target_url__istartswith', 'https://'), _connector='OR'), name='stats_link_target_leads_to_the_web', violation_error_message='Enter an http or https address.'),
        ),
        migrations.AddConstraint(
            model_name='workspaceuser',
            constraint=models.UniqueConstraint(fields=('workspace', 'email'), name='stats_user_email_unique', violation_error_message='Another user of this workspace has this e-mail.'),
        ),
        migrations.AddConstraint(
            model_name='workspaceuser',
            constraint=models.UniqueConstraint(fields=('workspace', 'external_id'), name='stats_user_external_id_unique', violation_error_message='Another user of this workspace has this external id.'),
        ),
        migrations.AddConstraint(
            model_name='workspaceuser',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='stats_user_of_workspace'),
        ),
        migrations.AddField(
            model_name='address',
            name='alias',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.alias'),
        ),
        migrations.AddField(
            model_name='address',
            name='user',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.workspaceuser'),
        ),
        migrations.AddField(
            model_name='address',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.workspace'),
        ),
        migrations.AddConstraint(
            model_name='address',
            constraint=models.UniqueConstraint(fields=('workspace', 'email'), name='stats_address_unique'),
        ),
        migrations.AddConstraint(
            model_name='address',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('alias__isnull', True), ('user__isnull', False)), models.Q(('alias__isnull', False), ('user__isnull', True)), _connector='OR'), name='stats_address_has_one_owner'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=stats_app.models.workspaces.OfOneWorkspace(field='user', name='stats_alias_user_of_workspace'),
        ),
        migrations.AddConstraint(
            model_name='trackedlink',
            constraint=stats_app.models.workspaces.OfOneWorkspace(field='campaign', name='stats_link_campaign_of_workspace'),
        ),
        migrations.AddConstraint(
            model_name='trackedlink',
            constraint=stats_app.models.workspaces.OfOneWorkspace(field='user', name='stats_link_user_of_workspace'),
        ),
        migrations.AddConstraint(
            model_name='trackedlink',
            constraint=stats_app.models.workspaces.OfOneWorkspace(field='alias', name='stats_link_alias_of_workspace'),
        ),
    ]
