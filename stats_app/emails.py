"""What an e-mail is. Pure: models, forms, the API, files and clicks all ask here."""

from __future__ import annotations

import re
import unicodedata

from django.core import validators
from django.core.exceptions import ValidationError

from stats_app.words import FILLERS, fold

EMAIL_LENGTH = 254
"""The most characters of an e-mail."""

# Matches most e-mails. Django's own check takes ten times as long; it decides only about the others.
_PLAIN_EMAIL = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}")
_LONGEST_LABEL = 63
# Words of some languages need joiners between letters, in domains too.
_JOINERS = re.compile(r"(?<=[^\x00-\x7f\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
# Marks and letters that nobody can see, besides the characters that Python does not call printable.
_INVISIBLE = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef" + "".join(FILLERS) + "]"
)


def is_email(text: str) -> bool:
    """Whether the text is an e-mail, once it is folded (`words.fold`), as e-mails are stored.

    It may have letters, digits and marks of every script on both sides of the @ (RFC 6531). All other rules are those
    of Django.
    """
    if len(text) <= _LONGEST_LABEL and _PLAIN_EMAIL.fullmatch(text):
        return True
    text = _JOINERS.sub("", fold(text))
    # With characters that nobody can see, it would not be the e-mail that it looks like.
    if not text.isprintable() or _INVISIBLE.search(text) or _begins_with_mark(text):
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
    """Whether a part of the e-mail begins with a mark, which has no letter to stand on."""
    return any(part and unicodedata.category(part[0])[0] == "M" for part in re.split("[.@]", text))


def validate_email(text: str) -> None:
    """Refuses what is no e-mail, with Django's message."""
    if not is_email(text):
        raise ValidationError(validators.EmailValidator.message, code="invalid", params={"value": text})
