"""Model fields that keep clicks small: a ULID in 16 bytes, a choice in 2."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from ulid import ULID

# Crockford's digits, either case, to those of Python's own base 32, so that `int` can do the work.
_TO_BASE_32 = str.maketrans(
    "0123456789abcdefghjkmnpqrstvwxyzABCDEFGHJKMNPQRSTVWXYZ",
    "0123456789abcdefghijklmnopqrstuvabcdefghijklmnopqrstuv",
)


def ulid_bytes(text: str) -> bytes:
    """The 16 bytes of a ULID in 26 ASCII characters of either case.

    The caller has checked the characters; python-ulid's own parser costs ten times as much, on the path of each click.
    """
    return int(text.translate(_TO_BASE_32), 32).to_bytes(16, "big")


class UlidField(models.Field):  # type: ignore[type-arg]  # takes none at run time
    """A ULID: `ulid.ULID` in Python, `uuid` in PostgreSQL, 16 bytes elsewhere. Takes text of either case, too."""

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


class CodeField(models.SmallIntegerField):  # type: ignore[type-arg]  # takes none at run time
    """A word out of a fixed few: text in Python, its number of 2 bytes in the database.

    `codes` maps each word to its number; numbers are never reused, since rows hold them.
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

    # The number is checked by the choices; the validators of integers would compare a word with a number.
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
            raise ValueError(f"{self.name} is one of {', '.join(self.codes)}, not {value!r}.") from None
