"""The mail server by which staff are told what waits, from one address: smtp://user:password@host:587."""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Encryption(StrEnum):
    TLS = "tls"  # from the first byte
    STARTTLS = "starttls"
    NONE = "none"  # to this very machine alone


@dataclass(frozen=True, kw_only=True)
class MailServer:
    host: str
    port: int
    encryption: Encryption
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def read_mail_server(text: str) -> MailServer | None:
    """None for an empty one. Raises ValueError with what is wrong, as the end of a sentence."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as problem:
        raise ValueError("has a port that is no number") from problem
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or not text.isprintable() or " " in text:
        raise ValueError("must begin with smtp:// or smtps:// and name a host")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end with the host or its port")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must have both a user and a password, or neither")
    return MailServer(
        host=parts.hostname,
        port=port or {"smtp": 587, "smtps": 465}[parts.scheme],
        encryption=_encryption(parts.scheme, parts.hostname),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def read_mail_address(text: str) -> str | None:
    """None for an empty one. Raises ValueError."""
    local, at, domain = text.rpartition("@")
    if not text:
        return None
    if not (text.isascii() and text.isprintable() and at and local and domain) or set(text) & set(' <>,;:"()[]\\'):
        raise ValueError("must be one plain address such as sessions@example.org")
    return text


def _encryption(scheme: str, host: str) -> Encryption:
    """A server on this machine has no certificate that anybody could check, and nobody listens on the way to it."""
    if scheme == "smtps":
        return Encryption.TLS
    return Encryption.NONE if _is_loopback(host) else Encryption.STARTTLS


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
