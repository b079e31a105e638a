"""What an e-mail is. Pure: models, forms, the API, files and clicks all ask here."""

from __future__ import annotations

import re
import unicodedata

from django.core import validators
from django.core.exceptions import ValidationError

from stats_app.words import fold

EMAIL_LENGTH = 254
"""The most characters of an e-mail."""

# Most of them. Django's own look takes ten times as long, and has the last word on all others.
_PLAIN_EMAIL = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}")
_LONGEST_LABEL = 63
# Words of some languages need these invisible characters, in domains too.
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))


def is_email(text: str) -> bool:
    """Whether the text is an e-mail, once it is folded (`words.fold`), as e-mails are stored.

    It may have letters, digits and marks of every script on both sides of the @ (RFC 6531). All other rules are those
    of Django.
    """
    if len(text) <= _LONGEST_LABEL and _PLAIN_EMAIL.fullmatch(text):
        return True
    text = fold(text)
    # Without characters that nobody can see: an address that has them is not the one that it looks like.
    if not text.translate(_JOINERS).isprintable() or (not text.isascii() and _begins_with_mark(text)):
        return False
    try:
        validators.validate_email(text if text.startswith('"') else _in_ascii(text))
    except ValidationError:
        return False
    return True


def _in_ascii(text: str) -> str:
    """The text with an x for each letter, digit and mark beyond ASCII, which Django does not know before the @."""
    return "".join("x" if not c.isascii() and unicodedata.category(c)[0] in "LMN" else c for c in text)


def _begins_with_mark(text: str) -> bool:
    """Whether a part before the @ begins with a mark, which has no letter to stand on."""
    parts = text.partition("@")[0].split(".")
    return any(part and unicodedata.category(part[0])[0] == "M" for part in parts)


def validate_email(text: str) -> None:
    """Refuses what is no e-mail, with Django's message."""
    if not is_email(text):
        raise ValidationError(validators.EmailValidator.message, code="invalid", params={"value": text})
