"""How texts are compared, and what may be searched for. Pure: no database.

`stats_app.sql.words` makes the database compare by the same rule.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from stats_app.errors import WrongValue

NAME_LENGTH = 200
"""The most characters of a name."""
MAX_WORDS = 10
"""The most words of a search, because each costs time. Of more words only the longest are used, which match the fewest
rows."""
SEARCH_LENGTH = 254
"""The most characters of a search: the length of the longest e-mail. Names are shorter."""

# Python's texts can contain lone surrogates, which are not characters. Databases refuse them, and most refuse NUL.
PLAIN_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"
"""Text without control characters, for JSON Schemas."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
# Marks with this combining class or a higher one are accents. Lower ones are vowel signs and the like.
_ACCENTS = 200
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters, and a Braille pattern, that are invisible."""


def fold(text: str) -> str:
    """The text without differences of case and Unicode form (NFKC and case folding). Folding again changes nothing.

    Texts that only differ by these have the same fold: `É`, `é` and `e` with a combining accent, `STRASSE` and
    `straße`, full-width and normal letters.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def search_key(text: str) -> str:
    """The form that searches compare: the fold, with dotted and dotless i as one letter, for Turkish."""
    key = fold(text)
    return key if key.isascii() else key.replace("ı", "i").replace("i\u0307", "i")


def alphabetical_key(text: str) -> str:
    """The form that lists sort by: the search key without accents, so that É sorts with E."""
    key = search_key(text)
    if key.isascii():
        return key
    return "".join(c for c in unicodedata.normalize("NFKD", key) if unicodedata.combining(c) < _ACCENTS)


def is_plain(text: str) -> bool:
    """Whether the text has no control characters (including tabs and line breaks) and no lone surrogates."""
    return _CONTROL.search(text) is None


def is_visible(text: str) -> bool:
    """Whether the text has a visible character: not only spaces, joiners, marks and the like."""
    return any(unicodedata.category(c) not in _INVISIBLE_CATEGORIES and c not in FILLERS for c in text)


def search_words(text: object) -> list[str]:
    """The words to search for. A row must contain all of them, in any order; without words every row matches.

    Of a text with more than `MAX_WORDS` words only some are used, so that even a name with many words finds its row.
    Raises WrongValue for more than `SEARCH_LENGTH` characters, and for text that is not plain.
    """
    if not isinstance(text, str) or not is_plain(text):
        raise WrongValue(
            "invalid", "must be text without control characters", _("Search for text without control characters.")
        )
    if len(text) > SEARCH_LENGTH:
        raise WrongValue(
            "too_long",
            f"must have at most {SEARCH_LENGTH} characters",
            _("Search for at most %(most)s characters.") % {"most": SEARCH_LENGTH},
        )
    words = dict.fromkeys(text.split())
    return sorted(words, key=len, reverse=True)[:MAX_WORDS]
