"""Pages of the lists: by number where rows are few, by key for clicks, of which there is no end."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param
from ulid import ULID

from stats_app.errors import FieldError, InvalidParameters, shown
from stats_app.keyset import CLICK_KEYS, Position, keyed_page
from stats_app.models import Click
from stats_app.parameters import Repeated, repeated_parameter
from stats_app.periods import MAX_DATE, MIN_DATE

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_PAGE = 1_000_000

_NUMBER = re.compile("[0-9]{1,18}")

Json = dict[str, Any]

_PAGE_SIZE_SCHEMA: Json = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}


class NumberedPages:
    """`?page=&pageSize=`, with the count of all rows. A page past the last is empty."""

    # By name: what it is, and its JSON Schema.
    parameters: ClassVar[dict[str, tuple[str, Json]]] = {
        "page": (
            "The number of the page. A page past the last is empty.",
            {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
        ),
        "pageSize": ("Items on a page.", _PAGE_SIZE_SCHEMA),
    }

    def __init__(self, query: dict[str, object]) -> None:
        self.page = _whole_number(query, "page", 1, MAX_PAGE)
        self.size = _whole_number(query, "pageSize", PAGE_SIZE, MAX_PAGE_SIZE)

    def page_of(self, queryset: QuerySet[Any], request: Request) -> tuple[Iterable[Any], Json]:
        """The page's rows, and `count`, `next` and `previous`."""
        count = queryset.count()
        last = max(1, -(-count // self.size))
        first = (self.page - 1) * self.size
        url = request.build_absolute_uri()
        return queryset[first : first + self.size], {
            "next": replace_query_param(url, "page", self.page + 1) if self.page < last else None,
            "previous": replace_query_param(url, "page", min(self.page - 1, last)) if self.page > 1 else None,
            "count": count,
        }


class KeyedPages:
    """`?cursor=&pageSize=` over clicks, newest first. Each click stands on exactly one page, however many share a time,
    also while new ones come in.
    """

    parameters: ClassVar[dict[str, tuple[str, Json]]] = {
        "cursor": (
            "Where the page begins: taken from next or previous of a page before.",
            {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        ),
        "pageSize": ("Items on a page.", _PAGE_SIZE_SCHEMA),
    }

    def __init__(self, query: dict[str, object]) -> None:
        self.size = _whole_number(query, "pageSize", PAGE_SIZE, MAX_PAGE_SIZE)
        self.position = _position(query.get("cursor"))

    def page_of(self, queryset: QuerySet[Any], request: Request) -> tuple[Sequence[Any], Json]:
        """The page's clicks, and `next` and `previous`."""
        rows, has_older, has_newer = keyed_page(queryset, CLICK_KEYS, self.position, self.size)
        url = request.build_absolute_uri()
        return rows, {
            "next": _link(url, rows[-1], older=True) if has_older else None,
            "previous": _link(url, rows[0], older=False) if has_newer else None,
        }


def _link(url: str, click: Click, *, older: bool) -> str:
    """The address of the page just after the click, or with `older` false just before it."""
    values = [int(older), click.clicked_at.astimezone(UTC).isoformat(), str(click.id)]
    cursor = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")
    return replace_query_param(remove_query_param(url, "cursor"), "cursor", cursor)


def _position(cursor: object) -> Position | None:
    if cursor is None:
        return None
    _refuse_repeated("cursor", cursor)
    try:
        text = str(cursor)
        older, clicked_at, click_id = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True))
        moment = datetime.fromisoformat(clicked_at)
        # No click lies beyond, and near the years 1 and 9999 the time in UTC would overflow.
        if moment.utcoffset() is None or not MIN_DATE.year - 1 <= moment.year <= MAX_DATE.year + 1:
            raise ValueError(clicked_at)
        moment = moment.astimezone(UTC)
        return Position(bool(older), (moment.date(), moment, ULID.from_str(click_id)))
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error, RecursionError):
        message = f"cursor is taken from next or previous of a page before, not {shown(cursor)}."
        raise InvalidParameters([FieldError("cursor", "invalid", message)]) from None


def _whole_number(query: dict[str, object], name: str, default: int, most: int) -> int:
    value = query.get(name)
    if value is None:
        return default
    _refuse_repeated(name, value)
    if not _NUMBER.fullmatch(str(value)):
        raise InvalidParameters([FieldError(name, "invalid", f"{name} is a whole number, not {shown(value)}.")])
    number = int(str(value))
    if not 1 <= number <= most:
        message = f"{name} lies between 1 and {most}, not {shown(value)}."
        raise InvalidParameters([FieldError(name, "out_of_range", message)])
    return number


def _refuse_repeated(name: str, value: object) -> None:
    if isinstance(value, Repeated):
        raise InvalidParameters([repeated_parameter(name, value)])
