"""Fixtures for tests with separate processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.concurrency.test_writers import Writers


@pytest.fixture
def postgres() -> Iterator[Writers]:
    """Writers to the database of the tests."""
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    writers = Writers({name: connection.settings_dict[name] for name in names})
    yield writers
    writers.close()
