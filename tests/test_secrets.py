"""No report of an error holds an API key: not Django's mail with the variables of each function, not a log."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils.log import AdminEmailHandler

from stats_app.errors import redacted
from stats_app.keys import create_key, rotate_key
from stats_app.models import ApiKey, Workspace
from stats_app.sql import api_keys as sql
from tests.admin_cast import superuser
from tests.factories import make_key, make_workspace
from tests.mcp.calls import message
from tests.rest import OVERVIEW

ROOT = Path(__file__).resolve().parent.parent / "stats_app"
SECRET = re.compile(r"sk_[0-9a-z]{12}_[0-9A-Za-z_-]{20,}")
# Django 6 takes addresses, and 5.2 pairs.
ADMINS: list[Any] = ["root@example.com"] if django.VERSION >= (6, 0) else [("Root", "root@example.com")]
NOW = datetime(2026, 3, 28, tzinfo=UTC)


class Broken(Exception):
    """What goes wrong in these tests."""


def own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    waiting: list[ast.AST] = [*function.args.args, *function.args.kwonlyargs, *function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def holds_secret(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id == "secret") or (isinstance(node, ast.arg) and node.arg == "secret")


def unmarked(source: str) -> list[str]:
    """The functions with a variable `secret` that error reports would show."""
    unmarked = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        nodes = [*own_nodes(function)]
        if not any(map(holds_secret, nodes)):
            continue
        # A generator runs outside of the decorator, which then marks nothing.
        runs_elsewhere = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)
        marked = any(
            isinstance(mark, ast.Call)
            and ast.unparse(mark.func) == "sensitive_variables"
            and (not mark.args or "secret" in [ast.literal_eval(one) for one in mark.args])
            for mark in function.decorator_list
        )
        if runs_elsewhere or not marked:
            unmarked.append(function.name)
    return unmarked


def test_every_function_that_holds_a_secret_is_marked() -> None:
    assert {
        str(path.relative_to(ROOT)): names for path in ROOT.rglob("*.py") if (names := unmarked(path.read_text()))
    } == {}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(secret): pass", ["f"]),
        ("@sensitive_variables('other')\ndef f():\n    key, secret = make()", ["f"]),
        ("@sensitive_variables('secret', 'other')\ndef f():\n    key, secret = make()", []),
        ("@sensitive_variables()\nasync def f(*, secret): pass", []),
        ("@sensitive_variables('secret')\ndef f(secret):\n    yield secret", ["f"]),
        ("@sensitive_variables('secret')\ndef f(secret):\n    def g():\n        return secret", ["g"]),
    ],
)
def test_it_sees_an_unmarked_function(source: str, expected: list[str]) -> None:
    assert unmarked(source) == expected


@contextmanager
def mailed() -> Iterator[list[str]]:
    """The reports that Django mails to the administrators, with all variables, of whatever is logged as an error."""
    reports: list[str] = []
    handler = AdminEmailHandler(include_html=True)
    handler.setLevel(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("stats_app", "django")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        with override_settings(ADMINS=ADMINS, DEBUG=False):
            yield reports
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        # Django's own settings send another mail, of the text alone.
        reports += [f"{sent.body}{sent.alternatives[0][0]}" for sent in mail.outbox if sent.alternatives]


def fail(*args: Any, **kwargs: Any) -> Any:
    raise Broken("by the test")


def quote_underscores(text: str) -> str:
    return text.replace("_", "%5F")


def ask_rest(secret: str) -> None:
    period = {"from": "2026-03-01", "to": "2026-03-31"}
    Client(raise_request_exception=False).get(OVERVIEW, period, headers={"x-api-key": secret})


def ask_mcp(secret: str) -> None:
    body, headers = message("tools/list")
    Client(raise_request_exception=False).post(
        "/mcp", body, "application/json", headers={"x-api-key": secret, **headers}
    )


@pytest.mark.parametrize(
    "text",
    ["{}", "x{}y", "?key={}&a=1", "{} {}"],
)
@pytest.mark.parametrize("encode", [str, str.upper, quote_underscores, lambda key: quote(quote_underscores(key))])
def test_a_key_in_the_wrong_place_is_left_out(text: str, encode: Callable[[str], str]) -> None:
    secret = f"sk_{'a1b2' * 3}_{'aB3-_' * 8}z"
    shown = redacted(text.replace("{}", encode(secret)))
    assert shown.count("sk_…") == text.count("{}")
    assert not re.search("a1b2|ab3", shown, re.IGNORECASE)


@pytest.mark.parametrize("text", ["task_notification_2026", "helpdesk_registration_2026", "sk_%20and%20more"])
def test_other_text_is_not_left_out(text: str) -> None:
    secret = f"sk_{'a1b2' * 3}_{'aB3-_' * 8}z"
    assert redacted(text) == text
    assert redacted(f"{secret}%20{text}") == f"sk_…%20{text}"


@pytest.mark.django_db
@pytest.mark.parametrize("ask", [ask_rest, ask_mcp])
@pytest.mark.parametrize(("module", "name"), [(sql, "find_key"), (Workspace, "from_db")])
def test_a_failing_look_up_of_a_key_does_not_tell_it(
    ask: Callable[[str], None], module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make_key(make_workspace())
    monkeypatch.setattr(module, name, fail)
    with mailed() as reports:
        ask(secret)
    assert any("Broken" in report and "authenticate" in report for report in reports)
    assert [SECRET.findall(report) for report in reports] == [[]] * len(reports)


def log(act: Callable[[], object]) -> None:
    try:
        act()
    except Broken:
        logging.getLogger("stats_app").exception("It went wrong")


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["create_key", "rotate_key", "create_api_key", "admin"])
def test_a_key_that_cannot_be_stored_is_not_told(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make_workspace()
    old, _ = create_key(workspace, "Old")
    admin = superuser()
    acts: dict[str, Callable[[], object]] = {
        "create_key": lambda: create_key(workspace, "New"),
        "rotate_key": lambda: rotate_key(old, NOW),
        "create_api_key": lambda: call_command("create_api_key", workspace.public_id, "--name", "New"),
        "admin": lambda: admin.post(
            "/admin/stats_app/apikey/add/", {"workspace": workspace.pk, "name": "New", "scopes": ["stats:read"]}
        ),
    }
    monkeypatch.setattr(ApiKey, "save", fail)
    with mailed() as reports:
        log(acts[by])
    assert "Broken" in reports[-1]
    assert "create_key" in reports[-1]
    assert [SECRET.findall(report) for report in reports] == [[]] * len(reports)
