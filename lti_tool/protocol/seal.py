"""Seal small values so that only we can read or make them, for a limited time.

Fernet (AES-128-CBC and HMAC-SHA256, https://github.com/fernet/spec): authenticated, with the time of sealing inside.
A key is derived for each purpose, so that a value sealed for one is worthless for another.
"""

import base64
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

T = TypeVar("T", bound=msgspec.Struct)


class SealBroken(Exception):
    """Not sealed by us for this purpose, or altered."""


class SealExpired(Exception):
    """Sealed by us, but too long ago."""


def seal(value: msgspec.Struct, *, secret_key: bytes, purpose: str, now: datetime) -> str:
    fernet = _fernet(secret_key, purpose)
    return fernet.encrypt_at_time(msgspec.json.encode(value), int(now.timestamp())).decode("ascii")


def open_seal(sealed: str, kind: type[T], *, secret_key: bytes, purpose: str, now: datetime, life: timedelta) -> T:
    """The value that `seal` was given. Raises SealBroken or SealExpired."""
    fernet = _fernet(secret_key, purpose)
    try:
        content = fernet.decrypt_at_time(sealed, int(life.total_seconds()), int(now.timestamp()))
    except (InvalidToken, UnicodeEncodeError, ValueError) as error:
        raise (SealExpired if _is_ours(fernet, sealed) else SealBroken) from error
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise SealBroken from error


def _is_ours(fernet: Fernet, sealed: str) -> bool:
    """Looked at only when the seal did not open."""
    try:
        fernet.extract_timestamp(sealed)
    except (InvalidToken, UnicodeEncodeError, ValueError):
        return False
    return True


@cache
def _fernet(secret_key: bytes, purpose: str) -> Fernet:
    """One for each purpose: deriving its key takes longer than sealing."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret_key)
    return Fernet(base64.urlsafe_b64encode(derived))
