"""A database that cannot be reached, takes no writes or fails for a while: 503, and nothing half-written."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import InternalError, OperationalError, ProgrammingError, connection, connections
from django.db.utils import load_backend
from django.test import Client, RequestFactory

from stats_app.models import Click, ToolCall
from stats_app.rollups import check
from stats_app.tools import TOOLS
from tests.admin_cast import MODELS, address, make_tenant, superuser
from tests.dashboard_cast import address as dashboard_address
from tests.factories import make_campaign, make_key, make_user, make_workspace
from tests.mcp import calls as mcp
from tests.rest import CAMPAIGNS, CLICKS, NOT_AUTHENTICATED, OVERVIEW, USERS, get, post, problem

UNAVAILABLE = problem(503, "unavailable", "Unavailable", "The database cannot be reached; try again.")
SECRET = "sk_0123456789ab_" + "A" * 43
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


DATABASES: dict[str, Any] = {
    "postgresql": lambda: {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "nothing",
        "USER": "nobody",
        "PASSWORD": "hunter2",
        "HOST": "127.0.0.1",
        "PORT": closed_port(),
        "OPTIONS": {},
    },
    "sqlite3": lambda: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "/nowhere/at/all/db.sqlite3",
        "OPTIONS": {},
    },
}


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def atomic_requests(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@contextmanager
def unreachable(vendor: str, atomic_requests: bool) -> Iterator[None]:
    """In place of the database, one that really cannot be reached."""
    original = connections["default"]
    settings = original.settings_dict | DATABASES[vendor]()
    connections["default"] = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "default")
    with pytest.MonkeyPatch.context() as patch:
        # Django reads it there when it calls a view.
        patch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic_requests)
        yield
    connections["default"] = original


@pytest.fixture(params=DATABASES)
def _unreachable(request: pytest.FixtureRequest, db: None, atomic_requests: bool) -> Iterator[None]:
    with unreachable(request.param, atomic_requests):
        yield


@pytest.mark.usefixtures("_unreachable")
@pytest.mark.parametrize(
    ("url", "query"),
    [
        (OVERVIEW, PERIOD),
        (OVERVIEW, {}),
        (f"{CAMPAIGNS}cp_01arz3ndektsv4rrffq69g5fav/performance/", {}),
        (f"{USERS}usr_01arz3ndektsv4rrffq69g5fav/metrics/", {}),
        (CAMPAIGNS, {}),
        (USERS, {}),
        (CLICKS, {}),
        (CLICKS, None),
    ],
)
def test_every_call_is_answered_with_503(url: str, query: dict[str, str] | None) -> None:
    response = post(SECRET, {"kind": "other"}) if query is None else get(SECRET, url, query)
    assert (response.status_code, response.json()) == (503, UNAVAILABLE)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.usefixtures("_unreachable")
def test_without_a_key_the_database_is_not_needed() -> None:
    assert get(None, OVERVIEW).status_code == 401


@pytest.fixture
def staff(db: None) -> Client:
    """A login from before the database became unavailable."""
    return superuser()


@pytest.fixture
def places(db: None) -> list[str]:
    """The staff pages of each kind, and of each model of the admin its list and its form."""
    tenant = make_tenant()
    pages = [dashboard_address(shown) for shown in (tenant.workspace, tenant.campaign, tenant.workspaceuser)]
    models = [address(model) for model in MODELS] + [
        address(model, "change", getattr(tenant, model)) for model in MODELS
    ]
    return ["/stats/", *pages, f"{pages[0]}?format=csv", *models, address("workspace", "overview", tenant.workspace)]


@pytest.mark.parametrize("vendor", DATABASES)
def test_staff_pages_and_admin_answer_with_a_page_that_asks_to_come_again(
    staff: Client, places: list[str], vendor: str, atomic_requests: bool
) -> None:
    assert {staff.get(place).status_code for place in places} <= {200, 302}
    with unreachable(vendor, atomic_requests):
        for place in places:
            for response in (staff.get(place), staff.head(place), staff.post(place)):
                assert (place, response.status_code, response.headers["Retry-After"]) == (place, 503, "5")
                assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            page = staff.get(place, headers={"Accept-Language": "fr"}).content.decode()
            assert "<h1>Indisponible pour le moment</h1>" in page
            frame = '<header class="stats-top">' if place.startswith("/stats/") else '<div id="site-name">'
            assert frame in page


@pytest.mark.parametrize("vendor", DATABASES)
def test_with_the_handler_the_pages_of_others_are_answered_with_503_too(
    staff: Client, vendor: str, atomic_requests: bool
) -> None:
    staff.raise_request_exception = False
    with unreachable(vendor, atomic_requests):
        responses = [staff.get("/admin/"), staff.get("/admin/login/"), staff.post("/admin/login/", {"username": "ada"})]
        french = staff.get("/admin/", headers={"Accept-Language": "fr"}).content.decode()
    for response in responses:
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert "<h1>Not available right now</h1>" in response.content.decode()
        assert 'href="/stats/"' not in response.content.decode()
    assert "<h1>Indisponible pour le moment</h1>" in french


def test_with_the_handler_other_errors_still_show_the_page_of_the_host(staff: Client) -> None:
    staff.raise_request_exception = False
    for table, error in (
        ("django_admin_log", database_error(ProgrammingError, "42601")),
        ("auth_user", ValueError("no error of the database")),
    ):
        with failing(table, error):
            response = staff.get("/admin/")
        assert response.status_code == 500
        assert "<h1>Something went wrong</h1>" in response.content.decode()
        assert "Retry-After" not in response.headers


def serve(
    method: str, secret: str, url: str, query: dict[str, str], body: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """A request as a server hands it in, which unlike the test client lets Django drop a broken connection after it."""
    started: list[Any] = []
    request = RequestFactory().generic(
        method, url, body, "application/json", query_params=query, headers={"x-api-key": secret}
    )
    response = WSGIHandler()(request.environ, lambda status, headers: started.extend((status, dict(headers))))
    content = b"".join(response)
    response.close()
    return int(started[0].split()[0]), started[1], content


@pytest.fixture
def cut(atomic_requests: bool, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the server end the connection just before a statement on a table."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)

    def before(text: str) -> Any:
        def end(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if text in sql:
                other = connection.copy()
                with other.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(%s)", [context["connection"].connection.info.backend_pid]
                    )
                other.close()
            return execute(sql, params, many, context)

        return connection.execute_wrapper(end)

    return before


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["stats_app_apikey", "stats_app_callwindow", "stats_app_rollup"])
def test_a_connection_lost_in_a_call_is_answered_and_the_next_call_has_a_new_one(cut: Any, table: str) -> None:
    workspace = make_workspace()
    secret = make_key(workspace)
    with cut(table):
        status, headers, content = serve("GET", secret, OVERVIEW, PERIOD)
    assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, "application/problem+json", "5")
    assert b"The database cannot be reached; try again." in content
    assert serve("GET", secret, OVERVIEW, PERIOD)[0] == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_lost_before_the_audit_row_changes_no_answer(cut: Any) -> None:
    secret = make_key(make_workspace())
    with cut("stats_app_toolcall"):
        assert serve("GET", secret, OVERVIEW, PERIOD)[0] == 200
    assert serve("GET", secret, OVERVIEW, PERIOD)[0] == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["INSERT INTO stats_app_click", "INSERT INTO stats_app_rollup"])
def test_clicks_that_were_cut_off_are_not_stored_and_a_retry_is_exact(cut: Any, table: str) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace).public_id
    secret = make_key(workspace)
    click = {"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "kind": "campaign", "campaignPublicId": campaign}
    body = json.dumps({"clicks": [click]})
    with cut(table):
        assert serve("POST", secret, CLICKS, {}, body)[0] == 503
    assert Click.objects.count() == 0
    assert [*check(workspace)] == []
    assert serve("POST", secret, CLICKS, {}, body)[2] == b'{"accepted":1,"duplicates":0,"rejected":[]}'
    assert [*check(workspace)] == []


# --- errors that pass, or that an administrator has to mend


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def database_error(kind: type[Exception], sqlstate: str) -> Exception:
    error = kind("the secret statement")
    error.__cause__ = DriverError(sqlstate)
    return error


UNREACHABLE = "The database cannot be reached; try again."
BUSY = "The database was too busy with other transactions to finish this one; try again."
READ_ONLY = "The database is read-only at the moment; try again."
KINDS = [
    (OperationalError, "08006", UNREACHABLE, "The database cannot be reached"),
    (InternalError, "XX000", UNREACHABLE, "The database cannot be reached"),
    (OperationalError, "40001", BUSY, "others were in its way each time"),
    (OperationalError, "40P01", BUSY, "others were in its way each time"),
    (InternalError, "25006", READ_ONLY, "The database is read-only"),
    (ProgrammingError, "42P05", UNREACHABLE, "STATS_APP['PREPARED_STATEMENTS'] = False"),
    (OperationalError, "26000", UNREACHABLE, "STATS_APP['PREPARED_STATEMENTS'] = False"),
]


def failing(table: str, error: Exception) -> Any:
    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql and "toolcall" not in sql:
            raise error
        return execute(sql, params, many, context)

    return connection.execute_wrapper(fail)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "sqlstate", "detail", "logged"), KINDS, ids=[case[1] for case in KINDS])
@pytest.mark.parametrize("table", ["stats_app_apikey", "stats_app_rollup", "stats_app_campaign"])
def test_each_kind_is_a_503_that_says_which_and_a_line_in_the_log_that_helps(
    kind: type[Exception], sqlstate: str, detail: str, logged: str, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = make_workspace()
    campaign, secret = make_campaign(workspace), make_key(workspace)
    get(secret, CAMPAIGNS)  # notes the key's use
    body = {"kind": "campaign", "campaignPublicId": campaign.public_id}
    with failing(table, database_error(kind, sqlstate)):
        replies = {
            "overview": get(secret, OVERVIEW, PERIOD),
            "list": get(secret, CAMPAIGNS),
            "performance": get(secret, f"{CAMPAIGNS}{campaign.public_id}/performance/"),
            "clicks": post(secret, body),
            "mcp": mcp.ask(secret, "tools/list"),
        }
        result = mcp.ask(secret, "tools/call", {"name": "campaign_find"}).json().get("result", {})
    failed = {
        "stats_app_apikey": {"overview", "list", "performance", "clicks", "mcp"},
        "stats_app_rollup": {"overview", "performance", "clicks"},
        "stats_app_campaign": {"list", "performance", "clicks"},
    }[table]
    assert {name for name, reply in replies.items() if reply.status_code != 200} == failed
    for name in failed:
        reply = replies[name]
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5"), name
        if name != "mcp":
            assert reply.json() == problem(503, "unavailable", "Unavailable", detail)
            assert reply.headers["Content-Type"] == "application/problem+json"
        assert b"secret statement" not in reply.content
    if table == "stats_app_campaign":
        text = f"{detail} Wait 5 s, then call again."
        assert result["content"] == [{"type": "text", "text": text}]
        assert result["_meta"]["stats-tools/problem"] == {"code": "unavailable", "retryAfterSeconds": 5}
    assert logged in caplog.text
    outcomes = set(ToolCall.objects.values_list("outcome", flat=True))
    assert outcomes <= {"ok", "unavailable"}


@pytest.mark.django_db
def test_an_error_of_the_database_that_is_a_fault_of_ours_is_a_500() -> None:
    secret = make_key(make_workspace())
    with failing("stats_app_rollup", database_error(ProgrammingError, "42601")):
        reply = get(secret, OVERVIEW, PERIOD)
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    assert ToolCall.objects.get().outcome == "internal_error"
    with failing("stats_app_apikey", database_error(ProgrammingError, "42601")):
        assert mcp.ask(secret, "tools/list").status_code == 500


@pytest.fixture
def read_only(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function from which on the database takes no writes, also over new connections."""

    def begin() -> None:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA query_only = ON")
            return
        options = connection.settings_dict["OPTIONS"] | {"options": "-c default_transaction_read_only=on"}
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
        connection.close()

    yield begin
    monkeypatch.undo()
    connection.close()


def test_a_database_that_takes_no_writes_still_answers_what_only_reads(
    read_only: Any, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = make_workspace()
    campaign, user = make_campaign(workspace), make_user(workspace)
    secret = make_key(workspace)
    read_only()
    for url, query in (
        (OVERVIEW, PERIOD),
        (f"{CAMPAIGNS}{campaign.public_id}/performance/", {}),
        (f"{USERS}{user.public_id}/metrics/", {}),
        (CAMPAIGNS, {}),
        (f"{CAMPAIGNS}{campaign.public_id}/", {}),
        (USERS, {}),
        (f"{USERS}{user.public_id}/", {}),
        (CLICKS, {}),
    ):
        reply = get(secret, url, query)
        assert reply.status_code == 200, (url, reply.content)
        assert "RateLimit" not in reply.headers
    arguments = {
        "stats_get_workspace_overview": PERIOD,
        "stats_get_campaign_performance": {"campaignPublicId": campaign.public_id},
        "stats_get_user_metrics": {"userPublicId": user.public_id},
    }
    for era in mcp.ERAS:
        for tool in TOOLS:
            assert mcp.answer(secret, tool, arguments.get(tool, {}), era)
    reply = post(secret, {"kind": "other"})
    assert (reply.status_code, reply.json()) == (503, problem(503, "unavailable", "Unavailable", READ_ONLY))
    assert reply.headers["Retry-After"] == "5"
    assert get(secret, OVERVIEW, {}).status_code == 400
    assert "The database is read-only" in caplog.text


@pytest.mark.django_db
def test_a_workspace_deleted_after_its_key_was_found_is_a_401(settings: Any) -> None:
    settings.STATS_APP = {"INGEST_RATE_LIMIT": 1000}
    workspace = make_workspace()
    secret = make_key(workspace)
    deleted: list[bool] = []

    def delete(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        # The rate limit is what comes between the look-up of the key and the lock of the workspace.
        if "stats_app_callwindow" in sql and not deleted:
            deleted.append(True)
            workspace.delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete):
        reply = post(secret, {"kind": "other"})
    assert deleted
    assert (reply.status_code, reply.json()) == (401, NOT_AUTHENTICATED)
    assert reply.headers["WWW-Authenticate"]
    assert not Click.objects.exists()
