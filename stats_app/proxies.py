"""The address of a visitor behind the proxies that the settings trust.

Anyone can send the header that proxies write. So only the entries of trusted proxies are read. If the header does not
match the settings, the address of the connection is used.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from stats_app.conf import conf

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_FOR = "X-Forwarded-For"

logger = logging.getLogger(__name__)

# "[2001:db8::1]:443", "192.0.2.1:443", and an IPv6 address without a port, each with or without a zone.
_WITH_PORT = re.compile(r"\[([^\[\]]+)\](?::\d{1,5})?|([^:\[\]]+):\d{1,5}|([^\[\]]+)")


def client_address(remote_addr: str, header: str | None) -> Address | None:
    """The visitor's address, from the address of the connection and the value of the header CLIENT_IP_HEADER.

    None if neither contains one, as on a Unix socket without a trusted proxy.
    """
    peer = parse_address(remote_addr)
    trusted = conf.trusted_proxies
    if not header:
        return peer
    if not trusted:
        _warn_of(conf.client_ip_header)
        return peer
    if isinstance(trusted, int):
        forwarded = _behind_hops(header, trusted) if is_chain(conf.client_ip_header) else None
    elif peer is None or not _is_in(peer, networks(tuple(trusted))):
        forwarded = None
    elif is_chain(conf.client_ip_header):
        forwarded = _behind_networks(header, networks(tuple(trusted)))
    else:
        forwarded = parse_address(header)
    return forwarded or peer


def parse_address(text: str) -> Address | None:
    """The address in `text`, without port, brackets and zone. An IPv4 address inside IPv6 becomes IPv4. None if it is
    not an address."""
    match = _WITH_PORT.fullmatch(text.strip())
    if match is None:
        return None
    try:
        address = ip_address((match[1] or match[2] or match[3]).partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=8)
def networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    """The parsed networks. Raises ValueError if one is neither an address nor a network such as 10.0.0.0/8."""
    return tuple(map(ip_network, trusted))


def is_chain(header: str) -> bool:
    """Whether each proxy appends an address to this header, and does not replace the header."""
    return header.lower() == FORWARDED_FOR.lower()


def _behind_hops(header: str, hops: int) -> Address | None:
    """The address that the first of `hops` proxies saw. Each has appended one entry; a visitor may have sent others."""
    entries = header.rsplit(",", hops)[-hops:]
    addresses = [parse_address(entry) for entry in entries]
    return addresses[0] if len(addresses) == hops and all(addresses) else None


def _behind_networks(header: str, trusted: Sequence[Network]) -> Address | None:
    """The last entry that is not a trusted proxy. If all entries are, the first one, because that proxy itself made the
    request."""
    address = None
    for entry in reversed(header.split(",")):
        address = parse_address(entry)
        if address is None or not _is_in(address, trusted):
            break
    return address


def _is_in(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


@cache
def _warn_of(header: str) -> None:
    """Warns once for each process, because the warning would be the same for each click."""
    logger.warning(
        "A request for a link came with the header %s, and no proxy is trusted. If the site is behind a proxy, all its"
        " visitors seem to have one address: set STATS_APP['TRUSTED_PROXIES']. If not, the visitor's program sent it.",
        header,
    )
