"""The system checks: each id, and that a project in order has none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from django.core import checks
from django.db import connection, connections
from django.db.backends.dummy.base import DatabaseWrapper
from django.urls import include, path

from stats_app import mcp
from stats_app.models import Workspace
from stats_app.sql import words
from stats_app.sql.words import Alphabetical
from tests.factories import make_workspace


def check_messages(*, deploy: bool = False, databases: list[str] | None = None) -> list[tuple[str, str, str | None]]:
    """The messages of ours: id, text and hint."""
    messages = checks.run_checks(include_deployment_checks=deploy, databases=databases)
    return [
        (str(message.id), message.msg, message.hint) for message in messages if str(message.id).startswith("stats_app.")
    ]


def messages_before_deploying() -> list[tuple[str, str, str | None]]:
    """Those of `check --deploy`, without what it says of the connections to the tests' own database."""
    return [message for message in check_messages(deploy=True) if message[0] != "stats_app.W001"]


def test_a_project_in_order_has_none() -> None:
    assert check_messages() == []


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"RATE_LIMIT": 1, "LIST_RATE_LIMIT": 1000, "INGEST_RATE_LIMIT": None},
        {"RATE_LIMIT": None, "PREPARED_STATEMENTS": False},
        {"WORKSPACES_FOR": "django.utils.timezone.now", "MCP_ALLOWED_ORIGINS": ["https://app.example"]},
        {"LINK_BASE_URL": None},
        {"LINK_BASE_URL": "https://go.example.com/"},
        {"LINK_BASE_URL": "http://127.0.0.1:8000/c/"},
        {"TRUSTED_PROXIES": 0, "CLIENT_IP_HEADER": "x-forwarded-for"},
        {"TRUSTED_PROXIES": 3},
        {"PERSON_FIGURES": "full"},
        {"PERSON_FIGURES": "totals"},
        {"PERSON_FIGURES": 1},
        {"TRUSTED_PROXIES": []},
        {"TRUSTED_PROXIES": ("10.0.0.0/8", "::1", "2001:db8::/32")},
        {"TRUSTED_PROXIES": ["192.0.2.1"], "CLIENT_IP_HEADER": "CF-Connecting-IP"},
    ],
)
def test_good_settings_have_none(value: dict[str, Any], settings: Any) -> None:
    settings.STATS_APP = value
    assert check_messages() == []


def test_settings_are_optional(settings: Any) -> None:
    del settings.STATS_APP
    assert check_messages() == []


@pytest.mark.parametrize("value", [[], None, "RATE_LIMIT"])
def test_e001_settings_are_a_dict(value: Any, settings: Any) -> None:
    settings.STATS_APP = value
    assert check_messages() == [("stats_app.E001", "STATS_APP is not a dict.", None)]


def test_e002_unknown_settings_are_named(settings: Any) -> None:
    settings.STATS_APP = {"RATE_LIMITS": 30, "RATE_LIMIT": 30}
    [(code, text, hint)] = check_messages()
    assert (code, text) == ("stats_app.E002", "STATS_APP has an unknown key 'RATE_LIMITS'.")
    assert str(hint).startswith("The keys are RATE_LIMIT, LIST_RATE_LIMIT, INGEST_RATE_LIMIT, ")


@pytest.mark.parametrize("name", ["RATE_LIMIT", "LIST_RATE_LIMIT", "INGEST_RATE_LIMIT"])
@pytest.mark.parametrize("value", [0, -1, 1001, "30", 1.5, True])
def test_e003_limits_are_whole_numbers(name: str, value: Any, settings: Any) -> None:
    settings.STATS_APP = {name: value}
    hint = "Give a number of calls a minute from 1 to 1000, or None for no limit."
    assert check_messages() == [("stats_app.E003", f"STATS_APP[{name!r}] is {value!r}.", hint)]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PREPARED_STATEMENTS", "no", "Give True or False."),
        ("PREPARED_STATEMENTS", None, "Give True or False."),
        (
            "WORKSPACES_FOR",
            "nowhere.at_all",
            "Give the dotted path of a function (user) -> queryset of Workspace, or None.",
        ),
        *(
            (
                "LINK_BASE_URL",
                value,
                'Give the address of tracked links without their token, such as "https://go.example.com/c/", or None.',
            )
            for value in (
                "",
                "https://go.example.com/c",
                "go.example.com/",
                "ftp://x.example/",
                "https://x.example/?t=/",
                "https://ada:secret@x.example/",
                1,
            )
        ),
        *(
            (
                "BASE_URL",
                value,
                'Give the address at which the site begins, such as "https://stats.example.com", or None.',
            )
            for value in (
                "",
                "stats.example.com",
                "ftp://stats.example.com",
                "https://stats.example.com/?a",
                "https://ada:secret@stats.example.com",
                "https://stats.example .com",
                "https://stäts.example.com",
                1,
            )
        ),
        (
            "MCP_ALLOWED_ORIGINS",
            ["https://app.example/"],
            'Give a list of origins as browsers send them, such as "https://app.example".',
        ),
        (
            "MCP_ALLOWED_ORIGINS",
            "https://app.example",
            'Give a list of origins as browsers send them, such as "https://app.example".',
        ),
    ],
)
def test_e003_other_settings_are_of_their_kind(name: str, value: Any, hint: str, settings: Any) -> None:
    settings.STATS_APP = {name: value}
    assert check_messages() == [("stats_app.E003", f"STATS_APP[{name!r}] is {value!r}.", hint)]


PROXIES_HINT = (
    'Give the number of proxies that a request passes, or a list of their addresses and networks, such as "10.0.0.0/8".'
)
PERSONS_HINT = 'Give "full", "totals", or the number of clicks from which on a person\'s figures are shown, 1 or more.'
HEADER_HINT = 'Give the name of a header that holds addresses alone, such as "X-Forwarded-For" or "CF-Connecting-IP".'


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        *(
            ("TRUSTED_PROXIES", value, PROXIES_HINT)
            for value in (-1, True, None, 1.0, "1", "10.0.0.0/8", ["10.0.0.1/8"], ["proxy"], [1], [["::1"]], {"::1"})
        ),
        *(
            ("CLIENT_IP_HEADER", value, HEADER_HINT)
            for value in ("", None, "HTTP_X_FORWARDED_FOR", "X-Real-IP:", "Forwarded", "forwarded", 1)
        ),
        *(
            ("PERSON_FIGURES", value, PERSONS_HINT)
            for value in (None, "", "none", "FULL", "5", 0, -1, True, False, 2.0, [5], {"full"})
        ),
    ],
)
def test_e003_settings_of_visitors_and_people_are_of_their_kind(
    name: str, value: Any, hint: str, settings: Any
) -> None:
    settings.STATS_APP = {name: value}
    assert messages_before_deploying() == [("stats_app.E003", f"STATS_APP[{name!r}] is {value!r}.", hint)]


def test_e004_times_have_zones(settings: Any) -> None:
    settings.USE_TZ = False
    assert check_messages() == [
        (
            "stats_app.E004",
            "USE_TZ is off, so times have no zone, and clicks would be counted on wrong days.",
            "Set USE_TZ = True.",
        )
    ]


@pytest.fixture
def other_database() -> Iterator[Any]:
    """Puts another database in place of the default; none is connected to."""
    original = connections["default"]

    def put(vendor: str, display_name: str, **values: Any) -> None:
        kind = type("Other", (DatabaseWrapper,), {"vendor": vendor, "display_name": display_name})
        connections["default"] = kind(original.settings_dict | values, "default")

    yield put
    connections["default"] = original


@pytest.mark.parametrize(
    ("vendor", "display_name"), [("mysql", "MySQL"), ("mysql", "MariaDB"), ("oracle", "Oracle"), ("unknown", "unknown")]
)
def test_e005_the_database_is_postgresql_or_sqlite(other_database: Any, vendor: str, display_name: str) -> None:
    other_database(vendor, display_name)
    assert check_messages() == [
        (
            "stats_app.E005",
            f"Clicks would be stored in {display_name}, which is not supported.",
            "Use PostgreSQL, or SQLite on one machine.",
        )
    ]


@pytest.mark.parametrize("app", ["rest_framework", "django_filters"])
def test_e006_what_ours_builds_on_is_installed(app: str, settings: Any) -> None:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != app]
    assert check_messages() == [
        ("stats_app.E006", f"{app} is not in INSTALLED_APPS.", f'Add "{app}" before "stats_app".')
    ]


def test_an_app_may_be_installed_by_its_config(settings: Any) -> None:
    settings.INSTALLED_APPS = [
        "rest_framework.apps.RestFrameworkConfig" if name == "rest_framework" else name
        for name in settings.INSTALLED_APPS
    ]
    assert check_messages() == []


@pytest.mark.parametrize("trusted", [0, 1, 2, []])
def test_e007_a_header_of_one_address_needs_proxies_by_name(trusted: Any, settings: Any) -> None:
    settings.STATS_APP = {"TRUSTED_PROXIES": trusted, "CLIENT_IP_HEADER": "CF-Connecting-IP"}
    assert check_messages() == [
        (
            "stats_app.E007",
            "Anyone can send CF-Connecting-IP, and STATS_APP['TRUSTED_PROXIES'] names no proxy.",
            "List the addresses and networks of the proxies that set this header.",
        )
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
        ("USE_X_FORWARDED_HOST", True),
        ("USE_X_FORWARDED_PORT", True),
    ],
)
def test_w003_a_site_behind_a_proxy_says_which(name: str, value: Any, settings: Any) -> None:
    setattr(settings, name, value)
    assert check_messages() == []
    assert messages_before_deploying() == [
        (
            "stats_app.W003",
            f"According to {name}, the site is behind a proxy, but STATS_APP['TRUSTED_PROXIES'] is not set, so all "
            "visitors seem to have one address.",
            "Give the number of proxies that a request passes, or a list of their addresses and networks.",
        )
    ]
    for trusted in (1, ["10.0.0.0/8"]):
        settings.STATS_APP = {"TRUSTED_PROXIES": trusted}
        assert messages_before_deploying() == []
    settings.STATS_APP = []
    assert [code for code, _, _ in messages_before_deploying()] == ["stats_app.E001"]


NEW = (
    "stats_app.W001",
    "Each request opens a new connection to the database 'default'.",
    "Under WSGI set its CONN_MAX_AGE to None, under ASGI OPTIONS['pool'], which needs psycopg_pool.",
)
LEFT = (
    "stats_app.W004",
    "Under ASGI each request leaves a connection to the database 'default' open.",
    "Set its CONN_MAX_AGE to 0 and OPTIONS['pool'], which needs psycopg_pool.",
)


@pytest.mark.parametrize(
    ("vendor", "values", "under_wsgi", "under_asgi"),
    [
        ("postgresql", {"CONN_MAX_AGE": 0, "OPTIONS": {}}, [NEW], [NEW]),
        ("postgresql", {"CONN_MAX_AGE": None, "OPTIONS": {}}, [], [LEFT]),
        ("postgresql", {"CONN_MAX_AGE": 60, "OPTIONS": {}}, [], [LEFT]),
        ("postgresql", {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}, [], []),
        ("postgresql", {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"max_size": 4}}}, [], []),
        ("sqlite", {"CONN_MAX_AGE": 0, "OPTIONS": {}}, [], []),
        ("sqlite", {"CONN_MAX_AGE": None, "OPTIONS": {}}, [], []),
    ],
)
def test_w001_and_w004_connections_to_postgresql_suit_the_server(
    other_database: Any,
    vendor: str,
    values: dict[str, Any],
    under_wsgi: list[Any],
    under_asgi: list[Any],
    settings: Any,
) -> None:
    other_database(vendor, vendor, **values)
    assert check_messages() == []
    assert check_messages(deploy=True) == under_wsgi
    settings.ASGI_APPLICATION = "project.asgi.application"
    assert check_messages(deploy=True) == under_asgi


@pytest.mark.django_db
def test_w005_zones_that_this_machine_lacks_are_named() -> None:
    assert check_messages(databases=["default"]) == []
    lost = [make_workspace(name=f"Lost {number}", timezone="Mars/Olympus") for number in range(9)]
    lost.append(make_workspace(name="Bad\nname", timezone=" "))
    make_workspace(timezone="US/Eastern")
    named = [f"{place.public_id} Lost {number} (Mars/Olympus)" for number, place in enumerate(lost[:9])]
    named.append(f"{lost[9].public_id} Bad\\u000aname ( )")
    expected = f"This machine does not know the time zone of: {', '.join(named)}"
    [(code, text, hint)] = check_messages(databases=["default"])
    assert (code, text) == ("stats_app.W005", f"{expected}.")
    assert str(hint).startswith("Run: pip install --upgrade tzdata.")
    make_workspace(timezone="Mars/Olympus")
    make_workspace(timezone="Nowhere")
    [(code, text, hint)] = check_messages(databases=["default"])
    assert text == f"{expected}, and 2 more."
    assert check_messages() == []


@pytest.fixture
def _without_icu() -> Iterator[None]:
    """Simulates a PostgreSQL that was built without ICU."""
    words._with_unicode.clear()
    with connection.cursor() as cursor:
        cursor.execute('DROP COLLATION pg_catalog."und-x-icu" CASCADE')
    yield
    words._with_unicode.clear()


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.usefixtures("_without_icu")
def test_w008_a_server_that_lacks_letters_is_named_and_searched_all_the_same() -> None:
    [(code, text, _hint)] = check_messages(databases=["default"])
    assert code == "stats_app.W008"
    assert text == "Searches and the order of names follow one locale only, that of the database 'default'."
    assert check_messages() == []
    for name in ("b", "ADA", "Élodie"):
        make_workspace(name=name)
    assert [one.name for one in Workspace.objects.named(["ada"])] == ["ADA"]
    assert [one.name for one in Workspace.objects.named(["Élo"]).order_by(Alphabetical("name"))] == ["Élodie"]
    migration = import_module("stats_app.migrations.0010_search_indexes")
    with connection.cursor() as cursor:
        for statement in (migration.order(connection), *migration.statements(connection, "gin_trgm_ops")):
            cursor.execute(statement)


@pytest.mark.django_db
def test_w005_is_not_in_the_way_of_the_first_migration() -> None:
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(Workspace._meta.db_table)
        cursor.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
        try:
            assert check_messages(databases=["default"]) == []
        finally:
            cursor.execute(f"ALTER TABLE elsewhere RENAME TO {table}")


@pytest.mark.parametrize(
    ("module", "expected"),
    [("stats_app.mcp.urls", ["stats_app.W002"]), ("stats_app.urls", ["stats_app.I001"]), ("stats_app.api.urls", [])],
)
def test_w002_and_i001_say_how_to_get_mcp(
    module: str, expected: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    included, root = ModuleType(module), ModuleType("root_of_a_test")
    included.urlpatterns = []  # type: ignore[attr-defined]  # a module with this attribute is a URLconf
    root.urlpatterns = [path("", include(included))]  # type: ignore[attr-defined]  # as above
    monkeypatch.setitem(sys.modules, root.__name__, root)
    settings.ROOT_URLCONF = root.__name__
    assert check_messages() == []
    monkeypatch.setattr(mcp, "is_installed", lambda: False)
    messages = check_messages()
    assert [code for code, _, _ in messages] == expected
    for _, text, hint in messages:
        assert text == "/mcp is not served: the package mcp 2.3 or later, below 3, is not installed."
        assert str(hint).startswith(f"Run: {mcp.INSTALL}")
