"""The key set and the token endpoint. The library's takes whatever the tool's key has signed; this reads it.

https://www.imsglobal.org/spec/security/v1p0/#using-json-web-tokens-with-oauth-2-0-client-credentials-grant
"""

from sqlite3 import IntegrityError

import msgspec
from flask import Blueprint, Response, jsonify, request
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sandbox_lms import latencies
from sandbox_lms.access_tokens import LIFE_S, issue_token
from sandbox_lms.lti_platform import CampusPlatform
from sandbox_lms.products.habits import Habits
from sandbox_lms.registered_tools import Tool, find_tool
from sandbox_lms.services import hold, service_blueprint
from sandbox_lms.site import Site, the_site
from sandbox_lms.tool_keys import ToolKeysUnreachable, tool_key_set

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_LIFE_S = 300


class Assertion(msgspec.Struct, frozen=True):
    """RFC 7523, section 3. `iat` is optional there, and held to where it is given."""

    iss: str
    sub: str
    aud: str  # one string: some LMSs refuse a list
    exp: int
    jti: str
    iat: int | None = None
    nbf: int | None = None


_ASSERTION = msgspec.json.Decoder(Assertion)


class TokenRefused(Exception):
    """RFC 6749, section 5.2."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


def make_blueprint(habits: Habits) -> Blueprint:
    blueprint = service_blueprint("token_endpoint")
    addresses = habits.addresses
    blueprint.add_url_rule(addresses.route(addresses.keys), view_func=certs)
    blueprint.add_url_rule(addresses.route(addresses.token), view_func=token, methods=["POST"])
    return blueprint


def certs() -> Response:
    site = the_site()
    keys = CampusPlatform(site=site).get_jwks()
    if not site.campus.habits.names_alg:
        keys = {"keys": [{name: value for name, value in key.items() if name != "alg"} for key in keys["keys"]]}
    response = jsonify(keys)
    response.cache_control.max_age = 60
    return response


def token(deployment_id: str | None = None) -> Response:
    site = the_site()
    hold("hold_token")
    site.switches.take_time(latencies.TOKEN_MS)
    try:
        scopes = _grant(site)
    except TokenRefused as refused:
        response = jsonify(error=refused.code, error_description=refused.description)
        response.status_code = 401 if refused.code == "invalid_client" else 400
        return response
    response = jsonify(
        access_token=issue_token(site, scopes), token_type="Bearer", expires_in=LIFE_S, scope=" ".join(scopes)
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _grant(site: Site) -> list[str]:
    form = request.form
    if form.get("grant_type") != "client_credentials":
        raise TokenRefused("unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    if not form.get("client_assertion"):
        raise TokenRefused("invalid_request", "client_assertion is missing")
    tool = _check_assertion(site, _verify(site, form["client_assertion"]))
    asked = form.get("scope", "").split()
    granted = [scope for scope in tool.scopes if scope in asked]
    if not granted:
        raise TokenRefused("invalid_scope", "none of these scopes is registered")
    return granted  # like Moodle, without a word on those that are not


def _verify(site: Site, unverified_assertion: str) -> Assertion:
    """The claims of an assertion that one of the tool's published keys has signed."""
    try:
        kid = jws.extract_compact(unverified_assertion.encode()).headers().get("kid")
        if not kid:
            raise TokenRefused("invalid_client", "kid must be provided in JWT header")
        keys = KeySet([key for key in tool_key_set(site).keys if key.kid == kid])
        verified = jws.deserialize_compact(unverified_assertion, keys, algorithms=["RS256"])
        return _ASSERTION.decode(verified.payload)
    except ToolKeysUnreachable:
        raise TokenRefused("invalid_client", "the key set of the tool cannot be read") from None
    except (JoseError, ValueError, msgspec.MsgspecError):
        raise TokenRefused("invalid_client", "the assertion is not one of the registered tool") from None


def _check_assertion(site: Site, assertion: Assertion) -> Tool:
    """Whose it is."""
    tool, now_s = find_tool(site, assertion.iss), site.now_s()
    if tool is None or assertion.sub != tool.client_id:
        raise TokenRefused("invalid_client", "iss and sub must be the client_id")
    if assertion.aud != tool.audience:
        raise TokenRefused("invalid_client", "aud must be the token endpoint, or what the product says instead")
    if assertion.exp <= now_s:
        raise TokenRefused("invalid_client", "Expired token")
    issued_at_s = now_s if assertion.iat is None else assertion.iat
    if assertion.exp - issued_at_s > MAX_ASSERTION_LIFE_S:
        raise TokenRefused("invalid_client", f"exp must be at most {MAX_ASSERTION_LIFE_S} s after iat")
    # No leeway, as in Moodle: whose clock is a second ahead is refused.
    if max(issued_at_s, assertion.nbf or 0) > now_s:
        raise TokenRefused("invalid_client", "Cannot handle token with iat or nbf in the future")
    _spend(site, assertion)
    return tool


def _spend(site: Site, assertion: Assertion) -> None:
    if not assertion.jti:
        raise TokenRefused("invalid_client", "jti is missing")
    try:
        with site.database.write() as connection:
            connection.execute(
                "DELETE FROM spent_assertion WHERE campus = ? AND expires_at_s < ?", (site.slug, site.now_s())
            )
            connection.execute(
                "INSERT INTO spent_assertion (campus, jti, expires_at_s) VALUES (?, ?, ?)",
                (site.slug, assertion.jti, assertion.exp),
            )
    except IntegrityError:
        raise TokenRefused("invalid_client", "jti has been used") from None
