"""The address of MCP: which callers are accepted, and how the others are refused."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from stats_app import mcp
from stats_app.models import ToolCall
from tests.factories import make_key, make_workspace
from tests.mcp.calls import ERAS, HANDSHAKE, STATELESS, answer, ask, message, post
from tests.mcp.live import CHECKOUT

pytestmark = pytest.mark.django_db

urlpatterns = [path("ai/assistant", include("stats_app.mcp.urls"))]

REFUSED = {
    "jsonrpc": "2.0",
    "id": None,
    "error": {"code": -32600, "message": "A valid API key is required in the header x-api-key."},
}


@pytest.fixture
def secret() -> str:
    return make_key(make_workspace(), ["stats:read"])


def assert_refused(response: HttpResponse) -> None:
    assert (response.status_code, response.json()) == (401, REFUSED)
    assert response["WWW-Authenticate"] == 'ApiKey realm="stats", header="x-api-key"'


@pytest.mark.parametrize("era", ERAS)
def test_it_answers_a_good_key(secret: str, era: str) -> None:
    response = ask(secret, "tools/list", era=era)
    assert response.status_code == 200
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/json", "private, no-store")
    assert "x-api-key" in response["Vary"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("wrong", [None, "", "sk_000000000000_x", "é"])
def test_it_refuses_other_keys(secret: str, era: str, wrong: str | None) -> None:
    assert_refused(ask(wrong, "tools/list", era=era))


def test_it_refuses_expired_and_revoked_keys_and_inactive_workspaces() -> None:
    past = datetime(2026, 1, 1, tzinfo=UTC)
    assert_refused(ask(make_key(make_workspace(), expires_at=past), "tools/list"))
    assert_refused(ask(make_key(make_workspace(), revoked_at=past), "tools/list"))
    assert_refused(ask(make_key(make_workspace(is_active=False)), "tools/list"))
    assert not ToolCall.objects.exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_it_takes_posts_only(secret: str, method: str) -> None:
    response = Client().generic(method, "/mcp", headers={"x-api-key": secret})
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil.example", "null"])
def test_it_refuses_pages_of_other_sites(secret: str, era: str, origin: str) -> None:
    assert ask(secret, "tools/list", era=era, origin=origin).status_code == 403


@pytest.mark.parametrize("era", ERAS)
def test_it_answers_pages_of_its_own_site_and_of_named_ones(secret: str, era: str) -> None:
    assert ask(secret, "tools/list", era=era, origin="http://testserver").status_code == 200
    with override_settings(STATS_APP={"MCP_ALLOWED_ORIGINS": ["https://app.example"]}):
        assert ask(secret, "tools/list", era=era, origin="https://app.example").status_code == 200
        assert ask(secret, "tools/list", era=era, origin="https://app.example.evil").status_code == 403


def test_a_host_that_django_does_not_know_is_refused(secret: str) -> None:
    assert ask(secret, "tools/list", host="evil.example").status_code == 400
    with override_settings(MIDDLEWARE=[]):
        response = ask(secret, "tools/list", host="evil.example")
        assert (response.status_code, response.json()["error"]["message"]) == (400, "The request is malformed.")


@pytest.mark.parametrize("era", ERAS)
@override_settings(USE_X_FORWARDED_HOST=True, ALLOWED_HOSTS=["stats.example"])
def test_it_answers_behind_a_proxy(secret: str, era: str) -> None:
    proxied = {"host": "127.0.0.1:8001", "x-forwarded-host": "stats.example"}
    assert ask(secret, "tools/list", era=era, **proxied).status_code == 200


def test_a_slash_at_the_end_is_welcome(secret: str) -> None:
    body, headers = message("tools/list")
    assert post(secret, body, url="/mcp/", **headers).status_code == 200


@override_settings(ROOT_URLCONF="tests.mcp.test_door")
def test_it_can_be_included_alone_under_another_name(secret: str) -> None:
    body, headers = message("tools/list")
    assert post(secret, body, url="/ai/assistant", **headers).status_code == 200


def test_a_body_that_is_no_message_is_a_protocol_error(secret: str) -> None:
    for body in (b"{", b"[]", b"\xff", b"7", b'{"jsonrpc":"2.0"}', b"[" * 100_000):
        for era in ERAS:
            response = post(secret, body, **message("tools/list", era=era)[1])
            assert response.status_code == 400, (body[:10], era)
            assert response.json()["error"]["code"] in (-32700, -32600, -32602), (body[:10], era)


def test_a_byte_order_mark_is_passed_over(secret: str) -> None:
    for era in ERAS:
        body, headers = message("tools/list", era=era)
        response = post(secret, b"\xef\xbb\xbf" + json.dumps(body).encode(), **headers)
        assert len(response.json()["result"]["tools"]) == 5


@pytest.mark.parametrize(
    ("header", "value", "text"),
    [
        ("content-encoding", "gzip", 'Content-Encoding must be identity, not "gzip": send the body uncompressed.'),
        ("content-type", "text/plain", 'Content-Type must be application/json in UTF-8, not "text/plain".'),
        (
            "content-type",
            "application/json; charset=utf-16",
            'Content-Type must be application/json in UTF-8, not "application/json; charset=utf-16".',
        ),
    ],
)
def test_a_body_that_is_no_plain_json_is_refused(secret: str, header: str, value: str, text: str) -> None:
    for era in ERAS:
        body, headers = message("tools/list", era=era)
        response = post(secret, body, **headers | {header: value})
        assert (response.status_code, response.json()["error"]) == (415, {"code": -32600, "message": text})


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10)
def test_the_host_s_own_limit_of_bodies_is_not_in_the_way(secret: str) -> None:
    assert ask(secret, "tools/list").status_code == 200


def test_a_body_beyond_a_megabyte_is_refused(secret: str) -> None:
    response = post(secret, b" " * (1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]["message"]) == (
        413,
        "The body has more than 1048576 bytes; send it in parts.",
    )


def test_an_unknown_method_is_a_protocol_error(secret: str) -> None:
    for era in ERAS:
        assert ask(secret, "resources/list", era=era).json()["error"]["code"] == -32601


def test_an_unknown_version_is_told_the_known_ones(secret: str) -> None:
    response = ask(secret, "tools/list", era="2031-01-01")
    assert response.status_code == 400


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_it_shakes_hands_in_every_older_version(secret: str, version: str) -> None:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    result = ask(secret, "initialize", params, era=version).json()["result"]
    assert result["protocolVersion"] == version
    assert result["serverInfo"]["name"] == "stats-tools"
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert "stats_get_workspace_overview" in result["instructions"]
    assert ask(secret, "tools/list", era=version).status_code == 200


def test_a_client_that_never_shook_hands_is_answered_without_a_session(secret: str) -> None:
    response = ask(secret, "tools/list", era=HANDSHAKE)
    assert response.status_code == 200
    assert "mcp-session-id" not in response


def test_it_tells_what_it_is(secret: str) -> None:
    result = ask(secret, "server/discover").json()["result"]
    assert result["supportedVersions"] == [STATELESS]
    assert result["capabilities"] == {"tools": {"listChanged": False}}


def test_a_notification_is_taken_without_an_answer(secret: str) -> None:
    for era in ERAS:
        headers = message("tools/list", era=era)[1]
        response = post(secret, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **headers)
        assert (response.status_code, response.content) == (202, b"")


def test_a_database_that_is_down_is_said_so(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    def down(*args: Any) -> None:
        raise OperationalError("could not connect to secret-host")

    with connection.execute_wrapper(down):
        response = ask(secret, "tools/list")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.json()["error"] == {"code": -32603, "message": "The database cannot be reached; try again."}
    assert "secret-host" in caplog.text


def test_calls_count_though_the_host_wraps_requests_in_transactions(secret: str) -> None:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert answer(secret, "campaign_find") == {"campaigns": []}
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert ToolCall.objects.count() == 1


@pytest.fixture
def without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise mcp.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(mcp.metadata, "version", missing)


@pytest.mark.usefixtures("without_the_package")
@override_settings(ROOT_URLCONF="tests.mcp.test_door")
def test_a_check_says_how_to_get_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check")
    printed = capsys.readouterr().err
    assert "(stats_app.W002) /mcp is not served" in printed
    assert "pip install 'mcp>=2.3,<3'" in printed


@pytest.mark.usefixtures("without_the_package")
def test_the_command_says_how_to_get_the_package() -> None:
    with pytest.raises(Exception, match=r"pip install 'mcp>=2\.3,<3'"):
        call_command("mcp_stdio")


@pytest.mark.parametrize(
    ("version", "works"),
    [
        ("1.30.0", False),
        ("2.0.1", False),
        ("2.2.9", False),
        ("2.3.0", True),
        ("2.3", True),
        ("2.10.1", True),
        ("3.0.0", False),
        ("3", False),
        ("unknown", False),
    ],
)
def test_only_versions_of_the_package_that_work_count_as_installed(
    version: str, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp.metadata, "version", lambda name: version)
    assert mcp.is_installed() == works


def test_the_extra_asks_for_the_versions_that_work() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (oldest, minor), (end, _) = mcp.OLDEST, mcp.END
    assert project["optional-dependencies"]["mcp"] == [f"mcp>={oldest}.{minor},<{end}"]


@pytest.mark.parametrize("origins", ["https://app.example", ["app.example"], ["https://app.example/"], [7], None])
def test_a_check_finds_wrong_origins(origins: object) -> None:
    with (
        override_settings(STATS_APP={"MCP_ALLOWED_ORIGINS": origins}),
        pytest.raises(Exception, match="Give a list of origins"),
    ):
        call_command("check")
