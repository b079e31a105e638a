"""Allowed targets of links: http and https addresses that all browsers read in the same way. Pure functions."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LENGTH = 2000

# Browsers remove tabs and line breaks, trim spaces and read a backslash as a slash, so that "http:\\evil.example" leads
# to another host than Python finds in it.
# Lone surrogates cannot be stored or sent.
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]")


def is_target(address: str) -> bool:
    """Whether `address` is a full http or https address with a host, which all browsers read in the same way."""
    if len(address) > MAX_LENGTH or _ODD.search(address):
        return False
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # raises ValueError for an invalid port
    except ValueError:
        return False
    # Exactly two slashes after the scheme, because browsers accept any number of them, and Python does not.
    begins_well = re.match(r"https?://[^/?#]", address, re.IGNORECASE) is not None
    return begins_well and bool(parts.hostname)
