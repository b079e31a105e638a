"""Links that show one page to whoever has them."""

import django.db.models.deletion
import django.utils.timezone
import stats_app.models.fields
import stats_app.models.workspaces
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0015_full_pages_of_click_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='SharedReport',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', stats_app.models.fields.NameField(blank=True, max_length=200, verbose_name='for whom')),
                ('digest', models.BinaryField(max_length=32, unique=True, verbose_name='digest')),
                ('last_day', models.DateField(help_text="In the workspace's time zone, included.", verbose_name='last day')),
                ('names_people', models.BooleanField(default=False, verbose_name='names people')),
                ('maker', models.CharField(editable=False, max_length=254, verbose_name='made by')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at')),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='revoked at')),
                ('opened', models.PositiveIntegerField(default=0, editable=False, verbose_name='opened')),
                ('last_opened_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last opened at')),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stats_app.campaign', verbose_name='campaign')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shared_reports', to='stats_app.workspace', verbose_name='workspace')),
            ],
            options={
                'verbose_name': 'shared report',
                'verbose_name_plural': 'shared reports',
                'ordering': ['-created_at', '-id'],
                'constraints': [stats_app.models.workspaces.OfOneWorkspace(field='campaign', name='stats_shared_report_campaign_of_workspace')],
            },
        ),
    ]
