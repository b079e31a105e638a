"""Overviews by e-mail: of which workspace, how often, to whom, and what was sent."""

import django.db.models.deletion
import django.utils.timezone
import stats_app.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0018_reasons_of_campaigns_and_users'),
    ]

    operations = [
        migrations.CreateModel(
            name='Mailing',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('every', models.CharField(choices=[('week', 'weekly, Monday to Sunday'), ('month', 'monthly')], default='week', max_length=8, verbose_name='how often')),
                ('language', models.CharField(choices=[('en', 'English'), ('fr', 'Français')], default='en', max_length=8, verbose_name='language')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mailings', to='stats_app.workspace', verbose_name='workspace')),
            ],
            options={
                'verbose_name': 'mailing',
                'verbose_name_plural': 'mailings',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MailingAddress',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', stats_app.models.fields.FoldedEmailField(max_length=254, verbose_name='e-mail')),
                ('sends_from', models.DateField(verbose_name='sends from')),
                ('unsubscribed_at', models.DateTimeField(blank=True, null=True, verbose_name='unsubscribed at')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures')),
                ('error', models.CharField(blank=True, default='', max_length=300, verbose_name='error')),
                ('mailing', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to='stats_app.mailing')),
            ],
            options={
                'verbose_name': 'address of a mailing',
                'verbose_name_plural': 'addresses of mailings',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='MailingDelivery',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField(verbose_name='first day')),
                ('last_day', models.DateField(verbose_name='last day')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent at')),
                ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='stats_app.mailingaddress')),
            ],
            options={
                'verbose_name': 'delivery of a mailing',
                'verbose_name_plural': 'deliveries of mailings',
                'ordering': ['id'],
            },
        ),
        migrations.AddConstraint(
            model_name='mailingaddress',
            constraint=models.UniqueConstraint(fields=('mailing', 'email'), name='stats_mailing_address_unique'),
        ),
        migrations.AddConstraint(
            model_name='mailingdelivery',
            constraint=models.UniqueConstraint(fields=('address', 'first_day', 'last_day'), name='stats_mailing_delivery_unique'),
        ),
    ]
