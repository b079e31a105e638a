"""E-mails in the one form in which they are stored and looked up from now on (`stats_app.words.fold`).

First of all rows are looked at that the database will not hold any more, so that `migrate` stops before anything is
changed, and names them: e-mails that are the same in that form, targets that do not lead to the web, and rows of one
workspace that name those of another.
"""

from collections import defaultdict

from django.core.management.base import CommandError
from django.db import migrations
from django.db.models import F, Q

from stats_app.words import fold

BATCH = 1000
SHOWN = 20


def run(apps, schema_editor):
    using = schema_editor.connection.alias
    refuse(list(wrong_rows(apps, using)))
    for name in ("WorkspaceUser", "Alias"):
        fold_emails(apps.get_model("stats_app", name).objects.using(using))


def refuse(wrong):
    if wrong:
        more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise CommandError(
            "Nothing was migrated. These rows cannot stay as they are; change or delete them, then migrate again:\n  "
            + "\n  ".join(wrong[:SHOWN] + more)
        )


def wrong_rows(apps, using):
    def rows(name):
        return apps.get_model("stats_app", name).objects.using(using).order_by("pk")

    for workspace in rows("Workspace").iterator():
        yield from collisions(workspace, rows("WorkspaceUser"), rows("Alias"))
    for name, columns in (("Campaign", ("public_id", "target_url")), ("TrackedLink", ("token", "target_url"))):
        web = Q(target_url="") | Q(target_url__istartswith="http://") | Q(target_url__istartswith="https://")
        for label, target in rows(name).exclude(web).values_list(*columns):
            yield f"{name} {label}: its target address is not http or https: {target!r}"
    for name, here, others in (
        ("Alias", "workspace", ("user",)),
        ("CampaignAssignment", "campaign__workspace", ("user",)),
        ("TrackedLink", "workspace", ("campaign", "user", "alias")),
    ):
        for other in others:
            stray = rows(name).filter(**{f"{other}__isnull": False}).exclude(**{f"{other}__workspace": F(here)})
            for pk in stray.values_list("pk", flat=True):
                yield f"{name} {pk}: its {other} belongs to another workspace"


def collisions(workspace, users, aliases):
    """One workspace at a time, so that its addresses fit into memory however many there are in all."""
    held = defaultdict(list)
    for name, rows in (("user", users), ("alias", aliases)):
        for email in rows.filter(workspace=workspace).values_list("email", flat=True).iterator():
            held[fold(email)].append(f"{name} {email}")
    for owners in held.values():
        if len(owners) > 1:
            yield f"workspace {workspace.public_id}: the same e-mail but for its case or form: {', '.join(owners)}"


def fold_emails(rows):
    batch = []
    for row in rows.order_by("pk").only("email").iterator():
        if fold(row.email) != row.email:
            row.email = fold(row.email)
            batch.append(row)
        if len(batch) == BATCH:
            rows.bulk_update(batch, ["email"])
            batch = []
    rows.bulk_update(batch, ["email"])


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0005_counts_without_sizes_and_versions")]

    operations = [migrations.RunPython(run, migrations.RunPython.noop)]
