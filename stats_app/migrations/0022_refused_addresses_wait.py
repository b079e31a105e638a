"""An address that the mail server goes on refusing for good is tried once a day, and not by every run."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0021_faster_search_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailingaddress',
            name='waits_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='waits until'),
        ),
    ]
