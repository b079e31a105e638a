"""The database refuses a name, an external id or an e-mail for a user who was erased."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0023_no_empty_names'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='workspaceuser',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('display_name', ''), ('email__endswith', '@erased.invalid'), ('external_id__isnull', True)), _connector='OR'), name='stats_user_erased_is_nameless'),
        ),
    ]
