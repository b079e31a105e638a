"""How much SQLite has to do for something, whatever the machine: in steps of its virtual machine."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

_GRAIN = 50


def steps_of_sqlite(act: Callable[[], object]) -> int:
    connection.ensure_connection()
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    connection.connection.set_progress_handler(count, _GRAIN)
    try:
        act()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted * _GRAIN
