"""What errors of the database mean, and what is done about them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.utils.timezone import now

from stats_app import keys
from stats_app.database_errors import kind_of, passes_by_itself, unavailability
from stats_app.ingest import ClickInput, record_clicks
from stats_app.models import ApiKey, Click
from tests.factories import make_workspace

PATIENCE = 60


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def error(kind: type[Exception], sqlstate: str = "", text: str = "x") -> Exception:
    made = kind(text)
    made.__cause__ = DriverError(sqlstate) if sqlstate else None
    return made


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (error(OperationalError), "unreachable"),
        (error(InterfaceError), "unreachable"),
        (error(InternalError, "XX000"), "unreachable"),
        (error(OperationalError, "40001"), "busy"),
        (error(OperationalError, "40P01"), "busy"),
        (error(OperationalError, "", "database is locked"), "busy"),
        (error(OperationalError, "55P03"), "busy"),
        (error(OperationalError, "", "attempt to write a readonly database"), "read_only"),
        (error(InternalError, "25006"), "read_only"),
        (error(ProgrammingError, "42P05"), "prepared_statements"),
        (error(OperationalError, "26000"), "prepared_statements"),
        (
            error(
                OperationalError,
                "08P01",
                'bind message supplies 2 parameters, but prepared statement "_pg3_4" requires 1',
            ),
            "prepared_statements",
        ),
        (error(OperationalError, "08P01", "no more connections allowed"), "unreachable"),
        (error(InternalError, "25P02"), None),
        (error(IntegrityError, "23505"), None),
        (error(ProgrammingError, "42601"), None),
        (error(DatabaseError), None),
        (ValueError("x"), None),
    ],
)
def test_each_kind_is_told_from_the_others(raised: Exception, kind: str | None) -> None:
    assert kind_of(raised) == kind
    assert unavailability(raised) == kind
    assert passes_by_itself(raised) is (kind == "busy")


def test_the_log_names_the_setting_that_helps_with_a_pooler(caplog: pytest.LogCaptureFixture) -> None:
    unavailability(error(ProgrammingError, "42P05"))
    assert "STATS_APP['PREPARED_STATEMENTS'] = False" in caplog.text


@pytest.fixture
def read_only(transactional_db: None) -> Iterator[Any]:
    """The connection's server takes no writes from now on, as a standby that was the primary until now."""
    workspace = make_workspace()
    record_clicks(workspace, [ClickInput("other")])
    key, secret = keys.create_key(workspace, "Program")
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    yield workspace, key, secret
    connection.close()


@pytest.mark.postgres
def test_a_read_only_database_still_tells_who_calls(read_only: Any) -> None:
    workspace, key, secret = read_only
    assert keys.authenticate(secret, now()).workspace == workspace
    with transaction.atomic():
        assert keys.authenticate(secret, now()).api_key_id == key.pk
        assert Click.objects.count() == 1


@pytest.mark.postgres
def test_a_connection_to_a_read_only_server_is_dropped(read_only: Any) -> None:
    workspace, _key, _secret = read_only
    with pytest.raises(InternalError) as raised:
        record_clicks(workspace, [ClickInput("other")])
    assert unavailability(raised.value) == "read_only"
    assert record_clicks(workspace, [ClickInput("other")]).accepted == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_noting_the_last_use_of_a_key_waits_for_nobody() -> None:
    key, secret = keys.create_key(make_workspace(), "Program")
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            ApiKey.objects.select_for_update().get(pk=key.pk)
            is_locked.set()
            assert may_end.wait(PATIENCE)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_locked.wait(PATIENCE)
    assert keys.authenticate(secret, now()).api_key_id == key.pk  # it would wait for ever
    may_end.set()
    holder.join(PATIENCE)
    key.refresh_from_db()
    assert key.last_used_at is None
    keys.authenticate(secret, now())
    key.refresh_from_db()
    assert key.last_used_at is not None
