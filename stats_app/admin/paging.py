"""The change lists: searching and sorting by `stats_app.words`, and keyset pagination for clicks and tool calls."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import DateField, DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode

from stats_app.errors import WrongValue
from stats_app.keyset import Position, keyed_page
from stats_app.models.fields import NameField
from stats_app.sql.words import Alphabetical
from stats_app.words import search_words

BEFORE = "before"
AFTER = "after"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def validate_search(text: str) -> None:
    try:
        search_words(text)
    except WrongValue as error:
        raise ValidationError(error.message, code=error.code) from None


class SearchForm(ChangeListSearchForm):
    """Validates the search. Django shows the errors above the list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR].validators = [validate_search]


class NamedChangeList(ChangeList):
    """A list of rows with names, sorted and searched by `stats_app.words`."""

    search_form_class = SearchForm

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        asked = request.GET.get(SEARCH_VAR, "")
        # Django ignores an invalid search, and would show all rows.
        is_wrong = bool(asked) and not self.query
        self.query = asked
        return queryset.none() if is_wrong else queryset

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        names = {field.name for field in self.lookup_opts.fields if isinstance(field, NameField)}
        return [
            _alphabetical(column) if isinstance(column, str) and column.removeprefix("-") in names else column
            for column in super().get_ordering(request, queryset)
        ]


def _alphabetical(column: str) -> Any:
    return Alphabetical(column[1:]).desc() if column.startswith("-") else Alphabetical(column)


class KeyedChangeList(NamedChangeList):
    """Keyset pagination: a page begins at a row, by `?before=KEY` or `?after=KEY`.

    Each row is on exactly one page, even if many rows have the same time and new ones come in. The admin's `keys` are
    the columns to sort by; together they are unique.
    """

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        filters: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in filters.items() if name not in (BEFORE, AFTER)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        return super().get_query_string(new_params, [*(remove or []), BEFORE, AFTER])

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return [f"-{key}" for key in self._keys]

    def get_results(self, request: HttpRequest) -> None:
        position = self._position(request)
        whole = self.apply_select_related(self.whole(request))
        rows, has_older, has_newer = keyed_page(self.queryset, self._keys, position, self.list_per_page, whole=whole)
        self.older_query = self._page_query(BEFORE, rows[-1]) if has_older else None
        self.newer_query = self._page_query(AFTER, rows[0]) if has_newer else None
        self.first_query = self.get_query_string() if position is not None else None
        self.kept = kept_parameters(request, SEARCH_VAR)
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = self.show_admin_actions = False
        self.show_all = self.can_show_all = self.multi_page = False
        self.paginator = Paginator(rows, self.list_per_page)

    def whole(self, request: HttpRequest) -> QuerySet[Any]:
        """The list without filters."""
        rows: QuerySet[Any] = self.root_queryset
        return rows

    @property
    def _keys(self) -> tuple[str, ...]:
        keys: tuple[str, ...] = self.model_admin.keys  # type: ignore[attr-defined]  # a KeyedAdmin has them
        return keys

    def _position(self, request: HttpRequest) -> Position | None:
        older = AFTER not in request.GET
        text = request.GET.get(BEFORE if older else AFTER)
        return None if text is None else Position(older, self._decoded(text))

    def _page_query(self, name: str, row: Any) -> str:
        position = "-".join(_encoded(getattr(row, key)) for key in self._keys)
        return f"{self.get_query_string()}&{urlencode({name: position})}".replace("?&", "?")

    def _decoded(self, position: str) -> list[Any]:
        texts = position.split("-")
        try:
            return [self._value(key, text) for key, text in zip(self._keys, texts, strict=True)]
        except (ValueError, OverflowError, ValidationError) as error:
            raise IncorrectLookupParameters(error) from error

    def _value(self, key: str, text: str) -> Any:
        field = self.model._meta.get_field(key)
        if isinstance(field, DateTimeField):
            return _EPOCH + timedelta(microseconds=int(text))
        if isinstance(field, DateField):
            return (_EPOCH + timedelta(days=int(text))).date()
        return field.to_python(text)  # type: ignore[union-attr]  # a key is never a relation, which lacks the method


def kept_parameters(request: HttpRequest, *without: str) -> list[tuple[str, str]]:
    """The parameters of the address that a form of the list must keep. Without the position, so that the form leads to
    the first page."""
    gone = {*without, BEFORE, AFTER, ERROR_FLAG}
    return [(name, value) for name, values in request.GET.lists() if name not in gone for value in values]


def _encoded(value: Any) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    if isinstance(value, date):
        return str((value - _EPOCH.date()).days)
    return str(value)
