"""How texts are compared, and what may be searched for. Pure: no database.

`stats_app.sql.words` makes the database compare by the same rule.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from stats_app.errors import WrongValue

NAME_LENGTH = 200
"""Characters of a name."""
MAX_WORDS = 10
"""Of more words the longest are looked for: they find the fewest rows, and each word costs a look at those."""
SEARCH_LENGTH = 254
"""Characters of a search: as many as an e-mail may have, which is longer than a name."""

# Lone surrogates are no characters, though Python's texts can hold them; databases refuse them, and most refuse NUL.
PLAIN_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"
"""Text without control characters, for JSON Schemas."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
# From this combining class on, marks stand above, below or across a letter; lower ones are vowels and the like.
_ACCENTS = 200
# Letters and a pattern of Braille that are drawn as nothing.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def fold(text: str) -> str:
    """The text without the differences of case and Unicode form (NFKC and case folding). Folding again changes nothing.

    Two texts are the same to a reader who does not look at case when their folds are equal: `É`, `é` and `e` with a
    combining accent, `STRASSE` and `straße`, full-width letters and plain ones.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def search_key(text: str) -> str:
    """What a search compares: the fold, with the dotted and the dotless i as one letter, as Turkish writes its case."""
    key = fold(text)
    return key if key.isascii() else key.replace("ı", "i").replace("i\u0307", "i")


def alphabetical_key(text: str) -> str:
    """What a list in the order of names compares: the search key without accents, so that É stands with E."""
    key = search_key(text)
    if key.isascii():
        return key
    return "".join(c for c in unicodedata.normalize("NFKD", key) if unicodedata.combining(c) < _ACCENTS)


def is_plain(text: str) -> bool:
    """Whether it has no control characters (tabs and line breaks are some) and no lone surrogates."""
    return _CONTROL.search(text) is None


def is_visible(text: str) -> bool:
    """Whether there is anything to see: not only spaces, joiners, marks and other characters without a shape."""
    return any(unicodedata.category(c) not in _INVISIBLE_CATEGORIES and c not in _FILLERS for c in text)


def search_words(text: object) -> list[str]:
    """The words to look for: all of them have to be found, in any order. None are found in everything.

    These are words of the text, so that what is searched for by its own name is found however many words it has.
    Raises WrongValue for more than `SEARCH_LENGTH` characters, and for what is not plain text.
    """
    if not isinstance(text, str) or not is_plain(text):
        raise WrongValue(
            "invalid", "is text without control characters", _("Search for text without control characters.")
        )
    if len(text) > SEARCH_LENGTH:
        raise WrongValue(
            "too_long",
            f"has at most {SEARCH_LENGTH} characters",
            _("Search for at most %(most)s characters.") % {"most": SEARCH_LENGTH},
        )
    words = dict.fromkeys(text.split())
    return sorted(words, key=len, reverse=True)[:MAX_WORDS]
