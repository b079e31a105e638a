"""The documentation names all that there is: settings, system checks, commands, modules and dimensions."""

from __future__ import annotations

import re
from pathlib import Path

from django.core.management import get_commands

from stats_app import checks
from stats_app.conf import DEFAULTS
from stats_app.dimensions import DIMENSIONS
from stats_app.verdicts import RULES
from tests.test_layout import DEPTH, ROOT

DOCS = ROOT.parent / "docs"
# Declared beside the others, and about nothing that a reader looks for.
UNNAMED = {"migrations"}


def first_cells(page: str, pattern: str = "`([^` ]+)[^`]*`") -> set[str]:
    """What stands in backquotes at the beginning of the rows of a page's tables, up to a space."""
    return set(re.findall(rf"^\| {pattern}", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE))


def test_every_setting_is_documented() -> None:
    assert DEFAULTS.keys() - first_cells("settings.md") == set()


def test_every_setting_has_its_rule() -> None:
    assert checks.RULES.keys() == DEFAULTS.keys()


def test_every_system_check_is_documented_and_no_other() -> None:
    code = Path(checks.__file__).read_text(encoding="utf-8")
    documented = {name for name in first_cells("install.md") if name.startswith("stats_app.")}
    assert documented == set(re.findall(r'id="(stats_app\.[EWI][0-9]{3})"', code))


def test_every_command_is_documented_and_no_other() -> None:
    commands = {name for name, app in get_commands().items() if app == "stats_app"}
    assert first_cells("operations.md") == commands


def test_the_layout_names_every_module_and_no_other() -> None:
    page = (DOCS / "contributing.md").read_text(encoding="utf-8")
    [house] = re.findall(r"```\n(start .*?)```", page, re.DOTALL)
    named = {word.partition("/")[0] for line in house.splitlines() for word in line[18:].split()}
    there = {path.name.removesuffix(".py") for path in ROOT.iterdir()} & DEPTH.keys()
    assert named == there - UNNAMED


def test_every_dimension_of_the_counts_is_documented_by_its_code() -> None:
    page = (DOCS / "data-model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+).* \| (\d+) \| (?:by \w+: (\d+) )?\|$", page, re.MULTILINE)
    assert rows == [(one.name, str(one.code), str(one.years or "")) for one in DIMENSIONS]


def test_the_rules_of_verdicts_are_documented_in_their_order() -> None:
    page = (DOCS / "verdicts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (bot|suspected|shadow) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [
        (rule.id, "shadow" if rule.is_shadow else rule.verdict, rule.reason % {"name": "NAME"}, rule.why)
        for rule in RULES
    ]


def test_contributors_are_led_to_files_that_exist() -> None:
    page = (DOCS / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:stats_app|tests|benchmarks|docs)/[^` ]*)`", page))
    assert {path for path in named if not (DOCS.parent / path).exists()} == set()
    assert len(named) > 15
