"""Our own signing keys: made at the first migration, published at /lti/jwks.json, used for service tokens."""

import secrets
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from joserfc.jwk import RSAKey

from lms.service_tokens import SigningKey
from series.store.database import Database
from series.store.keys import add_tool_key, tool_keys

KEY_BITS = 3072


def ensure_tool_key(database: Database, *, encryption_key: bytes, now: datetime) -> None:
    """Make the first key, if there is none. May be repeated."""
    with database.read() as connection:
        if tool_keys(connection, encryption_key=encryption_key):
            return
    key = RSAKey.generate_key(KEY_BITS)
    with database.write() as connection:
        if not tool_keys(connection, encryption_key=encryption_key):
            add_tool_key(
                connection,
                kid=secrets.token_hex(8),
                private_key_pem=key.as_pem(private=True),
                encryption_key=encryption_key,
                now=now,
            )


def published_keys(database: Database, *, encryption_key: bytes) -> dict[str, Any]:
    """The JSON Web Key Set. `kid`, `alg` and `use` are always there: some LMSs refuse keys without them."""
    with database.read() as connection:
        keys = tool_keys(connection, encryption_key=encryption_key)
    return {
        "keys": [
            {
                **RSAKey.import_key(key.private_key_pem).as_dict(private=False),
                "kid": key.kid,
                "alg": "RS256",
                "use": "sig",
            }
            for key in keys
        ]
    }


def current_signing_key(database: Database, encryption_key: bytes) -> Callable[[], SigningKey]:
    """Gives the newest key at each call, read from the database once."""

    @cache
    def signing_key() -> SigningKey:
        with database.read() as connection:
            newest = tool_keys(connection, encryption_key=encryption_key)[0]
        return SigningKey(kid=newest.kid, key=RSAKey.import_key(newest.private_key_pem))

    return signing_key
