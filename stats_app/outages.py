"""A special page while the database cannot be reached, in place of an error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from django.db import connections, transaction

from stats_app.database_errors import DATABASE_ERRORS, unavailability

READING = ("GET", "HEAD", "OPTIONS", "TRACE")


class Asked(Protocol):
    """The attributes of a request that are needed here."""

    method: str | None


Request = TypeVar("Request", bound=Asked)
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
View = Callable[Concatenate[Request, Arguments], Answer]


def with_outage_page(
    view: View[Request, Arguments, Answer], outage_page: Callable[[], Answer]
) -> View[Request, Arguments, Answer]:
    """The view, which returns `outage_page` while the database cannot be reached.

    With ATOMIC_REQUESTS Django would begin a transaction before it calls the view, so we could not catch its error.
    Therefore these transactions are begun here. Requests that only read get none, because a snapshot cannot begin
    inside of one.
    """

    @wraps(view)
    def page(request: Request, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        asked = view if request.method in READING else _in_transactions(view)
        try:
            return asked(request, *args, **kwargs)
        except DATABASE_ERRORS as error:
            if unavailability(error) is None:
                raise
            return outage_page()

    return without_transaction(page)


def without_transaction(view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """The view without the transactions of the host's ATOMIC_REQUESTS, in all databases. What it stores, such as rate
    limits and rows of the audit log, is kept when its answer fails. And Django would begin these transactions before
    the view is called, so that the view could not answer 503 while a database is down."""
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    return view


def _in_transactions(view: View[Request, Arguments, Answer]) -> View[Request, Arguments, Answer]:
    """The view in the transactions that the host's ATOMIC_REQUESTS asks for."""
    for alias in connections:
        if connections.settings[alias]["ATOMIC_REQUESTS"]:
            view = transaction.atomic(using=alias)(view)
    return view
