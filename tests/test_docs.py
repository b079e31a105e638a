"""The documentation names everything that exists, and nothing else: settings, system checks, commands, modules,
dimensions, addresses, scopes and presets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import global_settings
from django.core.management import get_commands
from django.urls import resolve

from stats_app import checks, public_ids
from stats_app.api import schema, urls
from stats_app.conf import DEFAULTS
from stats_app.dimensions import DIMENSIONS
from stats_app.models.api_keys import SCOPES
from stats_app.presets import OLD_PRESETS, PRESETS
from stats_app.reports.period_form import WHOLE_RUN
from stats_app.verdicts import RULES
from tests.test_layout import DEPTH, ROOT

DOCS = ROOT.parent / "docs"
# Declared beside the others, and about nothing that a reader looks for.
UNNAMED = {"migrations"}


def first_cells(page: str, pattern: str = "`([^` ]+)[^`]*`") -> set[str]:
    """The text in backquotes, up to a space, at the beginning of the rows of a page's tables."""
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


# --- what the pages name is there

PAGES = [ROOT.parent / "README.md", ROOT.parent / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
each_page = pytest.mark.parametrize(
    "page", [page.read_text(encoding="utf-8") for page in PAGES], ids=[p.stem for p in PAGES]
)
PLACES = {
    "{workspace}": public_ids.new_workspace_id(),
    "{campaign}": public_ids.new_campaign_id(),
    "{user}": public_ids.new_user_id(),
    "{campaignPublicId}": public_ids.new_campaign_id(),
    "{userPublicId}": public_ids.new_user_id(),
    "{token}": "k7Qm2xZp",
}
# Of other programs, and of the example project, whose settings and Makefile name what they read.
ENVIRONMENT = {
    name
    for path in ("project/settings.py", "Makefile", "stats_app/management/commands/mcp_stdio.py")
    for name in re.findall(r"\b[A-Z][A-Z_]+\b", (ROOT.parent / path).read_text(encoding="utf-8"))
}
OTHERS = {
    "CONN_MAX_AGE",
    "ATOMIC_REQUESTS",
    "DISABLE_SERVER_SIDE_CURSORS",
    "REST_FRAMEWORK",
    "TENANT_APPS",
    "SCRIPT_NAME",
    "ASGI_APPLICATION",
}
SETTINGS = DEFAULTS.keys() | vars(global_settings).keys() | ENVIRONMENT | OTHERS | {"STATS_APP"}


def addresses(page: str) -> Iterator[str]:
    """What a page names of ours: behind a method, as the API's pages write it, or from the root of a site."""
    for _method, path in re.findall(r"\b(GET|POST) (/?[a-z]+/[^\s`?]*)", page):
        yield path if path.startswith("/") else f"/api/v1/{path}"
    for path in re.findall(
        r"(?:(?<=[`\s\"(])|(?<=:8000)|(?<=example\.com))/(?:api|stats|mcp|admin|c)\b[^\s`?\"),;:<>]*", page
    ):
        if path not in ("/api/v1/", "/c/"):  # where addresses begin
            yield path.rstrip(".")


@each_page
def test_each_address_leads_somewhere(page: str) -> None:
    for path in addresses(page):
        for name, value in PLACES.items():
            path = path.replace(name, value)
        resolve(path)  # raises Resolver404


@each_page
def test_each_call_of_the_api_has_the_method(page: str) -> None:
    paths = schema.document(urls.router.urls, "/api/v1/")["paths"]
    for method, path in re.findall(r"\b(GET|POST) ([a-z]+/[^\s`?]*)", page):
        assert method.lower() in paths[f"/api/v1/{path}"], f"{method} {path}"


@each_page
def test_each_setting_is_there(page: str) -> None:
    quoted = re.findall(r"`([A-Z][A-Z]*_[A-Z_]+)\b", page)
    keys = re.findall(r"STATS_APP(?:\[| = \{)[\"']([A-Z_]+)", page)
    assert [name for name in quoted if name not in SETTINGS] == []
    assert [name for name in keys if name not in DEFAULTS] == []


@each_page
def test_each_scope_is_there(page: str) -> None:
    assert set(re.findall(r"\b[a-z]+:(?:read|write)\b", page)) <= set(SCOPES)


def test_every_scope_is_documented() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    assert {scope for scope in SCOPES if f"`{scope}`" in page} == set(SCOPES)


@each_page
def test_each_preset_is_there(page: str) -> None:
    named = {*re.findall(r"\bperiod=([a-z0-9-]+)", page), *re.findall(r"`((?:last|this|whole)-[a-z0-9-]+)`", page)}
    assert named <= PRESETS.keys() | OLD_PRESETS.keys() | {WHOLE_RUN}


def test_every_preset_is_documented() -> None:
    page = (DOCS / "dashboards.md").read_text(encoding="utf-8")
    assert {preset for preset in PRESETS if f"`{preset}`" in page} == PRESETS.keys()


@each_page
def test_each_command_is_there(page: str) -> None:
    assert set(re.findall(r"manage\.py ([a-z_]+)", page)) <= get_commands().keys()
    targets = re.findall(r"^([a-z-]+):", (ROOT.parent / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", page, re.MULTILINE)) <= set(targets)


@each_page
def test_each_variable_of_an_example_is_set_in_it_or_told(page: str) -> None:
    """Shell variables in commands, such as `$KEY`."""
    used = set(re.findall(r"\$\{?([A-Z_]+)\b", page))
    assert used <= set(re.findall(r"\b([A-Z_]+)=", page)) | ENVIRONMENT


def test_contributors_are_led_to_files_that_exist() -> None:
    page = (DOCS / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:stats_app|tests|benchmarks|docs)/[^` ]*)`", page))
    assert {path for path in named if not (DOCS.parent / path).exists()} == set()
    assert len(named) > 15
