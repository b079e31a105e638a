"""System checks: a wrong setting is found when the project starts, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import URLResolver, get_resolver
from django.utils.module_loading import import_string

from stats_app import distribution, mcp, person_figures, proxies
from stats_app.conf import DEFAULTS, conf
from stats_app.errors import printable
from stats_app.limits import MAX_LIMIT
from stats_app.models import Click, Workspace
from stats_app.models.workspaces import validate_timezone
from stats_app.sql.cursor import is_postgresql
from stats_app.sql.words import has_unicode
from stats_app.targets import is_target


def _is_whole_number(value: object, least: int, most: int | None = None) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return least <= value and (most is None or value <= most)


def _is_limit(value: object) -> bool:
    return value is None or _is_whole_number(value, 1, MAX_LIMIT)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_path_of_function(value: object) -> bool:
    try:
        return value is None or (isinstance(value, str) and callable(import_string(value)))
    except ImportError:
        return False


def _are_origins(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_origin, value))


def _is_origin(value: object) -> bool:
    if not isinstance(value, str):
        return False
    parts = urlsplit(value)
    return bool(parts.netloc) and value == f"{parts.scheme}://{parts.netloc}"


def _are_proxies(value: object) -> bool:
    return all(map(_is_network, value)) if isinstance(value, list | tuple) else _is_whole_number(value, 0)


def _is_network(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(proxies.networks((value,)))
    except ValueError:
        return False


def _is_header_of_addresses(value: object) -> bool:
    # The values of `Forwarded` contain more than addresses.
    return isinstance(value, str) and bool(re.fullmatch("[A-Za-z0-9-]+", value)) and value.lower() != "forwarded"


def _is_base_of_links(value: object) -> bool:
    return value is None or (_is_beginning(value) and value.endswith("/"))


def _is_base_url(value: object) -> bool:
    return value is None or (_is_beginning(value) and value.isascii())


def _is_beginning(value: object) -> TypeGuard[str]:
    """Whether it is the beginning of addresses: without query, fragment, user and password."""
    if not (isinstance(value, str) and is_target(value)):
        return False
    return not {"?", "#"} & set(value) and "@" not in urlsplit(value).netloc


def _is_rule_of_person_figures(value: object) -> bool:
    return value in (person_figures.FULL, person_figures.TOTALS) or _is_whole_number(value, 1)


_LIMIT = (_is_limit, f"Give a number of calls a minute from 1 to {MAX_LIMIT}, or None for no limit.")
RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "RATE_LIMIT": _LIMIT,
    "LIST_RATE_LIMIT": _LIMIT,
    "INGEST_RATE_LIMIT": _LIMIT,
    "DIRECTORY_RATE_LIMIT": _LIMIT,
    "LINK_BASE_URL": (
        _is_base_of_links,
        'Give the address of tracked links without their token, such as "https://go.example.com/c/", or None.',
    ),
    "PREPARED_STATEMENTS": (_is_flag, "Give True or False."),
    "WORKSPACES_FOR": (
        _is_path_of_function,
        "Give the dotted path of a function (user) -> queryset of Workspace, or None.",
    ),
    "MCP_ALLOWED_ORIGINS": (
        _are_origins,
        'Give a list of origins as browsers send them, such as "https://app.example".',
    ),
    "TRUSTED_PROXIES": (
        _are_proxies,
        "Give the number of proxies that a request passes, or a list of their addresses and networks, such as"
        ' "10.0.0.0/8".',
    ),
    "CLIENT_IP_HEADER": (
        _is_header_of_addresses,
        'Give the name of a header that holds addresses alone, such as "X-Forwarded-For" or "CF-Connecting-IP".',
    ),
    "BASE_URL": (
        _is_base_url,
        'Give the address at which the site begins, such as "https://stats.example.com", or None.',
    ),
    "PERSON_FIGURES": (
        _is_rule_of_person_figures,
        'Give "full", "totals", or the number of clicks from which on a person\'s figures are shown, 1 or more.',
    ),
}
"""For each setting a function that validates a value, and a hint for an invalid one."""

_SET_BEHIND_PROXIES = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")


def _wrong_settings(given: dict[str, Any]) -> list[tuple[str, str]]:
    """The names of the settings with an invalid value, with their hints."""
    return [(key, hint) for key, (is_right, hint) in RULES.items() if key in given and not is_right(given[key])]


def _has_wrong_settings() -> bool:
    given = getattr(settings, "STATS_APP", {})
    return not isinstance(given, dict) or bool(_wrong_settings(given))


@register()
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001 to E004: the dict STATS_APP, and USE_TZ."""
    given = getattr(settings, "STATS_APP", {})
    if not isinstance(given, dict):
        return [Error("STATS_APP is not a dict.", id="stats_app.E001")]
    messages: list[CheckMessage] = [
        Error(
            f"STATS_APP has an unknown key {key!r}.", hint=f"The keys are {', '.join(DEFAULTS)}.", id="stats_app.E002"
        )
        for key in given
        if key not in DEFAULTS
    ]
    messages += [
        Error(f"STATS_APP[{key!r}] is {given[key]!r}.", hint=hint, id="stats_app.E003")
        for key, hint in _wrong_settings(given)
    ]
    if not settings.USE_TZ:
        messages.append(
            Error(
                "USE_TZ is off, so times have no zone, and clicks would be counted on wrong days.",
                hint="Set USE_TZ = True.",
                id="stats_app.E004",
            )
        )
    return messages


@register()
def check_client_ip_header(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E007: CLIENT_IP_HEADER contains a single address, and TRUSTED_PROXIES does not list who may send it."""
    if _has_wrong_settings() or proxies.is_chain(conf.client_ip_header):
        return []
    if conf.trusted_proxies and not isinstance(conf.trusted_proxies, int):
        return []
    return [
        Error(
            f"Anyone can send {conf.client_ip_header}, and STATS_APP['TRUSTED_PROXIES'] names no proxy.",
            hint="List the addresses and networks of the proxies that set this header.",
            id="stats_app.E007",
        )
    ]


@register(deploy=True)
def check_proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W003: the site is behind a proxy that is not trusted, so that all visitors seem to have the proxy's address."""
    signs = [name for name in _SET_BEHIND_PROXIES if getattr(settings, name, None)]
    if not signs or _has_wrong_settings() or conf.trusted_proxies:
        return []
    return [
        Warning(
            f"According to {' and '.join(signs)}, the site is behind a proxy, but STATS_APP['TRUSTED_PROXIES'] is not "
            "set, so all visitors seem to have one address.",
            hint="Give the number of proxies that a request passes, or a list of their addresses and networks.",
            id="stats_app.W003",
        )
    ]


@register()
def check_mcp(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W002 and I001: the URLs of MCP are included, but the package for MCP is not installed."""
    if mcp.is_installed() or not getattr(settings, "ROOT_URLCONF", None):
        return []
    included = set(_included(get_resolver()))
    text, hint = f"/mcp is not served: the package {mcp.PACKAGE}, is not installed.", f"Run: {mcp.INSTALL}"
    if f"{mcp.__name__}.urls" in included:
        return [Warning(text, hint=hint, id="stats_app.W002")]
    if "stats_app.urls" in included:
        hint += ' Or, if it is not wanted, add "stats_app.I001" to SILENCED_SYSTEM_CHECKS.'
        return [Info(text, hint=hint, id="stats_app.I001")]
    return []


def _included(resolver: URLResolver) -> Iterator[str]:
    """The names of all included URL modules, at any depth."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield getattr(pattern.urlconf_module, "__name__", "")
            yield from _included(pattern)


@register()
def check_installed_apps(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E006: an app is missing whose templates and translations this app needs."""
    missing = [
        app
        for app in ("rest_framework", "django_filters")
        if app not in settings.INSTALLED_APPS and not any(a.startswith(f"{app}.") for a in settings.INSTALLED_APPS)
    ]
    return [
        Error(f"{app} is not in INSTALLED_APPS.", hint=f'Add "{app}" before "stats_app".', id="stats_app.E006")
        for app in missing
    ]


@register()
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E005: the database for clicks is not supported. Reads only its settings, without a connection."""
    connection = connections[router.db_for_write(Click)]
    if connection.vendor in ("postgresql", "sqlite"):
        return []
    return [
        Error(
            f"Clicks would be stored in {connection.display_name}, which is not supported.",
            hint="Use PostgreSQL, or SQLite on one machine.",
            id="stats_app.E005",
        )
    ]


@register(deploy=True)
def check_connections(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W001 and W004: connections to PostgreSQL that are opened for each request, or kept open but never used again.

    The settings do not say which kind of server runs the project. `ASGI_APPLICATION`, which Channels and Daphne need,
    is a sign of an ASGI server. Without it there is no warning about kept connections.
    """
    aliases = sorted({router.db_for_read(Click), router.db_for_write(Click)})
    is_asgi = bool(getattr(settings, "ASGI_APPLICATION", None))
    return [warning for alias in aliases for warning in _connection_warnings(connections[alias], is_asgi)]


def _connection_warnings(connection: BaseDatabaseWrapper, is_asgi: bool) -> list[CheckMessage]:
    # Django refuses a pool together with a CONN_MAX_AGE other than 0.
    if connection.vendor != "postgresql" or connection.settings_dict["OPTIONS"].get("pool"):
        return []
    if connection.settings_dict["CONN_MAX_AGE"] == 0:
        return [
            Warning(
                f"Each request opens a new connection to the database {connection.alias!r}.",
                hint="Under WSGI set its CONN_MAX_AGE to None, under ASGI OPTIONS['pool'], which needs psycopg_pool.",
                id="stats_app.W001",
            )
        ]
    if is_asgi:
        return [
            Warning(
                f"Under ASGI each request leaves a connection to the database {connection.alias!r} open.",
                hint="Set its CONN_MAX_AGE to 0 and OPTIONS['pool'], which needs psycopg_pool.",
                id="stats_app.W004",
            )
        ]
    return []


NAMED_WORKSPACES = 10
"""The most workspaces that a message names."""


@register(Tags.database)
def check_timezones(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """W005: this machine does not know the time zones of some workspaces. Runs only with `--database`.

    A warning and not an error, because with an error `migrate` would not run, and other workspaces are not affected.
    """
    alias = router.db_for_read(Workspace)
    if alias not in (databases or ()) or not _has_table(connections[alias]):
        return []
    workspaces = Workspace.objects.using(alias)
    names = workspaces.order_by("timezone").values_list("timezone", flat=True).distinct()
    unknown = [name for name in names if not _is_known(name)]
    if not unknown:
        return []
    lost = workspaces.filter(timezone__in=unknown).order_by("pk")
    named = [f"{place.public_id} {printable(place.name)} ({place.timezone})" for place in lost[:NAMED_WORKSPACES]]
    more = lost.count() - len(named)
    return [
        Warning(
            f"This machine does not know the time zone of: {', '.join(named)}{f', and {more} more' if more else ''}.",
            hint="Run: pip install --upgrade tzdata. A name that no machine knows is wrong: change it in the admin, or "
            "by stats_app.rollups.change_timezone.",
            id="stats_app.W005",
        )
    ]


@register(Tags.database)
def check_distribution(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """W006 and W007: on Citus, tables that `distribute` must move, and a setting that delays the repair after a
    crash."""
    alias = router.db_for_write(Click)
    if alias not in (databases or ()) or not _has_table(connections[alias]):
        return []
    messages: list[CheckMessage] = []
    misplaced = distribution.misplaced(alias)
    if misplaced:
        messages.append(
            Warning(
                f"On Citus these tables are not in their places: {', '.join(misplaced)}.",
                hint="Run: python manage.py distribute",
                id="stats_app.W006",
            )
        )
    if distribution.recovers_late(alias):
        messages.append(
            Warning(
                "If a machine crashes while it stores clicks, these may stay missing long after it is back.",
                hint="Run on the coordinator: ALTER SYSTEM SET citus.recover_2pc_interval = '1s', and then SELECT "
                "pg_reload_conf().",
                id="stats_app.W007",
            )
        )
    return messages


@register(Tags.database)
def check_unicode(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """W008: PostgreSQL does not know the letters of all alphabets. Runs only with `--database`."""
    alias = router.db_for_read(Workspace)
    if alias not in (databases or ()) or not is_postgresql(connections[alias]) or has_unicode(connections[alias]):
        return []
    return [
        Warning(
            f"Searches and the order of names follow one locale only, that of the database {alias!r}.",
            hint="Use a database in UTF-8 on a PostgreSQL that was built with ICU; then create the indexes of names "
            "again, as docs/operations.md says.",
            id="stats_app.W008",
        )
    ]


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    """False before the first `migrate`, which runs these checks, too."""
    with connection.cursor() as cursor:
        return Workspace._meta.db_table in connection.introspection.table_names(cursor)


def _is_known(timezone: str) -> bool:
    try:
        validate_timezone(timezone)
    except ValidationError:
        return False
    return True
