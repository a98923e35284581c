"""The public keys with which a platform signs: fetched and weeded here, kept in the database by the caller.

https://www.imsglobal.org/spec/security/v1p0/#h_key-set-url
"""

import base64
import binascii
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from lms.errors import MalformedAnswer, NotFound, TryLater
from lms.guarded import Answer, GuardedSession

KEY_SET_MAX_BYTES = 256 * 1024
MAX_KEYS = 100
MAX_KID_CHARS = 255
MIN_KEY_BITS, MAX_KEY_BITS = 2048, 8192  # the longest still verifies in half a millisecond
MAX_EXPONENT_BITS = 64
FETCH_WITHIN_S = 10.0  # a launch waits for it


class _KeySet(msgspec.Struct):
    keys: list[Any]


_KEY_SET = msgspec.json.Decoder(_KeySet)


def fetch_key_set(http: GuardedSession, jwks_uri: str) -> str:
    """The platform's usable keys as the JSON text of a key set: public RSA keys for RS256, of 2048 to 8192 bits, with a
    `kid`. Keys without `alg` count (Brightspace sends none); the others are dropped without a word.

    None may be left: a platform that publishes no key (any more) that we can use has withdrawn those that it had.
    Raises Unreachable, TryLater, MalformedAnswer, NotFound, AddressRefused; then an older set may go on serving.
    """
    return published_keys(http, jwks_uri).usable


@dataclass(frozen=True, kw_only=True)
class PublishedKeys:
    """`usable`: JSON as of `fetch_key_set`. The numbers are of keys: published, usable of these, too short ones; and
    the key ids that more than one usable key claims. `sent_at`: by the clock of the LMS."""

    usable: str = field(repr=False)
    published: int
    good: int
    short: int
    doubles: int
    sent_at: datetime | None


def published_keys(http: GuardedSession, jwks_uri: str) -> PublishedKeys:
    """What `fetch_key_set` keeps, and what it drops. Raises as that."""
    answer = http.get(
        jwks_uri, headers={"Accept": "application/json"}, max_bytes=KEY_SET_MAX_BYTES, within_s=FETCH_WITHIN_S
    )
    if answer.status in {404, 410}:
        raise NotFound("The LMS has no key set at the address registered for it.", status=answer.status)
    if answer.status >= 400:
        raise TryLater(answer.host, status=answer.status, retry_after_s=answer.retry_after_s)
    keys = _keys(answer)
    usable = [found for key in keys if (found := _usable(key)) is not None]
    kids = Counter(key["kid"] for key in usable)
    return PublishedKeys(
        usable=json.dumps({"keys": usable}),
        published=len(keys),
        good=len(usable),
        short=sum(_is_short(key) for key in keys),
        doubles=sum(times > 1 for times in kids.values()),
        sent_at=answer.sent_at,
    )


def _is_short(key: Any) -> bool:
    modulus = key.get("n") if isinstance(key, dict) and key.get("kty") == "RSA" else None
    return isinstance(modulus, str) and 0 < _bits(modulus) < MIN_KEY_BITS


def _keys(answer: Answer) -> list[Any]:
    if not answer.ok:
        raise MalformedAnswer(answer.host, "sends us elsewhere for its key set; register the final address")
    try:
        keys = _KEY_SET.decode(answer.body).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "publishes something else than a key set") from None
    if len(keys) > MAX_KEYS:
        raise MalformedAnswer(answer.host, f"publishes more than {MAX_KEYS} keys")
    return keys


def _usable(key: Any) -> dict[str, str] | None:
    if not isinstance(key, dict) or key.get("kty") != "RSA":
        return None
    kid, modulus, exponent = key.get("kid"), key.get("n"), key.get("e")
    if not (isinstance(kid, str) and isinstance(modulus, str) and isinstance(exponent, str)):
        return None
    if key.get("alg", "RS256") != "RS256" or key.get("use", "sig") != "sig" or not 0 < len(kid) <= MAX_KID_CHARS:
        return None
    if not MIN_KEY_BITS <= _bits(modulus) <= MAX_KEY_BITS or _bits(exponent) > MAX_EXPONENT_BITS:
        return None
    public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": modulus, "e": exponent}
    try:
        RSAKey.import_key({**public})
    except (JoseError, ValueError):
        return None
    return public


def _bits(number: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(number + "==")).bit_length()
    except (binascii.Error, ValueError):
        return 0
