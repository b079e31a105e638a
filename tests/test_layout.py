"""Imports point down only: surfaces, tools and reports, acts and reads, models, locks, SQL, plain values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "stats_app"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE

SURFACES = frozenset({"api", "mcp", "dashboard", "redirects", "admin", "management"})
# From the top to the bottom. A module imports from its own layer and from those below.
LAYERS = tuple(
    SURFACES if layer == "surfaces" else frozenset(layer.split())
    for layer in (
        "urls apps checks",
        "surfaces",
        "tools schemas parameters answers reports templatetags demo imports exports user_exports directory "
        "letters mailings",
        "queries ingest references verdict_changes reclassification rollups pruning removal distribution erasures "
        "identities links known_links visits verdicts bursts visitors keys limits audit admin_log store staff keyset "
        "local_days outages sharing subscriptions",
        "models migrations",
        "locks",
        "sql",
        "periods day_spans presets words public_ids conf errors dimensions database_errors proxies user_agents bodies "
        "spreadsheets click_fields targets person_figures emails",
    )
)
DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}

HTTP = ("django.http", "django.shortcuts", "django.views", "django.middleware")
# A mark on functions, for the sake of error reports.
MARKS = ("django.views.decorators.debug",)
REST = ("rest_framework", "drf_spectacular", "django_filters")
# A command that starts a surface stands where Django looks for commands.
STARTS = frozenset({("management", "mcp")})
# A tool declares its parameters and its answer once, as serializers, and `schemas` reads them.
DECLARES_SERIALIZERS = frozenset({"tools", "schemas", "parameters", "answers", "directory"})


def is_type_checking(node: ast.stmt) -> bool:
    """Whether `node` is `if TYPE_CHECKING:`. What stands there is never imported."""
    return isinstance(node, ast.If) and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING"


def imported_names(node: ast.AST, module: tuple[str, ...]) -> Iterator[str]:
    """The dotted absolute names that `node` and everything in it imports, functions included."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = ".".join((*module[: len(module) - node.level], *([node.module] if node.module else ())))
        yield from (f"{base if node.level else node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.stmt) and is_type_checking(node):
        assert isinstance(node, ast.If)
        for child in node.orelse:
            yield from imported_names(child, module)
    else:
        for child in ast.iter_child_nodes(node):
            yield from imported_names(child, module)


def imports(root: Path) -> list[tuple[str, str, str]]:
    """Of each import below `root`: the file, its part of the package (as `api`), and what it imports."""
    imported = []
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        part = relative.parts[0].removesuffix(".py")
        module = (PACKAGE, *relative.with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported += [(relative.as_posix(), part, name) for name in imported_names(tree, module)]
    return imported


def own_part(name: str) -> str | None:
    """`api` for `stats_app.api.views`, and None for what is not ours."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] if package == PACKAGE else None


def is_within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def fault(part: str, name: str) -> str | None:
    """What is wrong with a module of `part` importing `name`."""
    target = own_part(name)
    depth = DEPTH.get(part, 0)
    if target in DEPTH and DEPTH[target] < depth:
        return "points up"
    if part in SURFACES and target in SURFACES and part != target and (part, target) not in STARTS:
        return "leads from one surface to another"
    if depth > DEPTH["api"] and is_within(name, HTTP) and not is_within(name, MARKS):
        return "brings HTTP below the surfaces"
    if depth > DEPTH["api"] and part not in DECLARES_SERIALIZERS and is_within(name, REST):
        return "brings the REST framework below the surfaces"
    return None


def faults(root: Path) -> list[str]:
    """Every import below `root` that breaks the order, as a line to read."""
    return [f"{path}: {name} {wrong}" for path, part, name in imports(root) if (wrong := fault(part, name))]


def test_every_module_has_a_layer() -> None:
    parts = {
        path.name.removesuffix(".py") for path in ROOT.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))
    }
    assert parts - {"__init__"} - DEPTH.keys() == set()


def test_imports_point_down_only() -> None:
    assert faults(ROOT) == []


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("models/clicks.py", "from stats_app.ingest import record_clicks", "stats_app.ingest.record_clicks points up"),
        ("models/clicks.py", "from stats_app import ingest", "stats_app.ingest points up"),
        ("models/clicks.py", "from ..ingest import record_clicks", "stats_app.ingest.record_clicks points up"),
        ("models/clicks.py", "from .. import ingest", "stats_app.ingest points up"),
        ("ingest.py", "def act():\n    import stats_app.tools", "stats_app.tools points up"),
        ("ingest.py", "from .api import views", "stats_app.api.views points up"),
        ("ingest.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stats_app import tools", None),
        ("ingest.py", "from stats_app import rollups", None),
        ("tools.py", "from rest_framework import serializers", None),
        ("tools.py", "from django.http import HttpRequest", "django.http.HttpRequest brings HTTP below the surfaces"),
        ("keys.py", "from django.views.decorators.debug import sensitive_variables", None),
        ("queries.py", "from django import http", "django.http brings HTTP below the surfaces"),
        (
            "queries.py",
            "import rest_framework.serializers",
            "rest_framework.serializers brings the REST framework below the surfaces",
        ),
        (
            "mcp/server.py",
            "from stats_app.api import errors",
            "stats_app.api.errors leads from one surface to another",
        ),
        ("api/__init__.py", "from . import views\nfrom stats_app.api.views import X\nimport mcp.server", None),
        ("api/views/clicks.py", "from ..errors import problem\nfrom ...errors import StatsError", None),
    ],
)
def test_it_sees_a_wrong_import(tmp_path: Path, path: str, source: str, expected: str | None) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    assert faults(tmp_path) == ([f"{path}: {expected}"] if expected else [])
