"""System checks: a wrong setting is found when the project starts, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections, router
from django.utils.module_loading import import_string

from stats_app.conf import DEFAULTS
from stats_app.limits import MAX_LIMIT
from stats_app.models import Click

LIMITS = ("RATE_LIMIT", "LIST_RATE_LIMIT", "INGEST_RATE_LIMIT")
FLAGS = ("PREPARED_STATEMENTS",)


@register()
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001 to E004: the dict STATS_APP, and USE_TZ."""
    given = getattr(settings, "STATS_APP", {})
    if not isinstance(given, dict):
        return [Error("STATS_APP is not a dict.", id="stats_app.E001")]
    found: list[CheckMessage] = [
        Error(f"STATS_APP has an unknown key {key!r}.", hint=f"There are {', '.join(DEFAULTS)}.", id="stats_app.E002")
        for key in given
        if key not in DEFAULTS
    ]
    for key, value in given.items():
        if key in LIMITS and value is not None and not _is_limit(value):
            found.append(
                Error(
                    f"STATS_APP[{key!r}] is {value!r}.",
                    hint=f"Give a number of calls a minute from 1 to {MAX_LIMIT}, or None for no limit.",
                    id="stats_app.E003",
                )
            )
        if key in FLAGS and not isinstance(value, bool):
            found.append(Error(f"STATS_APP[{key!r}] is {value!r}.", hint="Give True or False.", id="stats_app.E003"))
    path = given.get("WORKSPACES_FOR")
    if path is not None and not _is_callable_path(path):
        found.append(
            Error(
                f"STATS_APP['WORKSPACES_FOR'] is {path!r}.",
                hint="Give the dotted path of a function (user) -> queryset of Workspace, or None.",
                id="stats_app.E003",
            )
        )
    if not settings.USE_TZ:
        found.append(
            Error(
                "USE_TZ is off, so that times have no zone and clicks would fall on wrong days.",
                hint="Set USE_TZ = True.",
                id="stats_app.E004",
            )
        )
    return found


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_LIMIT


def _is_callable_path(path: object) -> bool:
    try:
        return isinstance(path, str) and callable(import_string(path))
    except ImportError:
        return False


@register()
def check_installed_apps(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E006: the apps whose templates and translations ours builds on."""
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
    """E005: the database that clicks are written to. Looks at its settings and does not connect."""
    connection = connections[router.db_for_write(Click)]
    if connection.vendor in ("postgresql", "sqlite"):
        return []
    return [
        Error(
            f"Clicks would be stored in {connection.display_name}, which is not supported.",
            hint="Use PostgreSQL, or SQLite for one machine and up to some millions of clicks.",
            id="stats_app.E005",
        )
    ]


@register(deploy=True)
def check_persistent_connections(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W001: a new connection for each request costs several times what the answer costs."""
    connection = connections[router.db_for_read(Click)]
    pooled = connection.settings_dict["OPTIONS"].get("pool")
    if connection.vendor != "postgresql" or pooled or connection.settings_dict["CONN_MAX_AGE"] != 0:
        return []
    return [
        Warning(
            "Each request opens a new connection to PostgreSQL.",
            hint=f"Set CONN_MAX_AGE to None, or OPTIONS['pool'], for the database {connection.alias!r}.",
            id="stats_app.W001",
        )
    ]
