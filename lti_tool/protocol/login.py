"""The third-party-initiated login: from the LMS's form to the redirect to its authorization endpoint.

Security Framework 1.0, section 5.1.1: https://www.imsglobal.org/spec/security/v1p0#step-1-third-party-initiated-login

The login writes nothing. What the launch has to know is sealed into `state`; what binds it to this browser is a proof
whose hash is in the state: a cookie, or a value that the LMS keeps for us in this browser (platform storage).
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from lti_tool.protocol.constants import MAX_LOGIN_VALUE_CHARS, MAX_STATE_CHARS, STATE_LIFE
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.protocol.seal import SealBroken, SealExpired, open_seal, seal

PURPOSE = "lti login state"
PROOF_NAME_START = "lti-"
MAX_STORAGE_TARGET_CHARS = 128


class Keeper(StrEnum):
    """Who keeps the browser's proof between login and launch."""

    COOKIE = "cookie"
    PLATFORM_STORAGE = "platform_storage"


@dataclass(frozen=True, kw_only=True)
class LoginRequest:
    """The parameters of a login, as the LMS sent them. Unverified: anybody can send such a form."""

    issuer: str
    login_hint: str
    target_link_uri: str
    client_id: str | None
    lti_message_hint: str | None
    lti_deployment_id: str | None
    lti_storage_target: str | None  # frame that keeps values for tools, or `_parent`: OIDC Login with postMessages 0.1


class LoginState(msgspec.Struct, frozen=True, kw_only=True):
    """What a launch must agree with; sealed into `state`."""

    platform_id: int
    nonce: str
    target_link_uri: str
    lti_deployment_id: str | None
    proof_hash: str
    keeper: Keeper
    lti_storage_target: str | None


_STATE = msgspec.json.Decoder(LoginState)


@dataclass(frozen=True, kw_only=True)
class BegunLogin:
    """`proof` goes to the keeper under a name of this login alone, `state` and `nonce` go to the LMS."""

    state: str
    nonce: str
    proof: str


def read_login(form: Mapping[str, str], *, public_url: str) -> LoginRequest:
    """The login request in `form`. Raises Refused when a required parameter is missing or the target is not ours."""
    missing = [name for name in ("iss", "login_hint", "target_link_uri") if not form.get(name)]
    if missing:
        raise Refused(RefusalCode.LOGIN_INCOMPLETE, missing=missing)
    if any(len(value) > MAX_LOGIN_VALUE_CHARS for value in form.values()):
        raise Refused(RefusalCode.TOO_LARGE)
    if not is_ours(form["target_link_uri"], public_url):
        raise Refused(RefusalCode.TARGET_NOT_OURS)
    storage_target = form.get("lti_storage_target", "")
    return LoginRequest(
        issuer=form["iss"],
        login_hint=form["login_hint"],
        target_link_uri=form["target_link_uri"],
        client_id=form.get("client_id") or None,
        lti_message_hint=form.get("lti_message_hint") or None,
        # Canvas once sent the second name: https://github.com/instructure/canvas-lms/issues/2201
        lti_deployment_id=form.get("lti_deployment_id") or form.get("deployment_id") or None,
        lti_storage_target=storage_target if 0 < len(storage_target) <= MAX_STORAGE_TARGET_CHARS else None,
    )


def check_platform(login: LoginRequest, platform: Platform) -> None:
    """The platform that the path or the pair (iss, client_id) named must be the one that speaks."""
    if login.issuer != platform.issuer:
        slash = login.issuer.rstrip("/") == platform.issuer.rstrip("/")
        raise Refused(
            RefusalCode.PLATFORM_MISMATCH, got=login.issuer[:255], registered=platform.issuer, slash_only=slash
        )
    if login.client_id is not None and login.client_id != platform.client_id:
        raise Refused(RefusalCode.PLATFORM_MISMATCH, got=login.client_id[:255], registered=platform.client_id)


def begin_login(
    login: LoginRequest, platform: Platform, *, secret_key: bytes, now: datetime, keeper: Keeper = Keeper.COOKIE
) -> BegunLogin:
    """Raises Refused when target and deployment id are too long for a state."""
    proof = secrets.token_urlsafe(32)
    nonce = secrets.token_urlsafe(32)
    state = LoginState(
        platform_id=platform.platform_id,
        nonce=nonce,
        target_link_uri=login.target_link_uri,
        lti_deployment_id=login.lti_deployment_id,
        proof_hash=_hash(proof),
        keeper=keeper,
        lti_storage_target=login.lti_storage_target if keeper is Keeper.PLATFORM_STORAGE else None,
    )
    sealed = seal(state, secret_key=secret_key, purpose=PURPOSE, now=now)
    if len(sealed) > MAX_STATE_CHARS:  # the launch would not take it back
        raise Refused(RefusalCode.TOO_LARGE)
    return BegunLogin(state=sealed, nonce=nonce, proof=proof)


def open_state(state: str | None, *, secret_key: bytes, now: datetime) -> LoginState:
    """The sealed values. Raises Refused when the state is missing, not ours, altered or older than STATE_LIFE."""
    if not state:
        raise Refused(RefusalCode.STATE_MISSING)
    if len(state) > MAX_STATE_CHARS:
        raise Refused(RefusalCode.STATE_INVALID, chars=len(state))
    try:
        return open_seal(state, _STATE, secret_key=secret_key, purpose=PURPOSE, now=now, life=STATE_LIFE)
    except SealExpired as error:
        raise Refused(RefusalCode.STATE_EXPIRED) from error
    except SealBroken as error:
        raise Refused(RefusalCode.STATE_INVALID) from error


def proof_name(state: str) -> str:
    """Of the cookie, or the key in platform storage. Each login has its own: two tabs never take each other's."""
    return PROOF_NAME_START + _hash(state)[:16]


def same_browser(proof: str, login: LoginState) -> bool:
    return bool(proof) and hmac.compare_digest(_hash(proof), login.proof_hash)


def authorization_url(
    platform: Platform, *, state: str, nonce: str, login_hint: str, lti_message_hint: str | None, redirect_uri: str
) -> str:
    """Where the browser goes next: GET, and only the parameters of the specification (Moodle refuses more).

    Security Framework 1.0, section 5.1.1.2; a query that the endpoint already has is kept.
    """
    parameters = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": redirect_uri,
        "login_hint": login_hint,
        "state": state,
        "nonce": nonce,
    }
    if lti_message_hint is not None:
        parameters["lti_message_hint"] = lti_message_hint
    parts = urlsplit(platform.authorization_endpoint)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))


def is_ours(url: str, public_url: str) -> bool:
    """Whether `url` lies on our own origin (scheme, host and port)."""
    try:
        theirs, ours = urlsplit(url), urlsplit(public_url)
        return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
    except ValueError:
        return False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
