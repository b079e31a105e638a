"""Showing names of campaigns, users and workspaces in any script."""

from __future__ import annotations

import unicodedata

from django.utils.html import format_html
from django.utils.safestring import SafeString

from stats_app.words import is_visible

# The bidirectional classes of letters that are written from right to left, and of Arabic digits.
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})

# Characters that turn or isolate text would end the isolation of a name, and these separators would end its line.
_FOR_ONE_LINE = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]) | dict.fromkeys([0x2028, 0x2029], " ")

_JOINED_OR_SPACE = " \u200d"


def visible_name(name: str, public_id: str) -> str:
    """The name, or the public id if the name is invisible."""
    return name if is_visible(name) else public_id


def name_html(name: str, public_id: str) -> SafeString:
    """The visible name, with the text direction of its own letters, isolated from the text around it."""
    return format_html('<bdi dir="auto">{}</bdi>', visible_name(name, public_id))


def short_name(name: str, public_id: str, length: int) -> str:
    """The visible name, cut to this length, isolated from the text around it as `bdi` does. For plain text."""
    shown = visible_name(name, public_id).translate(_FOR_ONE_LINE)
    if len(shown) > length:
        # A joiner at the end would have nothing to join any more.
        shown = f"{shown[: length - 1].rstrip(_JOINED_OR_SPACE)}…"
    return _isolated(shown)


def plain_name(name: str, public_id: str) -> str:
    """The visible name for the plain text of mails. If it is written from right to left, it is isolated from the text
    around it, so that it moves no number; all other mails contain no invisible characters."""
    shown = visible_name(name, public_id).translate(_FOR_ONE_LINE)
    return _isolated(shown) if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in shown) else shown


def _isolated(text: str) -> str:
    return f"\u2068{text}\u2069"
