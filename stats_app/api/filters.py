"""The filters of the lists, declared with django-filter. Strict: an unknown filter or a wrong value is an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from stats_app import person_figures, public_ids
from stats_app.api.query import body_errors, single_values
from stats_app.bodies import Repeated
from stats_app.dimensions import KINDS, VERDICTS
from stats_app.errors import FieldError, InvalidParameters, SingleClicksOff, WrongValue, shown
from stats_app.local_days import clicks_in_days
from stats_app.models import Campaign, Click, TrackedLink, Workspace, WorkspaceUser
from stats_app.models.campaigns import STATUSES
from stats_app.parameters import PERIOD_DATE_PATTERN, check_period, unknown_parameter
from stats_app.periods import MAX_DATE, MIN_DATE, parse_day
from stats_app.sql.words import Alphabetical
from stats_app.words import PLAIN_PATTERN, SEARCH_LENGTH, search_words


class _StrictField(forms.Field):
    """A form field whose error messages continue the field's name: "must be a date". Refuses empty values."""

    rule = "must be something else"
    # The schema of a valid value, for the OpenAPI document.
    schema: dict[str, Any] = {"type": "string"}
    empty_values = (None,)  # so that an empty text is validated, and refused

    def wrong(self, code: str = "invalid", rule: str | None = None) -> ValidationError:
        return ValidationError(rule or self.rule, code=code)


class _WordField(_StrictField):
    def __init__(self, *, words: Iterable[str], **kwargs: Any) -> None:
        self.words = tuple(words)
        self.rule = f"must be one of {', '.join(self.words)}"
        self.schema = {"type": "string", "enum": list(self.words)}
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        if value is not None and value not in self.words:
            raise self.wrong()
        return value


class _PublicIdField(_StrictField):
    def __init__(self, *, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        self.rule = public_ids.rule(prefix)
        self.schema = {"type": "string", "pattern": public_ids.pattern(prefix)}
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        if value is not None and not public_ids.is_public_id(value, self.prefix):
            raise self.wrong()
        return value


class _DateField(_StrictField):
    schema = {"type": "string", "format": "date", "pattern": PERIOD_DATE_PATTERN}

    def clean(self, value: Any) -> date | None:
        if value is None:
            return None
        try:
            return parse_day(value)
        except WrongValue as error:
            raise self.wrong(error.code, error.rule) from None


class _SearchField(_StrictField):
    """The words of a search."""

    schema = {"type": "string", "maxLength": SEARCH_LENGTH, "pattern": PLAIN_PATTERN}

    def clean(self, value: Any) -> list[str] | None:
        try:
            return None if value is None else search_words(value)
        except WrongValue as error:
            raise self.wrong(error.code, error.rule) from None


class WordFilter(django_filters.Filter):
    """Takes one of a few words."""

    field_class = _WordField


class PublicIdFilter(django_filters.Filter):
    """Rows that refer to the row with this public id. Finds none for a row of another workspace."""

    field_class = _PublicIdField


class DateFilter(django_filters.Filter):
    field_class = _DateField


class SearchFilter(django_filters.Filter):
    field_class = _SearchField


class OrderingFilter(django_filters.Filter):
    """Sorts by one field, descending with `-` before its name, and then by primary key, so that pages never overlap."""

    field_class = _WordField

    def __init__(self, fields: dict[str, F | Alphabetical], **kwargs: Any) -> None:
        self.fields = fields
        super().__init__(words=(*fields, *(f"-{name}" for name in fields)), **kwargs)

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        field = self.fields[value.removeprefix("-")]
        return queryset.order_by(field.desc(), "-pk") if value.startswith("-") else queryset.order_by(field, "pk")


class StrictFilterSet(django_filters.FilterSet):
    """A list's filters over the rows of one workspace, at the time `now`."""

    def __init__(
        self, data: dict[str, object], queryset: QuerySet[Any], *, request: Request, workspace: Workspace, now: datetime
    ) -> None:
        self.workspace = workspace
        self.now = now
        super().__init__(data, queryset, request=request)


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter for views with a `filterset_class`. A parameter that neither filters nor paginates is an error."""

    def get_filterset_kwargs(self, request: Request, queryset: QuerySet[Any], view: Any) -> dict[str, Any]:
        single = {name: value for name, value in single_values(request).items() if not isinstance(value, Repeated)}
        workspace = view.caller.workspace
        return {"data": single, "queryset": queryset, "request": request, "workspace": workspace, "now": view.now}

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows asked for. Raises InvalidParameters with everything that is wrong in the query."""
        filterset = self.get_filterset(request, queryset, view)
        errors = [*_wrong(filterset), *_misplaced(filterset, view, single_values(request)), *body_errors(request)]
        if errors:
            raise InvalidParameters(errors)
        rows: QuerySet[Any] = filterset.qs
        return rows


def _wrong(filterset: StrictFilterSet) -> Iterator[FieldError]:
    for name, errors in filterset.form.errors.as_data().items():
        for error in errors:
            message = f"{name} {error.message}, not {shown(filterset.data[name])}."
            yield FieldError(name, error.code or "invalid", message)


def _misplaced(filterset: StrictFilterSet, view: Any, query: dict[str, object]) -> Iterator[FieldError]:
    """Repeated filters, unknown parameters, and errors in the parameters of the pagination."""
    known = [*filterset.filters, *view.paginator.parameters]
    for name, value in query.items():
        if name in filterset.filters and isinstance(value, Repeated):
            yield value.error(name)
    for name in query:
        if name not in known:
            yield unknown_parameter(name, known)
    yield from view.paginator.errors(query)


class CampaignFilter(StrictFilterSet):
    search = SearchFilter(method="with_words", help_text="Words, or parts of words, of the name, in any order.")
    status = WordFilter(words=STATUSES, method="with_status", help_text="As of today in the workspace's time zone.")
    userPublicId = PublicIdFilter(  # JSON names are camelCase
        prefix=public_ids.USER, field_name="assigned_users__public_id", help_text="Campaigns that this user carries."
    )
    ordering = OrderingFilter(
        {"name": Alphabetical("name"), "createdAt": F("created_at")}, help_text="Default: -createdAt."
    )

    class Meta:
        model = Campaign
        fields: list[str] = []

    def with_words(self, queryset: Any, name: str, value: list[str]) -> Any:
        return queryset.named(value)

    def with_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.with_status(value, self.workspace.today(self.now))


class UserFilter(StrictFilterSet):
    search = SearchFilter(
        method="known_as", help_text="Words, or parts of words, of the name, the e-mail or an alias, in any order."
    )
    isActive = WordFilter(words=("true", "false"), method="with_activity", help_text="Active users, or the others.")
    campaignPublicId = PublicIdFilter(
        prefix=public_ids.CAMPAIGN, field_name="campaigns__public_id", help_text="Users who carry this campaign."
    )
    ordering = OrderingFilter(
        {"name": Alphabetical("display_name"), "createdAt": F("created_at")}, help_text="Default: -createdAt."
    )

    class Meta:
        model = WorkspaceUser
        fields: list[str] = []

    def known_as(self, queryset: Any, name: str, value: list[str]) -> QuerySet[Any]:
        users: QuerySet[Any] = queryset.known_as(value, self.workspace.pk)
        return users

    def with_activity(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(is_active=value == "true")


class ClickFilter(StrictFilterSet):
    kind = WordFilter(words=KINDS, help_text="What was clicked.")
    verdict = WordFilter(words=VERDICTS, help_text="Who clicked; only human clicks are counted.")
    campaignPublicId = PublicIdFilter(
        prefix=public_ids.CAMPAIGN, method="of_campaign", help_text="Clicks on this campaign."
    )
    userPublicId = PublicIdFilter(
        prefix=public_ids.USER,
        method="of_user",
        help_text="Clicks in the signature of this user; an error if the server does not show whose each click was.",
    )

    class Meta:
        model = Click
        fields: list[str] = []

    def of_campaign(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(campaign=_number_of(Campaign, self.workspace, value))

    def of_user(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if not person_figures.are_all_shown():
            raise SingleClicksOff
        return queryset.filter(user=_number_of(WorkspaceUser, self.workspace, value))

    def in_period(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """Applies both ends at once. Called for each end that is given; applying it twice changes nothing."""
        start = self.form.cleaned_data["from"] or MIN_DATE
        end = self.form.cleaned_data["to"] or MAX_DATE
        check_period(start, end, limit=None)
        return clicks_in_days(queryset, self.workspace.zone, start, end)


# Declared here, because `from` is a keyword of Python, so it cannot be the name of an attribute.
ClickFilter.base_filters |= {
    "from": DateFilter(method="in_period", help_text="First day, included, in the workspace's time zone."),
    "to": DateFilter(method="in_period", help_text="Last day, included, in the workspace's time zone."),
}


class LinkFilter(StrictFilterSet):
    kind = WordFilter(words=KINDS, help_text="The kind of click that following the link counts as.")
    campaignPublicId = PublicIdFilter(
        prefix=public_ids.CAMPAIGN, field_name="campaign__public_id", help_text="Links of this campaign."
    )
    userPublicId = PublicIdFilter(
        prefix=public_ids.USER, field_name="user__public_id", help_text="Links for the signature of this user."
    )

    class Meta:
        model = TrackedLink
        fields: list[str] = []


def _number_of(model: Any, workspace: Workspace, public_id: str) -> int:
    """The primary key of the workspace's row with this public id. If there is none: 0, which is the key of no row."""
    return model.objects.filter(workspace=workspace, public_id=public_id).values_list("pk", flat=True).first() or 0
