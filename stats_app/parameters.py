"""The parameters of the tools, declared once, as DRF serializers.

REST validation, the OpenAPI document and MCP's input schemas all come from these declarations. They are strict: an
invalid value is an error, and so is an undeclared parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from stats_app import public_ids
from stats_app.bodies import Repeated, repeated_keys
from stats_app.errors import FieldError, InvalidParameters, WrongValue, printable, shown
from stats_app.models.campaigns import STATUSES
from stats_app.periods import BREAKDOWNS, DAY_RULE, MAX_DAYS, MIN_DATE, Period, parse_day
from stats_app.words import MAX_WORDS, SEARCH_LENGTH, search_words

# The stubs have four type parameters; the class itself has none.
if TYPE_CHECKING:
    Field = serializers.Field[Any, Any, Any, Any]
else:
    Field = serializers.Field

# Dates from MIN_DATE to MAX_DATE. Only for parameters: answers may contain other dates.
PERIOD_DATE_PATTERN = "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
MAX_FOUND = 10


class Parameter(Field):
    """A field whose errors name it, its rule and the value: `from must be a date as Y-m-d, not "x".`

    `rule` follows the field's name. `example` is a valid value for the error of a missing parameter, unless the rule
    lists the valid values. `no_choice` is a word that means that an optional parameter is not given, on surfaces that
    accept such words.
    """

    rule = "must be something else"
    example = ""
    no_choice = ""

    def wrong(self, value: object, code: str = "invalid", rule: str | None = None) -> serializers.ValidationError:
        return serializers.ValidationError(f"{self.field_name} {rule or self.rule}, not {shown(value)}.", code)

    def missing(self) -> FieldError:
        name = str(self.field_name)
        such_as = f", such as {self.example}" if self.example else ""
        return FieldError(name, "required", f"{name} is required: {self.rule.removeprefix('must be ')}{such_as}.")


@extend_schema_field({"type": "string", "format": "date", "pattern": PERIOD_DATE_PATTERN})
class DateParameter(Parameter):
    """A local date."""

    rule = DAY_RULE
    example = "2026-03-31"

    def to_internal_value(self, data: object) -> date:
        try:
            return parse_day(data)
        except WrongValue as error:
            raise self.wrong(data, error.code, error.rule) from None


class ChoiceParameter(Parameter):
    """One of a few words."""

    def __init__(self, words: tuple[str, ...], *, no_choice: str = "", **kwargs: Any) -> None:
        self.words = words
        self.no_choice = no_choice
        self.rule = f"must be one of {', '.join(words)}"
        super().__init__(**kwargs)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str) or data not in self.words:
            raise self.wrong(data)
        return data


class PublicIdParameter(Parameter):
    """A well-formed public id. The tool checks whether it exists."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        self.rule = public_ids.rule(prefix)
        self.example = public_ids.example(prefix)
        super().__init__(**kwargs)

    def to_internal_value(self, data: object) -> str:
        if not public_ids.is_public_id(data, self.prefix):
            raise self.wrong(data)
        return str(data)


class SearchParameter(Parameter):
    """The words of a search."""

    def to_internal_value(self, data: object) -> list[str]:
        try:
            return search_words(data)
        except WrongValue as error:
            raise self.wrong(data, error.code, error.rule) from None


class CountParameter(Parameter):
    """A whole number from 1 up to a maximum. Digits as a text are accepted, because many clients send only texts."""

    def __init__(self, max_value: int, **kwargs: Any) -> None:
        self.max_value = max_value
        self.rule = f"must be a whole number from 1 to {max_value}"
        self.example = str(max_value)
        super().__init__(**kwargs)

    def to_internal_value(self, data: object) -> int:
        number = whole_number(data)
        if number is None:
            raise self.wrong(data)
        if not 1 <= number <= self.max_value:
            raise self.wrong(data, "out_of_range")
        return number


def whole_number(value: object) -> int | None:
    """The whole number in a JSON value, which may be a text of digits; None for anything else."""
    if isinstance(value, str):
        # 20 digits are more than any maximum has. Python refuses to parse thousands of digits.
        return int(value[:20]) if re.fullmatch("[0-9]+", value) else None
    # In JSON Schema 5.0 is an integer, too. In Python True is an int, but not here.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)


class Parameters(serializers.Serializer[Any]):
    """The parameters of one tool."""

    @classmethod
    def check(cls, values: dict[str, Any]) -> None:
        """Rules over several fields. Raises InvalidParameters."""


class OverviewParameters(Parameters):
    def get_fields(self) -> dict[str, Field]:
        return {
            "from": DateParameter(help_text=f"First day, included: a local date as Y-m-d, from {MIN_DATE} on."),
            "to": DateParameter(
                help_text=f"Last day, included: a local date as Y-m-d, at most {MAX_DAYS} days in all. "
                "It may be in the future; future days count 0."
            ),
            "breakdown": ChoiceParameter(
                ("none", *BREAKDOWNS),
                default="none",
                help_text="The buckets of the chart: day, week (ISO) or month; none for totals alone. Default: none.",
            ),
            "workspacePublicId": PublicIdParameter(
                public_ids.WORKSPACE,
                required=False,
                help_text="Only to check the workspace: any other public id than that of the API key's workspace is an "
                "error. Best left out: the key decides the workspace.",
            ),
        }

    @classmethod
    def check(cls, values: dict[str, Any]) -> None:
        check_period(values["from"], values["to"])


class _OptionalPeriodParameters(Parameters):
    def get_fields(self) -> dict[str, Field]:
        default = "Ignored if given alone: without both dates the period is the last 30 days ending today."
        return {
            "from": DateParameter(
                required=False, help_text=f"First day, included: a local date as Y-m-d, from {MIN_DATE} on. {default}"
            ),
            "to": DateParameter(
                required=False,
                help_text=f"Last day, included: a local date as Y-m-d, at most {MAX_DAYS} days in all. {default}",
            ),
        }

    @classmethod
    def check(cls, values: dict[str, Any]) -> None:
        if "from" in values and "to" in values:
            check_period(values["from"], values["to"])


class CampaignParameters(_OptionalPeriodParameters):
    def get_fields(self) -> dict[str, Field]:
        campaign = PublicIdParameter(
            public_ids.CAMPAIGN,
            help_text="The campaign's public id: cp_ and 26 characters. A name is not an id.",
        )
        return {"campaignPublicId": campaign, **super().get_fields()}


class UserParameters(_OptionalPeriodParameters):
    def get_fields(self) -> dict[str, Field]:
        user = PublicIdParameter(
            public_ids.USER,
            help_text="The user's public id: usr_ and 26 characters. A name or an e-mail is not an id.",
        )
        return {"userPublicId": user, **super().get_fields()}


class CampaignSearchParameters(Parameters):
    query = SearchParameter(
        required=False,
        help_text="Words of the campaign's name, in any order and either case; parts of words count. All of them must "
        "occur, so give only what stands out: spring for our spring campaign. "
        f"At most {SEARCH_LENGTH} characters; of more than {MAX_WORDS} words the {MAX_WORDS} longest count. "
        "Default: every campaign.",
    )
    status = ChoiceParameter(
        STATUSES,
        no_choice="any",
        required=False,
        help_text="Only campaigns with this status as of today in the workspace's time zone: planned (starts later), "
        "running, paused, completed (its last day is over), or any. Default: any.",
    )
    limit = CountParameter(
        MAX_FOUND, default=MAX_FOUND, help_text=f"At most this many campaigns, 1 to {MAX_FOUND}. Default: {MAX_FOUND}."
    )


class UserSearchParameters(Parameters):
    query = SearchParameter(
        required=False,
        help_text="Words of the user's name, e-mail or alias, in any order and either case; parts of words count. All "
        f"of them must occur. At most {SEARCH_LENGTH} characters; of more than {MAX_WORDS} words the {MAX_WORDS} "
        "longest count. Default: every user.",
    )
    limit = CountParameter(
        MAX_FOUND, default=MAX_FOUND, help_text=f"At most this many users, 1 to {MAX_FOUND}. Default: {MAX_FOUND}."
    )


def check_period(start: date, end: date, limit: int | None = MAX_DAYS) -> None:
    """Raises InvalidParameters for a period that ends before it starts, or is too long."""
    if start > end:
        message = f"from {start} is after to {end}; swap them."
        raise InvalidParameters([FieldError("from", "invalid", message)])
    days = Period(start, end).days
    if limit is not None and days > limit:
        message = f"to {end} makes a period of {days} days; the limit is {limit}."
        raise InvalidParameters([FieldError("to", "out_of_range", message)])


@cache
def _fields(parameters: type[Parameters]) -> dict[str, Field]:
    """The fields of a declaration. Cached, because making them costs as much as answering a call."""
    return dict(parameters().fields)


def given(parameters: type[Parameters], arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments without those whose value means that they are not given.

    For callers that cannot leave an argument out. Null means "not given" for every argument; an empty text or a word
    such as `any` means it for an optional one. An undeclared argument stays, and will be an error.
    """
    fields = _fields(parameters)
    return {name: value for name, value in arguments.items() if name not in fields or _is_given(fields[name], value)}


def _is_given(field: Field, value: object) -> bool:
    if value is None or field.required:
        return value is not None
    return value not in ("", cast(Parameter, field).no_choice)


def validate(parameters: type[Parameters], arguments: Mapping[str, object]) -> dict[str, Any]:
    """The validated values, with defaults. Raises InvalidParameters with every wrong field."""
    fields = _fields(parameters)
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, field in fields.items():
        value = arguments.get(name, empty)
        if isinstance(value, Repeated):
            errors.append(value.error(name))
            continue
        try:
            values[name] = field.run_validation(value)
        except serializers.SkipField:
            pass
        except serializers.ValidationError as error:
            errors.append(_field_error(name, field, error))
        errors.extend(repeated_keys(value))
    errors.extend(unknown_parameter(name, fields) for name in arguments if name not in fields)
    if errors:
        raise InvalidParameters(errors)
    parameters.check(values)
    return values


def unknown_parameter(name: str, known: Iterable[str]) -> FieldError:
    names = list(known)
    match names:
        case []:
            others = "there are none"
        case [one]:
            others = f"the only one is {one}"
        case _:
            others = f"the parameters are {', '.join(names)}"
    return FieldError(printable(name), "unknown", f"{shown(name)} is not a parameter; {others}.")


def _field_error(name: str, field: Field, error: serializers.ValidationError) -> FieldError:
    """The error of a parameter. DRF's text for a missing one is replaced by ours."""
    [detail] = cast("list[ErrorDetail]", error.detail)
    if detail.code in ("required", "null"):
        return cast(Parameter, field).missing()
    return FieldError(name, detail.code or "invalid", str(detail))
