"""Our own statements use everything that the host has added to Django's cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DataError, connection, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.utils import load_backend

from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import Click
from stats_app.sql.cursor import execute, pipelined, rows, send
from tests.factories import make_workspace

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class TenantWrapper(DatabaseWrapper):
    """As django-tenants: the schema is set whenever a cursor is made, if it has changed."""

    schema = "public"

    def _cursor(self, name: str | None = None) -> Any:
        cursor = super()._cursor(name)
        cursor.execute(f"SET search_path = {self.schema}")
        return cursor


@pytest.fixture
def tenants() -> Iterator[TenantWrapper]:
    original = connections["default"]
    wrapper = TenantWrapper(original.settings_dict, "default")
    connections["default"] = wrapper
    yield wrapper
    wrapper.close()
    connections["default"] = original


def prepared() -> int:
    """How many statements this connection has prepared."""
    return len(connection.connection._prepared._names)


def test_a_schema_that_is_set_with_the_cursor_holds_for_our_statements(tenants: TenantWrapper) -> None:
    for schema in ("pg_catalog", "public", "pg_catalog"):
        tenants.schema = schema
        assert rows(tenants, "SELECT current_schema()") == [(schema,)]


def test_nothing_is_prepared_while_statements_are_wrapped() -> None:
    workspace = make_workspace()
    record_clicks(workspace, [ClickInput("other")])

    def with_context(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """As django-pghistory: a second statement before each."""
        result = execute(f"SELECT set_config('host.user', '1', true); {sql}", params, many, context)
        context["cursor"].nextset()
        return result

    with connection.execute_wrapper(with_context):
        before = prepared()
        assert record_clicks(workspace, [ClickInput("other")]).accepted == 1
        assert prepared() == before
    assert Click.objects.count() == 2


def test_a_toolbar_around_the_cursor_sees_our_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Toolbar(CursorWrapper):
        def execute(self, sql: Any, params: Any = None) -> Any:
            seen.append(sql)
            return super().execute(sql, params)

    monkeypatch.setattr(connection, "make_cursor", lambda cursor: Toolbar(cursor, connection))
    assert rows(connection, "SELECT 1 AS ours") == [(1,)]
    assert seen == ["SELECT 1 AS ours"]


def test_a_cursor_of_the_hosts_own_is_left_as_it_is() -> None:
    backend = load_backend("django.db.backends.postgresql")

    class HostCursor(backend.Cursor):
        pass

    class HostWrapper(DatabaseWrapper):
        def create_cursor(self, name: str | None = None) -> Any:
            return HostCursor(self.connection)

    wrapper = HostWrapper(connection.settings_dict, "default")
    assert rows(wrapper, "SELECT %s::int", [1]) == [(1,)]
    assert len(wrapper.connection._prepared._names) == 0
    wrapper.close()


def test_statements_are_prepared_where_nothing_is_around_them() -> None:
    rows(connection, "SELECT 1")
    before = prepared()
    rows(connection, "SELECT 2 AS another")
    assert prepared() == before + 1


def test_rows_of_a_pipeline_are_read_in_any_order() -> None:
    with transaction.atomic(), pipelined(connection):
        first = send(connection, "SELECT 1")
        execute(connection, "SELECT set_config('lock_timeout', '7s', true)")
        second = send(connection, "SELECT current_setting('lock_timeout')")
        last = send(connection, "SELECT 3")
        assert (second(), first()) == ([("7s",)], [(1,)])
    assert last() == [(3,)]


def read(answer: Callable[[], list[Any]]) -> None:
    answer()


def leave(answer: Callable[[], list[Any]]) -> None:
    """The error is raised at the end of the pipeline."""


def give_up(_: Callable[[], list[Any]]) -> None:
    raise LookupError("given up")


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [(read, DataError, "division by zero"), (leave, DataError, "division by zero"), (give_up, LookupError, "given up")],
)
def test_an_error_in_a_pipeline_is_raised_once_and_logged_by_nobody(
    act: Callable[[Callable[[], list[Any]]], None],
    error: type[Exception],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = rows(connection, "SELECT pg_backend_pid()")

    def divide() -> None:
        with transaction.atomic(), pipelined(connection):
            wrong = send(connection, "SELECT 1 / length(pg_sleep(0.2)::text)")
            send(connection, "SELECT 2")
            act(wrong)

    with pytest.raises(error, match=message):
        divide()
    assert (rows(connection, "SELECT pg_backend_pid()"), caplog.records) == (server, [])
