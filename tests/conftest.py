"""What every test shares: tests that need one database are left out on the other.

With STATS_TEST_CITUS=1 the tests run on Citus: DATABASE_URL leads to a server that has the extension, and the tests'
database is laid out as `manage.py distribute` does it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import one_workspace

# Slow machines must not fail a property. A test that suppresses another check must name this one, too.
hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")

CITUS = os.environ.get("STATS_TEST_CITUS") == "1"
SHARDS = 4

# `.ci/run` allows no other reasons for a skipped test on PostgreSQL than "needs SQLite" and "needs Citus".
VENDORS = {"postgres": ("postgresql", "needs PostgreSQL"), "sqlite": ("sqlite3", "needs SQLite")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    engine = settings.DATABASES["default"]["ENGINE"]
    for item in items:
        for marker, (vendor, reason) in VENDORS.items():
            if item.get_closest_marker(marker) and not engine.endswith(vendor):
                item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("citus") and not CITUS:
            item.add_marker(pytest.mark.skip(reason="needs Citus: a server that has it, and STATS_TEST_CITUS=1"))
        if (plain := item.get_closest_marker("plain")) and CITUS:
            item.add_marker(pytest.mark.skip(reason=f"not on Citus: {plain.args[0]}"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    if not CITUS:
        return
    from django.db import connection

    from stats_app.distribution import distribute

    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS citus")
        list(distribute("default", SHARDS))


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Clears caches after each test, because its rows are rolled back, and their primary keys are used again."""
    from stats_app import visitors  # not before Django is set up

    cache.clear()
    visitors._cached = None


@pytest.fixture(autouse=True)
def own_language() -> None:
    """A page in French leaves its thread in French."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def frozen(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stops the clock at `NOW` of the test's module, or at that of `dashboard_cast`."""
    from tests import dashboard_cast  # not before Django is set up

    with time_machine.travel(getattr(request.module, "NOW", dashboard_cast.NOW), tick=False):
        yield


@pytest.fixture
def staff() -> Client:
    """Somebody who may see everything, logged in."""
    from tests.admin_cast import superuser  # not before Django is set up

    return superuser()


one_workspace.watch()


@pytest.fixture(autouse=True)
def each_statement_is_about_one_workspace() -> Iterator[None]:
    one_workspace.faults()
    yield
    assert one_workspace.faults() == []


@pytest.fixture(autouse=True)
def _no_link_is_remembered() -> None:
    from stats_app import known_links  # not before Django is set up

    known_links._known.clear()


@pytest.fixture
def lost(caplog: pytest.LogCaptureFixture) -> Any:
    """The lines of the log of clicks that could not be recorded."""
    caplog.set_level(logging.ERROR, "stats_app.clicks")
    return lambda: [json.loads(record.message) for record in caplog.records if record.name == "stats_app.clicks"]
