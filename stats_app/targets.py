"""Allowed targets of links: http and https addresses that all browsers read in the same way. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from django.utils.encoding import iri_to_uri

MAX_LENGTH = 2000
"""The most characters of a target as it is sent (`sent_length`). Web servers and proxies refuse longer addresses."""
LENGTH_RULE = f"must have at most {MAX_LENGTH} characters as it is sent, with é as %C3%A9"
"""Follows the name of the field."""

# Browsers remove tabs and line breaks, trim spaces and read a backslash as a slash, so that "http:\\evil.example" leads
# to another host than Python finds in it.
# Lone surrogates cannot be stored or sent.
_ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]")

# Names and IPv4 addresses as nearly all targets have them. A dot at the end is allowed: it makes a name absolute.
_PLAIN_HOST = re.compile(r"(?:[a-z0-9_][a-z0-9_-]*\.)*[a-z0-9_][a-z0-9_-]*\.?")
# Browsers read the dots of Chinese and Japanese as dots, too.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
# What no host may contain, also when escaped: https://url.spec.whatwg.org/#forbidden-domain-code-point
_NOT_IN_HOSTS = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")


def is_target(address: str) -> bool:
    """Whether `address` is a full http or https address with a host, which all browsers read in the same way.

    Its length as it is sent is not tested, because links with a longer target may be stored.
    """
    if len(address) > MAX_LENGTH or _ODD.search(address):
        return False
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # raises ValueError for an invalid port
    except ValueError:
        return False
    # Exactly two slashes after the scheme, because browsers accept any number of them, and Python does not.
    begins_well = re.match(r"https?://[^/?#]", address, re.IGNORECASE) is not None
    return begins_well and _is_host(parts.hostname or "")


def sent_length(address: str) -> int:
    """The number of characters in the `Location` of a redirect, where escapes replace those that are not ASCII. Of an
    address that is too long anyway, only the length before this is counted, because replacing takes time."""
    if len(address) > MAX_LENGTH:
        return len(address)
    return len(iri_to_uri(address.encode(errors="replace").decode()))


def _is_host(host: str) -> bool:
    """Whether browsers find a host in it: a name without empty parts, or an IP address.

    `urlsplit` has checked addresses in brackets, and only in these is a colon left.
    """
    if _PLAIN_HOST.fullmatch(host) or ":" in host:
        return True
    host = unquote(host)
    parts = _DOTS.split(host)
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return not _NOT_IN_HOSTS.search(host) and all(map(_is_name, parts))


def _is_name(part: str) -> bool:
    """Whether a part of a host has anything but hyphens and what cannot be seen. Emoji are allowed."""
    return any(unicodedata.category(letter)[0] in "LN" or letter == "_" or _is_symbol(letter) for letter in part)


def _is_symbol(letter: str) -> bool:
    return not letter.isascii() and unicodedata.category(letter)[0] == "S"
