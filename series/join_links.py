"""Where the meetings of a series may be: what a join link says of its host, and which hosts are allowed.

Browsers and Python do not read every address alike (https://url.spec.whatwg.org/#host-parsing), so only such addresses
are taken whose host both read the same: plain ASCII letters, digits, hyphens and dots, and no name or password before.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.settings import is_loopback_host

CALENDAR = "calendar"  # who has changed a link, where no person has
MAX_JOIN_URL_CHARS = 2_000
MAX_JOIN_HOSTS = 30
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_PASTED = re.compile(r"(?:https?://)?(?:\*?\.)?([^/?#\s]+?)\.?(?:[/?#]\S*)?", re.IGNORECASE)


class NotAJoinHost(Exception):
    """Something in a list of hosts is none; the message is one sentence for a person."""


@dataclass(frozen=True, kw_only=True)
class JoinPlaces:
    """Where meetings may be. `hosts`: as read_join_hosts gives them; none: anywhere. `in_development`: http to this
    very machine is taken, too."""

    hosts: tuple[str, ...] = ()
    in_development: bool = False

    def allow(self, url: str) -> bool:
        place = place_of(url, in_development=self.in_development)
        return place is not None and (not self.hosts or any(_covers(host, place) for host in self.hosts))


def place_of(url: str, *, in_development: bool = False) -> str | None:
    """The host of a link, with its port where that is not https's own; None for what is no plain https address."""
    if not url.isprintable() or " " in url or "\\" in url or len(url) > MAX_JOIN_URL_CHARS:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    is_taken = parts.scheme == "https" or (parts.scheme == "http" and in_development and is_loopback_host(host))
    if not is_taken or "@" in parts.netloc or not _NAME.fullmatch(host):
        return None
    return host if port in (None, 443) else f"{host}:{port}"


def host_in(url: str | None) -> str | None:
    """What is kept of a link, whatever it is: its host, and never the link, which may be a key."""
    if not url:
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return (place_of(url) or "".join(sign for sign in host or "" if sign.isprintable()) or "?")[:255]


def read_join_hosts(typed: Iterable[str]) -> tuple[str, ...]:
    """As they are compared: small letters, without what was pasted along. Raises NotAJoinHost."""
    hosts = list(dict.fromkeys(_read(one) for one in typed if one.strip(" ,;")))
    if len(hosts) > MAX_JOIN_HOSTS:
        raise NotAJoinHost(f"At most {MAX_JOIN_HOSTS} hosts can be listed.")
    return tuple(hosts)


def _read(typed: str) -> str:
    pasted = _PASTED.fullmatch(typed.strip(" ,;").lower())
    name, _, port = (pasted[1] if pasted else "").partition(":")
    if not _NAME.fullmatch(name) or not (port == "" or re.fullmatch(r"[1-9][0-9]{0,4}", port, re.ASCII)):
        raise NotAJoinHost(f"“{typed.strip()[:80]}” is not the name of a host. Write it like this: bbb.uni.example")
    if "." not in name and name != "localhost":
        raise NotAJoinHost(f"“{name}” would allow far too much. Write the whole domain, like this: zoom.us")
    return name if port in ("", "443") else f"{name}:{port}"


def _covers(listed: str, place: str) -> bool:
    """A listed domain covers its subdomains; a port is another server, and is listed with its name."""
    (name, _, port), (host, _, its_port) = listed.partition(":"), place.partition(":")
    return port == its_port and (host == name or host.endswith(f".{name}"))
