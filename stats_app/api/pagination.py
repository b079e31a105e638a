"""Pages of the lists: numbered where rows are few, and by cursor for clicks, which may be very many."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from ulid import ULID

from stats_app.api.query import single_values
from stats_app.bodies import Repeated
from stats_app.errors import FieldError, InvalidParameters, shown
from stats_app.keyset import CLICK_KEYS, KeyedPage, Position, keyed_page
from stats_app.models import Click
from stats_app.parameters import whole_number
from stats_app.periods import MAX_DATE, MIN_DATE

MAX_PAGE = 1_000_000

Json = dict[str, Any]


class PageParameter(NamedTuple):
    """A parameter of the pagination: its description and its JSON Schema."""

    description: str
    schema: Json


def _number(description: str, default: int, most: int) -> PageParameter:
    return PageParameter(description, {"type": "integer", "minimum": 1, "maximum": most, "default": default})


class StrictPagination(BasePagination):
    """The base class of the paginations here. A wrong value of one of its `parameters` is an error."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "pageSize"
    parameters: ClassVar[dict[str, PageParameter]]

    def errors(self, query: dict[str, object]) -> list[FieldError]:
        """The errors in the pagination's own parameters."""
        errors = []
        for name in self.parameters:
            try:
                self.value(query, name)
            except InvalidParameters as error:
                errors += error.errors
        return errors

    def value(self, query: dict[str, object], name: str) -> Any:
        """The value of a parameter, or its default. Raises InvalidParameters."""
        value = query.get(name)
        if value is None:
            return self.parameters[name].schema.get("default")
        if isinstance(value, Repeated):
            raise InvalidParameters([value.error(name)])
        return self.parse(name, value)

    def parse(self, name: str, value: object) -> Any:
        """Parses a whole number. Subclasses parse other types. Raises InvalidParameters."""
        schema = self.parameters[name].schema
        number = whole_number(value)
        if number is None:
            raise InvalidParameters(
                [FieldError(name, "invalid", f"{name} must be a whole number, not {shown(value)}.")]
            )
        if not 1 <= number <= schema["maximum"]:
            message = f"{name} must be between 1 and {schema['maximum']}, not {shown(value)}."
            raise InvalidParameters([FieldError(name, "out_of_range", message)])
        return number

    def get_schema_operation_parameters(self, view: Any) -> list[Json]:
        return [
            {"name": name, "in": "query", "required": False, "description": parameter.description, "schema": schema}
            for name, parameter in self.parameters.items()
            for schema in [parameter.schema]
        ]

    def get_paginated_response_schema(self, schema: Json) -> Json:
        links = {"next": _link_schema("after", "last"), "previous": _link_schema("before", "first")}
        return _page_schema(results=schema, **links)


def _page_schema(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _link_schema(side: str, end: str) -> Json:
    return {
        "type": ["string", "null"],
        "format": "uri",
        "description": f"The page {side} this one; null on the {end}.",
    }


class NumberedPages(StrictPagination):
    """`?page=&pageSize=`, with the number of all rows. A page after the last one is empty."""

    page_query_param = "page"
    parameters = {
        page_query_param: _number("The number of the page. A page past the last is empty.", 1, MAX_PAGE),
        StrictPagination.page_size_query_param: _number(
            "Items on a page.", StrictPagination.page_size, StrictPagination.max_page_size
        ),
    }

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        query = single_values(request)
        self.page = self.value(query, self.page_query_param)
        size = self.value(query, self.page_size_query_param)
        self.url = request.build_absolute_uri()
        self.count = queryset.count()
        self.last = max(1, -(-self.count // size))
        first = (self.page - 1) * size
        return list(queryset[first : first + size])

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self.get_next_link(), "previous": self.get_previous_link()}
        return Response({"results": data, **links, "count": self.count})

    def get_next_link(self) -> str | None:
        return self._link(self.page + 1) if self.page < self.last else None

    def get_previous_link(self) -> str | None:
        return self._link(min(self.page - 1, self.last)) if self.page > 1 else None

    def _link(self, page: int) -> str:
        return replace_query_param(self.url, self.page_query_param, page)

    def get_paginated_response_schema(self, schema: Json) -> Json:
        page = super().get_paginated_response_schema(schema)
        count = {"type": "integer", "minimum": 0, "description": "Items on all pages."}
        return _page_schema(**page["properties"], count=count)


class KeyedPages(StrictPagination):
    """`?cursor=&pageSize=` over clicks, newest first. Each click is on exactly one page, even if many clicks have the
    same time and new ones come in.
    """

    cursor_query_param = "cursor"
    parameters = {
        cursor_query_param: PageParameter(
            "Where the page begins: the cursor in next or previous of another page.",
            {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        ),
        StrictPagination.page_size_query_param: NumberedPages.parameters[StrictPagination.page_size_query_param],
    }

    def parse(self, name: str, value: object) -> Any:
        return _position(value) if name == self.cursor_query_param else super().parse(name, value)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        query = single_values(request)
        position: Position | None = self.value(query, self.cursor_query_param)
        self.url = request.build_absolute_uri()
        size = self.value(query, self.page_size_query_param)
        self.page: KeyedPage = keyed_page(queryset, CLICK_KEYS, position, size, whole=view.get_queryset())
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_next_link(self) -> str | None:
        return self._link(self.page.rows[-1], older=True) if self.page.has_older else None

    def get_previous_link(self) -> str | None:
        return self._link(self.page.rows[0], older=False) if self.page.has_newer else None

    def _link(self, click: Click, *, older: bool) -> str:
        """The address of the page that begins after the click, or that ends before it if `older` is false."""
        values = [int(older), click.clicked_at.astimezone(UTC).isoformat(), str(click.id)]
        cursor = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")
        bare = remove_query_param(self.url, self.cursor_query_param)
        return replace_query_param(bare, self.cursor_query_param, cursor)


def _position(cursor: object) -> Position:
    """Decodes a cursor. Raises InvalidParameters."""
    try:
        text = str(cursor)
        older, clicked_at, click_id = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True))
        time = datetime.fromisoformat(clicked_at)
        # There are no clicks outside these years, and near the years 1 and 9999 converting to UTC would overflow.
        if time.utcoffset() is None or not MIN_DATE.year - 1 <= time.year <= MAX_DATE.year + 1:
            raise ValueError(clicked_at)
        time = time.astimezone(UTC)
        return Position(bool(older), (time.date(), time, ULID.from_str(click_id)))
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error, RecursionError):
        message = f"cursor must be the value in next or previous of another page, not {shown(cursor)}."
        raise InvalidParameters([FieldError("cursor", "invalid", message)]) from None
