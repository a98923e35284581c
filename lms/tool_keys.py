"""Our own signing keys: made at the first migration, published at /lti/jwks.json, used for service tokens.

Every process looks into the database when it publishes or signs, so that a rotation needs no restart.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from joserfc.jwk import RSAKey

from series.store.database import Database
from series.store.keys import add_tool_key, delete_tool_keys, lock_tool_keys, retire_tool_keys, tool_keys
from series.tool_keys import Rotation, ToolKey, signing_key

KEY_BITS = 3072


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A private key of ours and the `kid` under which our key set publishes it."""

    kid: str
    key: RSAKey = field(repr=False)


class NoToolKey(Exception):
    """There is no key of ours that could sign."""

    def __init__(self) -> None:
        super().__init__("There is no signing key; `lti-tool migrate` makes the first one.")


def ensure_tool_key(database: Database, *, encryption_key: bytes, now: datetime) -> None:
    """Make the first key, if there is none. May be repeated."""
    with database.read() as connection:
        if tool_keys(connection, encryption_key=encryption_key):
            return
    kid, pem = _new_key()
    with database.write() as connection:
        if not tool_keys(connection, encryption_key=encryption_key):
            add_tool_key(connection, kid=kid, private_key_pem=pem, encryption_key=encryption_key, now=now)


def rotate_tool_key(
    database: Database, plan: Callable[[list[ToolKey]], Rotation], *, encryption_key: bytes, now: datetime
) -> tuple[str, Rotation]:
    """Make the next key, and do to the others what `plan` says; the new key's `kid`, and what was done.

    Raises NoToolKey, WrongEncryptionKey, or what `plan` raises; then nothing is changed.
    """
    kid, pem = _new_key()
    with database.write() as connection:
        lock_tool_keys(connection)
        keys = tool_keys(connection, encryption_key=encryption_key)
        if not keys:
            raise NoToolKey
        rotation = plan(keys)
        retire_tool_keys(connection, rotation.retiring_kids, at=rotation.retires_at)
        delete_tool_keys(connection, rotation.forgotten_kids)
        add_tool_key(
            connection,
            kid=kid,
            private_key_pem=pem,
            encryption_key=encryption_key,
            now=now,
            signs_from=rotation.signs_from,
        )
    return kid, rotation


def published_keys(database: Database, *, encryption_key: bytes, now: datetime) -> dict[str, Any]:
    """The JSON Web Key Set. `kid`, `alg` and `use` are always there: some LMSs refuse keys without them."""
    with database.read() as connection:
        keys = tool_keys(connection, encryption_key=encryption_key)
    return {
        "keys": [
            {**_parse(key.private_key_pem).as_dict(private=False), "kid": key.kid, "alg": "RS256", "use": "sig"}
            for key in keys
            if key.is_published(now)
        ]
    }


def current_signing_key(
    database: Database, encryption_key: bytes, now: Callable[[], datetime]
) -> Callable[[], SigningKey]:
    """Gives the key that signs at the moment of each call, as the database has it then. Raises NoToolKey."""

    def current() -> SigningKey:
        with database.read() as connection:
            keys = tool_keys(connection, encryption_key=encryption_key)
        found = signing_key(keys, now())
        if found is None:
            raise NoToolKey
        return SigningKey(kid=found.kid, key=_parse(found.private_key_pem))

    return current


def _new_key() -> tuple[str, bytes]:
    """(kid, PEM). Takes up to seconds: not inside a transaction."""
    return secrets.token_hex(8), RSAKey.generate_key(KEY_BITS).as_pem(private=True)


@lru_cache(maxsize=16)
def _parse(private_key_pem: bytes) -> RSAKey:
    """Kept, because OpenSSL proves the primes anew each time: 0.1 s of CPU, at an address that anybody may ask."""
    return RSAKey.import_key(private_key_pem)
