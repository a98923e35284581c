"""From an unverified id_token to Claims that may be trusted.

Security Framework 1.0, section 5.1.3: https://www.imsglobal.org/spec/security/v1p0#authentication-response-validation
"""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry

from lti_tool.protocol.claims import Claims, decode_claims, short_name
from lti_tool.protocol.constants import LEEWAY, MAX_ID_TOKEN_CHARS, MAX_TOKEN_AGE
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused

ALGORITHM = "RS256"
MIN_KEY_BITS = 2048
# RFC 7515, section 4: header parameters that are not understood are ignored, unless `crit` names them.
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)


@dataclass(frozen=True, kw_only=True)
class UnverifiedToken:
    """A token taken apart. Nothing in it may be believed, except that `key_id` says with which key to look."""

    key_id: str
    parts: CompactSignature = field(repr=False)


def read_token(text: str) -> UnverifiedToken:
    """Raises Refused when there is no token, no RS256 or no `kid`."""
    if not text:
        raise Refused(RefusalCode.TOKEN_MISSING)
    if len(text) > MAX_ID_TOKEN_CHARS:
        raise Refused(RefusalCode.TOO_LARGE, chars=len(text))
    try:
        parts = jws.extract_compact(text.encode("ascii"), registry=_REGISTRY)
        header = parts.headers()
    except (JoseError, ValueError, TypeError) as error:
        raise Refused(RefusalCode.TOKEN_MALFORMED) from error
    if not isinstance(header, dict):
        raise Refused(RefusalCode.TOKEN_MALFORMED)
    if header.get("alg") != ALGORITHM:
        raise Refused(RefusalCode.ALGORITHM_REFUSED, alg=str(header.get("alg"))[:32])
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise Refused(RefusalCode.KEY_ID_MISSING)
    return UnverifiedToken(key_id=key_id, parts=parts)


def find_key(keys: KeySet, key_id: str) -> RSAKey | None:
    """The one RSA key of that id; None when there is none, or when two claim it (no guessing between them)."""
    found = [key for key in keys.keys if key.kid == key_id and isinstance(key, RSAKey)]
    return found[0] if len(found) == 1 else None


def verify(unverified_token: UnverifiedToken, *, key: RSAKey, platform: Platform, nonce: str, now: datetime) -> Claims:
    """The claims, proved to be signed by the platform's `key`, for us, now, in answer to the login with `nonce`.

    Whether the nonce was already spent is not known here: the transaction that opens the visit tells.
    """
    claims = _decode(_verified_payload(unverified_token, key))
    _check_parties(claims, platform)
    _check_times(claims, now)
    if required(claims, "nonce") != nonce:
        raise Refused(RefusalCode.NONCE_WRONG)
    return claims


def required(claims: Claims, field: str) -> str:
    """A claim that must be there as text that is not empty."""
    value = getattr(claims, field)
    if value is msgspec.UNSET:
        raise Refused(RefusalCode.CLAIM_MISSING, claim=field)
    if not isinstance(value, str) or not value:
        raise Refused(RefusalCode.CLAIM_MALFORMED, claim=field)
    return value


def _verified_payload(unverified_token: UnverifiedToken, key: RSAKey) -> bytes:
    if _bits(key) < MIN_KEY_BITS:
        raise Refused(RefusalCode.KEY_UNKNOWN, weak=True)
    try:
        is_signed = jws.validate_compact(unverified_token.parts, key, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        raise Refused(RefusalCode.SIGNATURE_WRONG) from error
    if not is_signed:
        raise Refused(RefusalCode.SIGNATURE_WRONG)
    return unverified_token.parts.payload


def _bits(key: RSAKey) -> int:
    return int(key.public_key.key_size)


def _decode(payload: bytes) -> Claims:
    try:
        return decode_claims(payload)
    except msgspec.ValidationError as error:
        raise Refused(RefusalCode.CLAIM_MALFORMED, fact=short_name(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(RefusalCode.TOKEN_MALFORMED) from error


def _check_parties(claims: Claims, platform: Platform) -> None:
    issuer = required(claims, "iss")
    if issuer != platform.issuer:
        slash = issuer.rstrip("/") == platform.issuer.rstrip("/")
        raise Refused(RefusalCode.ISSUER_WRONG, got=issuer, registered=platform.issuer, slash_only=slash)
    if claims.aud is msgspec.UNSET:
        raise Refused(RefusalCode.CLAIM_MISSING, claim="aud")
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if platform.client_id not in audiences:
        raise Refused(RefusalCode.AUDIENCE_WRONG, got=audiences, registered=platform.client_id)
    if len(audiences) > 1 and claims.azp is msgspec.UNSET:
        raise Refused(RefusalCode.CLAIM_MISSING, claim="azp")
    if claims.azp is not msgspec.UNSET and claims.azp != platform.client_id:
        raise Refused(RefusalCode.AUDIENCE_WRONG, got=claims.azp, registered=platform.client_id)


def _check_times(claims: Claims, now: datetime) -> None:
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    if isinstance(claims.exp, msgspec.UnsetType):
        raise Refused(RefusalCode.CLAIM_MISSING, claim="exp")
    if isinstance(claims.iat, msgspec.UnsetType):
        raise Refused(RefusalCode.CLAIM_MISSING, claim="iat")
    if seconds > claims.exp + leeway:
        raise Refused(RefusalCode.TOKEN_EXPIRED, late_s=round(seconds - claims.exp))
    if claims.iat > seconds + leeway:
        raise Refused(RefusalCode.TOKEN_FROM_FUTURE, early_s=round(claims.iat - seconds))
    if seconds - claims.iat > MAX_TOKEN_AGE.total_seconds():
        raise Refused(RefusalCode.TOKEN_TOO_OLD, age_s=round(seconds - claims.iat))
