"""Where links may lead: addresses of http and https that every browser reads alike. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LENGTH = 2000

# Browsers drop tabs and line breaks, trim spaces and read a backslash as a slash: "http:\\evil.example" would lead
# elsewhere than it seems to.
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")


def is_target(address: str) -> bool:
    """Whether `address` is a whole http or https address with a host, and all browsers read it alike."""
    if len(address) > MAX_LENGTH or _ODD.search(address):
        return False
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # raises for one that is no number
    except ValueError:
        return False
    # After the scheme come exactly two slashes: browsers take any number of them, Python does not.
    begins_well = re.match(r"https?://[^/?#]", address, re.IGNORECASE) is not None
    return begins_well and bool(parts.hostname)
