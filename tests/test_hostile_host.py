"""Ours in a project that has set everything otherwise: `tests/hostile`, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_it_holds_the_contract_in_a_hostile_project_and_leaves_that_alone() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.hostile.settings"}
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--create-db"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests/hostile/host_tests.py"],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        timeout=900,  # against a hang; a busy machine may take minutes
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^\d+ passed in", run.stdout, re.MULTILINE), run.stdout
