"""Rows of counts without clicks, which changes of verdicts left, are deleted: from now on no row is empty."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0019_mailings'),
    ]

    operations = [
        migrations.RunSQL(
            'DELETE FROM stats_app_rollup WHERE campaign_clicks = 0 AND vcard_clicks = 0 AND other_clicks = 0',
            migrations.RunSQL.noop,
        ),
    ]
