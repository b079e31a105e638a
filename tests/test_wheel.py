"""The wheel, installed without extras into an empty Django project by the three lines of the README."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parent.parent

SETTINGS = '\nINSTALLED_APPS += ["rest_framework", "django_filters", "stats_app"]\n'
URLS = """
from django.urls import include, path

urlpatterns = [path("", include("stats_app.urls"))]
"""

# Runs inside the new project and prints one JSON object.
SCENARIO = """
import importlib.util, io, json
from datetime import UTC, datetime

import django

django.setup()

from django.core.management import call_command
from django.test import Client

import stats_app
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import Campaign, CampaignAssignment, Workspace, WorkspaceUser

workspace = Workspace.objects.create(name="Acme", timezone="Asia/Kolkata")
user = WorkspaceUser.objects.create(workspace=workspace, email="ada@acme.example", display_name="Ada Lovelace")
campaign = Campaign.objects.create(workspace=workspace, name="Spring launch", target_url="https://acme.example/")
CampaignAssignment.objects.create(campaign=campaign, user=user)

late = datetime(2026, 3, 8, 20, 0, tzinfo=UTC)  # the 9th in Kolkata
clicks = [
    ClickInput("campaign", campaign=campaign, user=user, clicked_at=late),
    ClickInput("campaign", campaign=campaign.public_id, user=user.public_id, clicked_at="2026-03-09T10:00:00+05:30"),
    ClickInput("campaign", campaign=campaign, clicked_at="2026-03-10T10:00:00+05:30"),
    ClickInput("vcard", user=user, clicked_at="2026-03-10T10:00:00+05:30"),
    ClickInput("fax", clicked_at="2026-03-10T10:00:00+05:30"),
]
result = record_clicks(workspace, clicks)

printed = io.StringIO()
call_command("create_api_key", workspace.public_id, "--name", "wheel", stdout=printed)
client = Client(headers={"host": "localhost", "x-api-key": printed.getvalue().splitlines()[-1]})
period = {"from": "2026-03-01", "to": "2026-03-31"}


def get(path):
    response = client.get("/api/v1/" + path, period)
    body = response.json()
    body.pop("generatedAt", None)
    return [response.status_code, body]


print(json.dumps({
    "file": stats_app.__file__,
    "importable": [n for n in ("orjson", "psycopg", "mcp", "crawlerdetect") if importlib.util.find_spec(n)],
    "ids": [campaign.public_id, user.public_id],
    "recorded": [result.accepted, result.duplicates, [[r.index, r.field, r.code] for r in result.rejected]],
    "overview": get("workspace/overview/"),
    "campaign": get(f"campaigns/{campaign.public_id}/performance/"),
    "user": get(f"users/{user.public_id}/metrics/"),
}))
"""


CHECK = """
import sys

import django

django.setup()

from django.core.management import call_command

call_command("check", stderr=sys.stdout)
"""


class Host(NamedTuple):
    """An empty Django project and the Python that runs it, with the wheel and its base requirements only."""

    python: Path
    folder: Path
    packages: Path

    def run(self, *arguments: str) -> str:
        """Standard output of the project's Python; a failure shows what it printed."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        environment = {**kept, "DJANGO_SETTINGS_MODULE": "host.settings"}
        done = subprocess.run(
            [self.python, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def build_wheel(folder: Path) -> Path:
    """Builds in a copy, so that only declared files are included, and no files are left behind."""
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(CHECKOUT / name, source)
    shutil.copytree(CHECKOUT / "stats_app", source / "stats_app", ignore=shutil.ignore_patterns("__pycache__"))
    hatchling = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(hatchling, cwd=source, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def closure(requirements: list[str], extras: frozenset[str] = frozenset()) -> dict[str, metadata.Distribution]:
    """The installed distributions that `requirements` ask for, and what those need."""
    distributions: dict[str, metadata.Distribution] = {}
    for requirement in map(Requirement, requirements):
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        distribution = metadata.distribution(requirement.name)
        distributions[distribution.name] = distribution
        distributions |= closure(distribution.requires or [], frozenset(requirement.extras))
    return distributions


def link(distribution: metadata.Distribution, packages: Path) -> None:
    """Makes an installed distribution importable in `packages` too."""
    for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        target = packages / top
        if not target.exists():
            target.symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(folder)
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(packages), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (installed,) = metadata.distributions(name="django-stats-tools", path=[str(packages)])
    for distribution in closure(installed.requires or []).values():
        link(distribution, packages)
    project = folder / "project"
    project.mkdir()
    made = Host(folder / "env" / "bin" / "python", project, packages)
    made.run("-m", "django", "startproject", "host", ".")
    with (project / "host" / "settings.py").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    (project / "host" / "urls.py").write_text(URLS, encoding="utf-8")
    made.run("manage.py", "migrate", "--verbosity", "0")
    yield made
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def answers(host: Host) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(host.run("-c", SCENARIO))
    return answer


def package_files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_holds_every_file_of_the_package_and_nothing_else(host: Host) -> None:
    assert package_files(host.packages / "stats_app") == package_files(CHECKOUT / "stats_app")
    (installed,) = metadata.distributions(name="django-stats-tools", path=[str(host.packages)])
    assert {Path(str(file)).parts[0] for file in installed.files or []} == {
        "stats_app",
        f"django_stats_tools-{installed.version}.dist-info",
    }


def test_it_needs_no_extra(host: Host, answers: dict[str, Any]) -> None:
    assert answers["importable"] == []
    assert answers["file"] == str(host.packages / "stats_app" / "__init__.py")


def test_an_empty_project_passes_its_checks(host: Host) -> None:
    host.run("manage.py", "check")
    assert host.run("manage.py", "makemigrations", "--check", "--dry-run") == "No changes detected\n"


def test_a_check_says_how_to_get_mcp(host: Host) -> None:
    printed = host.run("-c", CHECK)
    assert "(stats_app.I001) /mcp is not served" in printed
    assert "pip install 'mcp>=2.3,<3'" in printed


def test_clicks_come_in(answers: dict[str, Any]) -> None:
    assert answers["recorded"] == [4, 0, [[4, "kind", "invalid"]]]


def test_the_three_tools_answer(answers: dict[str, Any]) -> None:
    campaign_id, user_id = answers["ids"]
    period = {"from": "2026-03-01", "to": "2026-03-31"}
    assert answers["overview"] == [
        200,
        {
            "workspace": {"name": "Acme"},
            "period": period,
            "totals": {"campaignClicks": 3, "vcardClicks": 1, "totalClicks": 4},
            "breakdown": {},
            "signals": [{"type": "campaign_clicks", "count": 3}, {"type": "vcard_clicks", "count": 1}],
        },
    ]
    assert answers["campaign"] == [
        200,
        {
            "campaign": {"publicId": campaign_id, "name": "Spring launch", "status": "running"},
            "period": period,
            "metrics": {
                "clicks": 3,
                "shareOfCampaignClicks": 1.0,
                "bestDay": {"date": "2026-03-09", "clicks": 2},
                "assignedUsers": 1,
            },
            "trend": None,
        },
    ]
    assert answers["user"] == [
        200,
        {
            "user": {"publicId": user_id, "displayName": "Ada Lovelace"},
            "period": period,
            "metrics": {
                "campaignClicks": 2,
                "vcardClicks": 1,
                "otherClicks": 0,
                "totalClicks": 3,
                "campaignAssignments": 1,
                "aliases": 0,
            },
        },
    ]


def test_the_rollups_are_right(host: Host, answers: dict[str, Any]) -> None:
    assert answers["recorded"][0] == 4
    host.run("manage.py", "check_rollups")
