"""The address of each user and alias, and the workspace of each assignment, of the rows that are there already."""

from django.db import migrations

FILLED = (
    "INSERT INTO stats_app_address (workspace_id, email, user_id) SELECT workspace_id, email, id"
    " FROM stats_app_workspaceuser",
    "INSERT INTO stats_app_address (workspace_id, email, alias_id) SELECT workspace_id, email, id FROM stats_app_alias",
    "UPDATE stats_app_campaignassignment SET workspace_id = (SELECT workspace_id FROM stats_app_campaign"
    " WHERE stats_app_campaign.id = campaign_id)",
)


class Migration(migrations.Migration):
    dependencies = [("stats_app", "0007_rules_held_by_the_database")]

    operations = [migrations.RunSQL([*FILLED], ["DELETE FROM stats_app_address"])]
