"""Access tokens for a platform's services: OAuth 2.0 client credentials with a signed assertion.

https://www.imsglobal.org/spec/security/v1p0/#using-json-web-tokens-with-oauth-2-0-client-credentials-grant
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from joserfc import jwt

from lms.errors import LmsError, MalformedAnswer, NotAllowed, TryLater, Unreachable, safe_code
from lms.guarded import TOTAL_S, Answer, GuardedSession
from lms.products import Product
from lms.products.table import token_audience
from lms.tool_keys import SigningKey
from series.store.universities import PlatformRow

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BACKDATED = timedelta(seconds=60)  # Moodle allows no leeway: an `iat` 3 s ahead of its clock is refused
ASSERTION_LIFE = timedelta(minutes=5)  # counted from `iat`
RENEW_BEFORE_EXPIRY = timedelta(seconds=60)
DEFAULT_LIFE_S = 300  # if the platform does not say how long: `expires_in` is only recommended
LONGEST_LIFE_S = 86_400


@dataclass(frozen=True, kw_only=True)
class ServicePlatform:
    """What a platform's token endpoint needs to know us, and whose quirks its services have. `token_audience`: one
    string, if the LMS wants another than the address of the endpoint (Brightspace does)."""

    platform_id: int
    client_id: str
    token_endpoint: str
    token_audience: str | None = None
    product: Product = Product.GENERIC


def as_service_platform(row: PlatformRow) -> ServicePlatform:
    """Where no audience was registered, it is the product's."""
    product = Product(row.product)
    return ServicePlatform(
        platform_id=row.platform_id,
        client_id=row.client_id,
        token_endpoint=row.token_endpoint,
        token_audience=token_audience(product, row.token_audience),
        product=product,
    )


class _TokenAnswer(msgspec.Struct):
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""

    access_token: Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{1,8192}\Z")]  # must fit into a header
    expires_in: int | float | None = None
    scope: Any = None  # none: all that was asked for; only told on, so that an odd one spoils no token


_TOKEN_ANSWER = msgspec.json.Decoder(_TokenAnswer, strict=False)  # some platforms send `expires_in` as a string


class _TokenRefusal(msgspec.Struct):
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""

    error: str


_TOKEN_REFUSAL = msgspec.json.Decoder(_TokenRefusal)


@dataclass(frozen=True, kw_only=True)
class _Cached:
    access_token: str = field(repr=False)
    renew_at: datetime


_Key = tuple[int, frozenset[str]]


class ServiceTokens:
    """Tokens by (platform, exactly these scopes), kept in this process until a minute before they expire.

    May be shared by threads: those that want the same token wait for one request instead of sending several, because
    platforms limit the rate of their token endpoint.
    """

    def __init__(
        self,
        http: GuardedSession,
        signer: Callable[[], SigningKey],
        now: Callable[[], datetime],
        *,
        within_s: float = TOTAL_S,
    ) -> None:
        """`within_s`: how long anybody waits for a token, or for somebody else who asks for the same one."""
        self._within_s = within_s
        self._http = http
        self._signer = signer
        self._now = now
        self._cache: dict[_Key, _Cached] = {}
        self._locks: dict[_Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def token(self, platform: ServicePlatform, scopes: Collection[str]) -> str:
        """An access token with exactly `scopes`. Raises NotAllowed, TryLater, MalformedAnswer, or what http raises."""
        key = (platform.platform_id, frozenset(scopes))
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        if not lock.acquire(timeout=self._within_s):
            raise Unreachable(urlsplit(platform.token_endpoint).netloc, "did not give us an access token in time")
        try:
            cached = self._cache.get(key)
            if cached is None or cached.renew_at <= self._now():
                cached = self._cache[key] = self._request(platform, scopes)
            return cached.access_token
        except LmsError as error:
            error.of_platform = not error.permanent  # without a token nothing goes there
            raise
        finally:
            lock.release()

    def forget(self, platform: ServicePlatform, scopes: Collection[str], access_token: str) -> None:
        """Drops `access_token`, which the platform refused; a newer one, got by another thread meanwhile, stays."""
        key = (platform.platform_id, frozenset(scopes))
        with self._lock:
            cached = self._cache.get(key)
            if cached is not None and cached.access_token == access_token:
                del self._cache[key]

    def _request(self, platform: ServicePlatform, scopes: Collection[str]) -> _Cached:
        now = self._now()
        granted = ask_for_token(
            self._http, platform, scopes, signing_key=self._signer(), now=now, within_s=self._within_s
        )
        renew_at = now + timedelta(seconds=granted.life_s) - RENEW_BEFORE_EXPIRY
        return _Cached(access_token=granted.access_token, renew_at=renew_at)


@dataclass(frozen=True, kw_only=True)
class GrantedToken:
    """`scopes`: what it is good for, as the LMS says; where it says nothing, what was asked for. `sent_at`: by the
    clock of the LMS. https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""

    access_token: str = field(repr=False)
    life_s: float
    scopes: frozenset[str]
    sent_at: datetime | None


def ask_for_token(
    http: GuardedSession,
    platform: ServicePlatform,
    scopes: Collection[str],
    *,
    signing_key: SigningKey,
    now: datetime,
    within_s: float = TOTAL_S,
) -> GrantedToken:
    """A new token, past the cache. Raises as `ServiceTokens.token`."""
    answer = http.post(
        platform.token_endpoint,
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client_assertion(platform, signing_key, now),
            "scope": " ".join(sorted(set(scopes))),
        },
        headers={"Accept": "application/json"},
        within_s=within_s,
    )
    granted = _read_token(answer)
    return GrantedToken(
        access_token=granted.access_token,
        life_s=DEFAULT_LIFE_S if granted.expires_in is None else min(granted.expires_in, LONGEST_LIFE_S),
        scopes=_scopes(granted.scope, scopes),
        sent_at=answer.sent_at,
    )


def _scopes(said: Any, asked: Collection[str]) -> frozenset[str]:
    """One text with spaces, by the specification; some platforms send a list."""
    if isinstance(said, list):
        return frozenset(scope for scope in said if isinstance(scope, str))
    return frozenset(said.split() if isinstance(said, str) else asked)


def client_assertion(platform: ServicePlatform, signing_key: SigningKey, now: datetime) -> str:
    """The signed JWT by which we prove who we are; a new one for each request.

    https://www.imsglobal.org/spec/security/v1p0/#using-json-web-tokens-with-oauth-2-0-client-credentials-grant
    """
    issued_at = int((now - BACKDATED).timestamp())
    claims = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.token_audience or platform.token_endpoint,
        "iat": issued_at,
        "exp": issued_at + int(ASSERTION_LIFE.total_seconds()),
        "jti": str(uuid4()),
    }
    return jwt.encode({"alg": "RS256", "kid": signing_key.kid}, claims, signing_key.key)


def _read_token(answer: Answer) -> _TokenAnswer:
    if answer.status in {408, 425, 429} or answer.status >= 500:
        raise TryLater(answer.host, status=answer.status, retry_after_s=answer.retry_after_s)
    if 400 <= answer.status < 500:
        raise NotAllowed(
            "The LMS gives us no access token: its administrator should check that the tool is active there, that its"
            " client ID and key set address are ours, and that it may use grades and rosters.",
            status=answer.status,
            reason=_oauth_error(answer.body),
        )
    try:
        granted = _TOKEN_ANSWER.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedAnswer(answer.host, "answered our request for an access token with something else") from None
    return granted


def _oauth_error(body: bytes) -> str:
    try:
        return safe_code(_TOKEN_REFUSAL.decode(body).error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""  # Moodle's is not JSON when its message has quotes
