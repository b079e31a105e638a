from __future__ import annotations

from typing import Any

from stats_app.directory import DirectoryResult, NewCampaign, save_campaigns
from stats_app.management.directory import DirectoryCommand
from stats_app.models import Workspace


class Command(DirectoryCommand):
    help = (
        "Import campaigns and their users from a file. Existing ones are updated; importing the same file again "
        "changes nothing. docs/directory.md has an example."
    )
    declaration = NewCampaign

    def save(self, workspace: Workspace, items: list[Any], options: dict[str, Any]) -> DirectoryResult:
        return save_campaigns(workspace, items, dry_run=options["dry_run"])
