"""Seal small values so that only we can make them, for a limited time.

Signed with HMAC-SHA256, with the time of sealing inside. Whoever holds a sealed value can read it, so nothing secret
goes in. A key is derived for each purpose, so that a value sealed for one is worthless for another.
https://www.rfc-editor.org/rfc/rfc2104
"""

import base64
import hmac
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from series.proofs import prove

CLOCKS_DIFFER_S = 60  # of two machines that serve the same tool
TIME_BYTES = 8  # seconds since 1970, before the value

T = TypeVar("T", bound=msgspec.Struct)


class SealBroken(Exception):
    """Not sealed by us for this purpose, or altered."""


class SealExpired(Exception):
    """Sealed by us, but too long ago (or not yet, by this machine's clock)."""


def seal(value: msgspec.Struct, *, secret_key: bytes, purpose: str, now: datetime) -> str:
    content = int(now.timestamp()).to_bytes(TIME_BYTES) + msgspec.json.encode(value)
    text = base64.urlsafe_b64encode(content).rstrip(b"=")
    return f"{text.decode('ascii')}.{_signature(text, secret_key, purpose)}"


def open_seal(
    sealed: str, kind: msgspec.json.Decoder[T], *, secret_key: bytes, purpose: str, now: datetime, life: timedelta
) -> T:
    """The value that `seal` was given. Raises SealBroken or SealExpired."""
    if not sealed.isascii():
        raise SealBroken
    signed, _, signature = sealed.rpartition(".")
    text = signed.encode("ascii")
    if not hmac.compare_digest(_signature(text, secret_key, purpose), signature):
        raise SealBroken
    content = base64.urlsafe_b64decode(text + b"==")
    try:
        value = kind.decode(content[TIME_BYTES:])
    except msgspec.MsgspecError as error:
        raise SealBroken from error
    sealed_at_s = int.from_bytes(content[:TIME_BYTES])
    if not -CLOCKS_DIFFER_S <= int(now.timestamp()) - sealed_at_s <= life.total_seconds():
        raise SealExpired
    return value


def _signature(text: bytes, secret_key: bytes, purpose: str) -> str:
    return prove(text, purpose, secret_key=secret_key).hex()
