"""Ours in projects of other people, each in a process of its own: one that has set everything otherwise
(`tests/hostile`), and one with our tables in a database of their own (`tests/apart`)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("project", ["hostile", "apart"])
def test_it_holds_the_contract_and_leaves_the_project_alone(project: str) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": f"tests.{project}.settings"}
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--create-db"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"tests/{project}/host_tests.py"],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if not name.startswith(("PYTEST", "STATS_TEST"))},
        capture_output=True,
        text=True,
        timeout=900,  # against a hang; a busy machine may take minutes
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^\d+ passed in", run.stdout, re.MULTILINE), run.stdout
