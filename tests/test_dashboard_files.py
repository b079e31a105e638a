"""What the staff pages load: little, all of it ours or vendored as published, and nothing inline."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

APP = Path(__file__).resolve().parent.parent / "stats_app"
STATIC = APP / "static" / "stats_app"
CHART = STATIC / "vendor" / "chart.js"
TEMPLATES = sorted((APP / "templates" / "stats_app").rglob("*.html"))


def test_chart_js_is_as_published() -> None:
    manifest = json.loads((CHART / "manifest.json").read_text(encoding="utf-8"))
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in CHART.iterdir()
        if path.name != "manifest.json"
    }
    assert hashes == manifest["files"]
    script = (CHART / "chart.umd.min.js").read_bytes()
    assert f"Chart.js v{manifest['version']}".encode() in script[:200]
    # With the line that was taken away it is the published file to the byte.
    published = script + b"//# sourceMappingURL=chart.umd.min.js.map\n"
    assert manifest["source_sha256"] in {hashlib.sha256(one).hexdigest() for one in (published, published[:-1])}


@pytest.mark.parametrize(("name", "limit"), [("stats.css", 16 * 1024), ("stats.js", 12 * 1024)])
def test_own_files_stay_small_and_ask_nobody_else(name: str, limit: int) -> None:
    source = (STATIC / name).read_text(encoding="utf-8")
    assert len(source.encode()) <= limit
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_templates_hold_no_inline_script_or_style(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    # Mail programs load no style sheet.
    styles = r"<style|\sstyle=|" if path.parent.name != "mail" else ""
    assert not re.search(rf"{styles}\son[a-z]+=|javascript:", source)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source))
    assert not re.search(r'(src|href)="(https?:)?//', source)


def test_they_can_be_served_under_names_that_are_kept_for_ever(tmp_path: Path, settings: Any) -> None:
    """With the storage that puts a digest into each name, and fails where a file names one that is not there."""
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    settings.STATIC_ROOT = str(tmp_path)
    call_command("collectstatic", interactive=False, verbosity=0)
    paths = json.loads((tmp_path / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    ours = {path.relative_to(STATIC.parent).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    assert ours <= paths.keys()
    assert all(re.search(r"\.[0-9a-f]{12}(\.|$)", paths[name]) for name in ours)
