"""The database refuses to give an erased user a name, an external id or an e-mail, and to make one active or counted.

Rows that were changed after the erasure are erased again.
"""

from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Concat

ADDRESS = Value('@erased.invalid')


def erase_again(apps, schema_editor):
    using = schema_editor.connection.alias
    users = apps.get_model('stats_app', 'WorkspaceUser')._base_manager.using(using).filter(erased_at__isnull=False)
    users.update(
        display_name='', external_id=None, email=Concat(F('public_id'), ADDRESS), is_active=False, is_opted_out=True
    )
    addresses = apps.get_model('stats_app', 'Address')._base_manager.using(using)
    emails = users.filter(pk=models.OuterRef('user')).values('email')
    addresses.filter(user__erased_at__isnull=False).update(email=models.Subquery(emails))


class Migration(migrations.Migration):

    dependencies = [
        ('stats_app', '0023_no_empty_names'),
    ]

    operations = [
        migrations.RunPython(erase_again, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='workspaceuser',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('display_name', ''), ('email__endswith', '@erased.invalid'), ('external_id__isnull', True), ('is_active', False), ('is_opted_out', True)), _connector='OR'), name='stats_user_erased_is_nameless'),
        ),
    ]
