"""Which address a request came from, for the one limit that goes by address: the sign-in of staff."""

import ipaddress
from collections.abc import Sequence

from config.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPV6_SITE_BITS = 64  # one customer has at least so many addresses: https://www.rfc-editor.org/rfc/rfc6177#section-2


def client_address(remote: str | None, forwarded_for: str, trusted_proxies: Sequence[Network]) -> str:
    """The address nearest to us that is no trusted proxy's; of IPv6 its network.

    `remote` is the connection's. Each proxy appends whom it was asked by, so X-Forwarded-For is read from its end, and
    only as far as trusted ones wrote it: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
    """
    found = _address(remote or "")
    if found is None:
        return "unknown"
    for text in reversed(forwarded_for.split(",")):
        if not any(found in network for network in trusted_proxies):
            break
        if (before := _address(text)) is None:
            break
        found = before
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, IPV6_SITE_BITS), strict=False))
    return str(found)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
