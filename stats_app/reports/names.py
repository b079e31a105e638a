"""Showing names of campaigns, users and workspaces in any script."""

from __future__ import annotations

import unicodedata

from django.utils.html import format_html
from django.utils.safestring import SafeString

# Control and format characters and all kinds of spaces.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
# Other invisible characters: Hangul and Khmer fillers, the blank Braille pattern, the grapheme joiner and variation
# selectors.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)

# The bidirectional classes of letters written from right to left, of Arabic digits, and of what turns text that way.
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})

_JOINED_OR_SPACE = " \u200d"


def visible_name(name: str, public_id: str) -> str:
    """The name, or the public id if the name is invisible."""
    is_seen = any(c not in _UNSEEN and unicodedata.category(c) not in _UNSEEN_CATEGORIES for c in name)
    return name if is_seen else public_id


def name_html(name: str, public_id: str) -> SafeString:
    """The visible name, with the text direction of its own letters, isolated from the text around it."""
    return format_html('<bdi dir="auto">{}</bdi>', visible_name(name, public_id))


def short_name(name: str, public_id: str, length: int) -> str:
    """The visible name, cut to this length, isolated from the text around it as `bdi` does. For plain text."""
    shown = visible_name(name, public_id)
    if len(shown) > length:
        # A joiner at the end would have nothing to join any more.
        shown = f"{shown[: length - 1].rstrip(_JOINED_OR_SPACE)}…"
    return _isolated(shown)


def plain_name(name: str, public_id: str) -> str:
    """The visible name for the plain text of mails. If it is written from right to left, it is isolated from the text
    around it, so that it moves no number; all other mails contain no invisible characters."""
    shown = visible_name(name, public_id)
    return _isolated(shown) if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in shown) else shown


def _isolated(text: str) -> str:
    return f"\u2068{text}\u2069"
