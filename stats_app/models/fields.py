"""Model fields for names and e-mails, and compact ones for clicks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from stats_app.emails import EMAIL_LENGTH, validate_email
from stats_app.words import NAME_LENGTH, fold, is_plain, is_visible

# The stubs have type parameters for setting and getting; the class itself has none.
if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

# Maps Crockford's digits, upper and lower case, to the digits of Python's `int(text, 32)`, which is fast.
_TO_BASE_32 = bytes.maketrans(
    b"0123456789abcdefghjkmnpqrstvwxyzABCDEFGHJKMNPQRSTVWXYZ",
    b"0123456789abcdefghijklmnopqrstuvabcdefghijklmnopqrstuv",
)


def validate_plain(text: str) -> None:
    """Refuses control characters, including tabs and line breaks, and lone surrogates."""
    if not is_plain(text):
        raise ValidationError(_("Enter text without control characters."), code="invalid")


def validate_visible(text: str) -> None:
    """Refuses text that cannot be seen, such as a single zero-width space."""
    if not is_visible(text):
        raise ValidationError(_("Enter text with visible characters."), code="invalid")


class NameField(_CharField):
    """A name that people read and search for: visible text on one line, of at most 200 characters."""

    default_validators = [validate_plain, validate_visible]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", NAME_LENGTH)
        super().__init__(*args, **kwargs)


class ExternalIdField(models.CharField):  # type: ignore[type-arg]  # has type arguments in the stubs only
    """The id of a row in the external directory that it comes from, or null if there is none."""

    default_validators = [validate_plain]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs = {"max_length": 200, "null": True, "blank": True} | kwargs
        super().__init__(*args, **kwargs)

    def get_prep_value(self, value: Any) -> Any:
        # Stored as NULL, because a second row with an empty text would violate the unique constraint.
        return super().get_prep_value(value) or None


class FoldedEmailField(_CharField):
    """An e-mail, stored, compared and looked up in the folded form of `words.fold`.

    Values are folded when they are saved, updated, filtered by or entered in forms. So the database's unique
    constraints and indexes ignore case in every alphabet.

    It is not Django's EmailField, which knows only ASCII letters before the @, and whose forms browsers check by the
    same rule.
    """

    default_validators = [validate_email]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", EMAIL_LENGTH)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        field: Any = super().formfield(**kwargs)
        field.widget.attrs |= {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        return field

    def to_python(self, value: Any) -> Any:
        # Django also calls this for stored values and for values to filter by.
        return _folded(super().to_python(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = _folded(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


def _folded(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


@FoldedEmailField.register_lookup
class FoldedExact(Exact):
    """`iexact` of an e-mail: the same as `exact`, with the same index."""

    lookup_name = "iexact"


def is_row_number(text: str) -> bool:
    """Whether the text can be the primary key of a row. SQLite raises an error for a number with more digits."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def ulid_bytes(text: str) -> bytes:
    """The 16 bytes of a ULID in 26 ASCII characters of either case.

    The caller must have checked the characters. Used for each click, because python-ulid's parser takes ten times as
    long. Bytes are translated several times as fast as text.
    """
    return int(text.encode().translate(_TO_BASE_32), 32).to_bytes(16, "big")


class UlidField(models.Field):  # type: ignore[type-arg]  # has type arguments in the stubs only
    """A ULID: `ulid.ULID` in Python, `uuid` in PostgreSQL, 16 bytes elsewhere. Also accepts text in any case."""

    description = _("ULID")
    empty_strings_allowed = False

    def db_type(self, connection: Any) -> str:
        return "uuid" if connection.vendor == "postgresql" else "blob"

    def get_internal_type(self) -> str:
        return "UlidField"

    def to_python(self, value: Any) -> ULID | None:
        if value is None or isinstance(value, ULID):
            return value
        try:
            if isinstance(value, uuid.UUID):
                return ULID.from_uuid(value)
            if isinstance(value, bytes | memoryview):
                return ULID.from_bytes(bytes(value))
            return ULID.from_str(str(value).upper())
        except ValueError as error:
            raise ValidationError(_("“%(value)s” is not a ULID."), code="invalid", params={"value": value}) from error

    def from_db_value(self, value: Any, expression: object, connection: object) -> ULID | None:
        return self.to_python(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        ulid = self.to_python(value)
        if ulid is None:
            return None
        return ulid.to_uuid() if connection.vendor == "postgresql" else ulid.bytes

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj)).lower()


class CodeField(models.SmallIntegerField):  # type: ignore[type-arg]  # has type arguments in the stubs only
    """One of a few fixed words: text in Python, a number of 2 bytes in the database.

    `codes` maps each word to its number. Numbers are never reused, because old rows still have them.
    """

    def __init__(self, *args: Any, codes: Mapping[str, int], **kwargs: Any) -> None:
        self.codes = dict(codes)
        self.words = {code: word for word, code in self.codes.items()}
        kwargs.setdefault("choices", [(word, word) for word in self.codes])
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs["codes"] = self.codes
        return name, path, args, kwargs

    # The value is checked by the choices. The validators of an integer field would compare a word with a number.
    validators: Any = ()

    def to_python(self, value: Any) -> str | None:
        if isinstance(value, int):
            return self.words.get(value)
        return None if value is None else str(value)

    def from_db_value(self, value: int | None, expression: object, connection: object) -> str | None:
        return None if value is None else self.words[value]

    def get_prep_value(self, value: Any) -> int | None:
        if value is None or isinstance(value, int):
            return value
        try:
            return self.codes[value]
        except KeyError:
            raise ValueError(f"{self.name} must be one of {', '.join(self.codes)}, not {value!r}.") from None
