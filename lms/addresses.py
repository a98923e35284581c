"""Which network addresses we call, and the one look-up of a name before we do.

No private or reserved address, unless the operator lists its network. Every way to write an address (decimal, octal,
with a zone, inside IPv6, behind a name) ends here as what the resolver makes of it, so only that is judged.
"""

import queue
import socket
import threading
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from AntiSSRF import IPAddressRanges

Network = IPv4Network | IPv6Network
IPAddress = IPv4Address | IPv6Address
MayCall = Callable[[IPAddress], bool]
Target = tuple[socket.AddressFamily, Any]  # the address as its family's sockets take it

# Of IPv6 only this is given out; what is outside embeds IPv4 (::10.0.0.1, NAT64), is private, or is nobody's:
# https://www.iana.org/assignments/ipv6-address-space
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_RESERVED = tuple(ip_network(network) for network in IPAddressRanges.recommended_latest)


class PrivateAddress(Exception):
    """One of the addresses of a name is private or reserved: we do not call it."""


class UnknownName(Exception):
    """The resolver finds no address for a name."""


def public_or_listed(allowed: Iterable[Network]) -> MayCall:
    """May an address be called: because all the world can, or because the operator listed its network."""
    listed = tuple(allowed)

    def may_call(address: IPAddress) -> bool:
        return any(address in network for network in listed) or _is_public(address)

    return may_call


def is_loopback(address: IPAddress) -> bool:
    return address.is_loopback


def look_up(host: str, port: int, *, may_call: MayCall, within_s: float) -> list[Target]:
    """All addresses of `host`, in the resolver's order; each may be called. Connect to these and do not ask again:
    the second answer can be another.

    Raises UnknownName, PrivateAddress (even if only one of several is private), TimeoutError.
    """
    targets = [(family, address) for family, _, _, _, address in _resolve(host, port, within_s=within_s)]
    if not targets:
        raise UnknownName
    if not all(may_call(_plain(address[0])) for _, address in targets):
        raise PrivateAddress
    return targets


def _is_public(address: IPAddress) -> bool:
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _RESERVED)


def _plain(text: str) -> IPAddress:
    """IPv4 inside IPv6 (::ffff:10.0.0.1) is reached as IPv4, and judged so."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _resolve(host: str, port: int, *, within_s: float) -> list[Any]:
    """getaddrinfo knows no time limit, and a hostile name server answers slowly; so it is asked in a thread that can be
    left behind (the system's resolver gives up after a while)."""
    answers: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError):  # ValueError: also for what cannot be a name (too long, a NUL)
            answers.put(None)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = answers.get(timeout=max(0.0, within_s))
    except queue.Empty:
        raise TimeoutError from None
    if found is None:
        raise UnknownName
    return found
