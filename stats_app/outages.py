"""Pages while the database cannot be reached: an answer of their own in place of an error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, connections, transaction

from stats_app.database_errors import unavailability

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def with_outage_page(
    view: Callable[Arguments, Answer], outage_page: Callable[[], Answer], *, writes: bool
) -> Callable[Arguments, Answer]:
    """The view, and `outage_page` while the database cannot be reached.

    With ATOMIC_REQUESTS Django would meet the database before the view, outside of any code of ours: a view that
    `writes` opens these transactions itself. One that only reads has none, so that it can read all of one moment.
    """

    @wraps(view)
    def page(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        try:
            return (_in_transactions(view) if writes else view)(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            if unavailability(error) is None:
                raise
            return outage_page()

    for alias in connections:
        page = transaction.non_atomic_requests(alias)(page)
    return page


def _in_transactions(view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """The view in the transactions that the host asked for with ATOMIC_REQUESTS."""
    for alias in connections:
        if connections.settings[alias]["ATOMIC_REQUESTS"]:
            view = transaction.atomic(using=alias)(view)
    return view
