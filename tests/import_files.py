"""Files for `import_clicks`, and what is stored of them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from stats_app.models import Campaign, Click, TrackedLink, Workspace
from stats_app.rollups import check
from tests.factories import make_campaign

TOKEN = "k7Qm2xZp"


def make_link(workspace: Workspace, token: str = TOKEN, **values: Any) -> TrackedLink:
    """A link of a campaign, unless `kind` says otherwise."""
    if values.setdefault("kind", "campaign") == "campaign":
        values.setdefault("campaign", Campaign.objects.filter(workspace=workspace).first() or make_campaign(workspace))
    else:
        values.setdefault("target_url", "https://www.example.com/")
    return TrackedLink.objects.create(workspace=workspace, token=token, fingerprint=token, **values)


def write(folder: Path, content: str | bytes, name: str = "clicks.csv") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def run_import(workspace: Workspace, path: str, *options: str) -> list[str]:
    """The lines that the command prints."""
    out = StringIO()
    call_command("import_clicks", path, "--workspace", workspace.public_id, *options, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def stored(workspace: Workspace) -> list[tuple[str, str, str, str]]:
    """Kind, time, verdict and reason of the workspace's clicks in the order of time. The counts must be theirs."""
    assert list(check(workspace)) == []
    return [
        (
            click.kind,
            click.clicked_at.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip("."),
            click.verdict,
            click.reason,
        )
        for click in Click.objects.filter(workspace=workspace).order_by("clicked_at", "id")
    ]
