"""Pages of lists that may be long: the number of rows is counted up to a cap, and clicks and tool calls not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode

from stats_app.errors import WrongValue
from stats_app.keyset import Position, keyed_page
from stats_app.models.fields import NameField
from stats_app.sql.words import Alphabetical
from stats_app.words import search_words

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

CAP = 1_000

BEFORE = "before"
AFTER = "after"
_KEY = "-a-key-of-stats-tools-"  # holds the place of a row's key in an address
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CappedPaginator(_Paginator):
    """Counts no more than `CAP` rows. What lies beyond is found by search and filters, not by paging."""

    @cached_property
    def count(self) -> int:
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        return self.object_list.order_by().values("pk")[:CAP].count()

    @property
    def capped(self) -> bool:
        return self.count >= CAP


class SearchForm(ChangeListSearchForm):
    """Django's, which leaves it to the list to say what cannot be searched for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR].validators = []


class ListedChangeList(ChangeList):
    """A list whose admin adds what only the list shows, such as counts, in `listed(queryset)`."""

    search_form_class = SearchForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django would resolve the address of each row's form, and what it carries along of the list, row by row.
        address = self.model_admin.address("change", _KEY)  # type: ignore[attr-defined]  # a ScopedAdmin
        kept: dict[str, Any] = {"preserved_filters": self.preserved_filters, "opts": self.opts}
        self._before_key, _, self._after_key = add_preserved_filters(kept, address).partition(_KEY)
        self.preserved_filters = ""
        self._say_wrong_search(kwargs.get("request") or args[0])

    def _say_wrong_search(self, request: HttpRequest) -> None:
        """Why nothing was found: `ScopedAdmin.get_search_results` cannot say it, for autocompletes call it, too."""
        try:
            search_words(self.query)
        except WrongValue as error:
            messages.error(request, error.message)

    def url_for_result(self, result: Any) -> str:
        return f"{self._before_key}{quote(self.key_of(result))}{self._after_key}"

    def key_of(self, row: Any) -> Any:
        """What names the row in the address of its form."""
        return row.pk

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        listed: QuerySet[Any] = self.model_admin.listed(queryset)  # type: ignore[attr-defined]  # a ScopedAdmin
        return listed

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """By the columns that were chosen, and then by number in the direction of the last of them: the order of the
        indexes, either way. Django would go on with the default order."""
        ordering: list[Any] = super().get_ordering(request, queryset)
        chosen = ordering[: -len(queryset.query.order_by)] if self.params.get(ORDER_VAR) else []
        if chosen:
            ordering = [*chosen, "-pk" if chosen[-1].startswith("-") else "pk"]
        return [self._alphabetical(column) for column in ordering]

    def _alphabetical(self, column: str) -> Any:
        """A column of names in the order of the alphabet, any other as it is."""
        name = column.removeprefix("-")
        if name == "pk" or not isinstance(self.lookup_opts.get_field(name), NameField):
            return column
        return Alphabetical(name).desc() if column.startswith("-") else Alphabetical(name)


class KeyedChangeList(ListedChangeList):
    """Newest first, a page at a time from one row on, without a count: `?before=KEY` and `?after=KEY`.

    Each row stands on one page, however many share a time, also while new ones come in. The admin says in
    `keys(request)` which columns make the order; together they are unique.
    """

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (BEFORE, AFTER)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        return super().get_query_string(new_params, [*(remove or []), BEFORE, AFTER])

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return [f"-{key}" for key in self._keys(request)]

    def get_results(self, request: HttpRequest) -> None:
        keys = self._keys(request)
        position = self._position(request, keys)
        rows, has_older, has_newer = keyed_page(self.queryset, keys, position, self.list_per_page)
        self.older_query = self._page_query(BEFORE, keys, rows[-1]) if has_older else None
        self.newer_query = self._page_query(AFTER, keys, rows[0]) if has_newer else None
        self.kept = kept_parameters(request, SEARCH_VAR)
        self.first_query = self.get_query_string() if position is not None else None
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.show_all = self.can_show_all = self.multi_page = False
        self.paginator = CappedPaginator(rows, self.list_per_page)

    def _keys(self, request: HttpRequest) -> tuple[str, ...]:
        keys: tuple[str, ...] = self.model_admin.keys(request)  # type: ignore[attr-defined]  # a KeyedAdmin
        return keys

    def _position(self, request: HttpRequest, keys: tuple[str, ...]) -> Position | None:
        older = AFTER not in request.GET
        text = request.GET.get(BEFORE if older else AFTER)
        return None if text is None else Position(older, self._decoded(keys, text))

    def _page_query(self, name: str, keys: tuple[str, ...], row: Any) -> str:
        position = "-".join(_encoded(getattr(row, key)) for key in keys)
        return f"{self.get_query_string()}&{urlencode({name: position})}".replace("?&", "?")

    def _decoded(self, keys: tuple[str, ...], position: str) -> list[Any]:
        texts = position.split("-")
        try:
            return [self._value(key, text) for key, text in zip(keys, texts, strict=True)]
        except (ValueError, OverflowError, ValidationError) as error:
            raise IncorrectLookupParameters(error) from error

    def _value(self, key: str, text: str) -> Any:
        field = self.model._meta.get_field(key)
        if field.get_internal_type() == "DateTimeField":
            return _EPOCH + timedelta(microseconds=int(text))
        if field.get_internal_type() == "DateField":
            return (_EPOCH + timedelta(days=int(text))).date()
        return field.to_python(text)  # type: ignore[union-attr]  # no relation is a key


def kept_parameters(request: HttpRequest, *without: str) -> list[tuple[str, str]]:
    """The parameters of the address that a form of a list carries along. The position is left out: it begins anew."""
    gone = {*without, BEFORE, AFTER, ERROR_FLAG}
    return [(name, value) for name, values in request.GET.lists() if name not in gone for value in values]


def _encoded(value: Any) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    if hasattr(value, "toordinal"):
        return str(value.toordinal() - _EPOCH.toordinal())
    return str(value)
