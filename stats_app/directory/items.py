"""The fields of people and campaigns to save, declared once as DRF serializers, which also validate them.

REST documents them, files use their names as columns, and every surface uses their errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from stats_app import public_ids, targets
from stats_app.bodies import Repeated
from stats_app.emails import EMAIL_LENGTH, is_email
from stats_app.errors import FieldError, printable, shown
from stats_app.parameters import DateParameter, Field, Parameter, Parameters, PublicIdParameter
from stats_app.words import NAME_LENGTH, fold, is_plain, is_visible


class TextParameter(Parameter):
    """Visible text on one line, without the spaces around it."""

    rule = f"must be text of 1 to {NAME_LENGTH} characters, without control characters"
    max_length = NAME_LENGTH
    allow_empty = False

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise self.wrong(data)
        text = data.strip()
        if not (text or self.allow_empty):
            raise self.wrong(data)
        if len(text) > self.max_length:
            raise self.wrong(data, "too_long")
        if not is_plain(text) or (text and not is_visible(text)):
            raise self.wrong(data)
        return text


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": NAME_LENGTH})
class NameParameter(TextParameter):
    """The name of a campaign."""

    example = "Spring launch"


@extend_schema_field({"type": "string", "maxLength": NAME_LENGTH})
class DisplayNameParameter(TextParameter):
    """The name of a person; it may be empty."""

    rule = f"must be text of at most {NAME_LENGTH} characters, without control characters"
    allow_empty = True


@extend_schema_field({"type": "string", "maxLength": NAME_LENGTH})
class ExternalIdParameter(TextParameter):
    """The id of a row in the system it comes from. An empty text means none."""

    rule = f"must be text of at most {NAME_LENGTH} characters, without control characters"
    allow_empty = True

    def to_internal_value(self, data: object) -> Any:
        return super().to_internal_value(data) or None


@extend_schema_field({"type": "string", "format": "idn-email", "maxLength": EMAIL_LENGTH})
class EmailParameter(Parameter):
    """An e-mail, in the form in which it is stored."""

    rule = "must be an e-mail address"
    example = "ada@example.com"

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise self.wrong(data)
        email = fold(data.strip())
        if len(email) > EMAIL_LENGTH:
            raise self.wrong(data, "too_long", f"must have at most {EMAIL_LENGTH} characters")
        if not is_email(email):
            raise self.wrong(data)
        return email


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "idn-email", "maxLength": EMAIL_LENGTH}})
class EmailsParameter(EmailParameter):
    """Several e-mails, sorted, each once."""

    rule = "must be a list of e-mail addresses"

    def to_internal_value(self, data: object) -> Any:
        if not isinstance(data, list | tuple):
            raise self.wrong(data)
        return sorted({EmailParameter.to_internal_value(self, email) for email in data})


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class PeopleParameter(Parameter):
    """Users, each by its public id, its e-mail or one of its aliases."""

    rule = "must be a list of public ids and e-mail addresses of users"

    def to_internal_value(self, data: object) -> list[str]:
        if not isinstance(data, list | tuple):
            raise self.wrong(data)
        return list(dict.fromkeys(map(self._name, data)))

    def _name(self, value: object) -> str:
        if public_ids.is_public_id(value, public_ids.USER):
            return str(value)
        email = fold(value.strip()) if isinstance(value, str) else ""
        if not is_email(email):
            raise self.wrong(value)
        return email


@extend_schema_field({"type": "boolean"})
class FlagParameter(Parameter):
    rule = "must be true or false"

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            raise self.wrong(data)
        return data


@extend_schema_field({"type": "string", "format": "date"})
class DayParameter(DateParameter):
    """A day in a body. Without a pattern, because client generators turn it into a date and drop the pattern."""


# Not the format `uri`, because with it client generators drop the length.
@extend_schema_field({"type": "string", "maxLength": targets.MAX_LENGTH})
class TargetParameter(Parameter):
    rule = "must be a whole http or https address"
    example = "https://www.example.com/"

    def to_internal_value(self, data: object) -> str:
        address = data.strip() if isinstance(data, str) else ""
        if targets.sent_length(address) > targets.MAX_LENGTH:
            raise self.wrong(data, "too_long", targets.LENGTH_RULE)
        if not targets.is_target(address):
            raise self.wrong(data)
        return address


class DirectoryItem(Parameters):
    """A person or a campaign to save. A field that is left out does not change.

    `noun` is the word for it in errors, `keys` are the fields by which an existing row is found, and `needed` are the
    fields that a new row must have.
    """

    noun = ""
    keys: tuple[str, ...] = ("publicId", "externalId")
    needed: tuple[str, ...] = ()


_EXTERNAL_ID = (
    "Its id in the system that it comes from, unique in the workspace. It is found by this id, whatever else has "
    "changed. Null removes the id."
)


class NewUser(DirectoryItem):
    """A user to save. A field that is left out does not change."""

    noun = "user"
    keys = ("publicId", "externalId", "email")
    needed = ("email",)

    publicId = PublicIdParameter(  # JSON names are camelCase
        public_ids.USER,
        required=False,
        allow_null=True,
        help_text="The id of an existing user. Without it, the user is found by externalId, else by email, or created.",
    )
    externalId = ExternalIdParameter(required=False, allow_null=True, help_text=_EXTERNAL_ID)
    email = EmailParameter(required=False, help_text="The user's own e-mail. A new user needs one.")
    displayName = DisplayNameParameter(required=False, help_text="The name that pages and tools show; it may be empty.")
    isActive = FlagParameter(required=False, help_text="By default true.")
    aliases = EmailsParameter(
        required=False,
        help_text="All other e-mails of the user: aliases that are left out are deleted. The own e-mail is no alias.",
    )


class NewCampaign(DirectoryItem):
    """A campaign to save. A field that is left out does not change."""

    noun = "campaign"
    needed = ("name", "targetUrl")

    publicId = PublicIdParameter(
        public_ids.CAMPAIGN,
        required=False,
        allow_null=True,
        help_text="The id of an existing campaign. Without it, the campaign is found by externalId, or created.",
    )
    externalId = ExternalIdParameter(required=False, allow_null=True, help_text=_EXTERNAL_ID)
    name = NameParameter(required=False, help_text="A new campaign needs one.")
    targetUrl = TargetParameter(
        required=False, help_text=f"The target of its links. A new campaign needs one. It {targets.LENGTH_RULE}."
    )
    startDate = DayParameter(required=False, allow_null=True, help_text="The first day; null for none.")
    endDate = DayParameter(required=False, allow_null=True, help_text="The last day, included; null for none.")
    isPaused = FlagParameter(required=False, help_text="By default false.")
    assignedUsers = PeopleParameter(
        required=False,
        help_text="All users who carry it, each by its public id, its e-mail or an alias: users who are left out carry "
        "it no longer.",
    )


@cache
def fields_of(declaration: type[DirectoryItem]) -> dict[str, Field]:
    """The fields of a declaration. Cached, because making them for each item would cost more than validating it."""
    return dict(declaration().fields)


@dataclass(slots=True)
class Checked:
    """An item after its values were validated: the valid values, and the error of the first invalid one.

    `is_readable` is False if it is unknown which row the item is meant for.
    """

    index: int
    values: dict[str, Any] = field(default_factory=dict)
    error: FieldError | None = None
    is_readable: bool = True

    def refuse(self, name: str, code: str, message: str) -> None:
        self.error = FieldError(name, code, f"{name} {message}")


def check(declaration: type[DirectoryItem], index: int, item: object) -> Checked:
    """Validates an item. A `FieldError` in place of an item is an error that the caller has already found in it."""
    if isinstance(item, FieldError):
        return Checked(index, error=item, is_readable=False)
    noun = declaration.noun
    if not isinstance(item, Mapping):
        wrong = FieldError(noun, "invalid", f"{noun} must be an object, not {shown(item)}.")
        return Checked(index, error=wrong, is_readable=False)
    fields = fields_of(declaration)
    checked = Checked(index)
    for name, value in item.items():
        field = fields.get(name)
        error = _unknown(name, declaration) if field is None else _checked(name, field, value, checked.values)
        checked.error = checked.error or error
    if checked.values.get("publicId", "") is None:
        del checked.values["publicId"]
    # An item whose only ids and e-mails are invalid is meant for an existing row, but it is unknown for which one.
    checked.is_readable = any(map(checked.values.get, declaration.keys)) or not any(map(item.get, declaration.keys))
    return checked


def _unknown(name: object, declaration: type[DirectoryItem]) -> FieldError:
    text = printable(str(name))
    names = ", ".join(fields_of(declaration))
    return FieldError(text, "unknown", f"{text} is not a field of a {declaration.noun}; the fields are {names}.")


def _checked(name: str, field: Field, value: Any, values: dict[str, Any]) -> FieldError | None:
    """Validates the value of a field. Adds it to `values`, or returns its error."""
    if isinstance(value, Repeated):
        return value.error(name)
    if value is None:
        if field.allow_null:
            values[name] = None
            return None
        return FieldError(name, "invalid", f"{name} {cast(Parameter, field).rule}, not null; leave it out instead.")
    try:
        values[name] = field.run_validation(value)
    except serializers.ValidationError as error:
        [detail] = cast("list[ErrorDetail]", error.detail)
        return FieldError(name, detail.code or "invalid", str(detail))
    return None


def require(declaration: type[DirectoryItem], checked: Checked) -> bool:
    """Whether the item has all fields that a new row needs. If not, sets its error."""
    fields = fields_of(declaration)
    for name in declaration.needed:
        if name not in checked.values:
            checked.error = cast(Parameter, fields[name]).missing()
            return False
    return True
