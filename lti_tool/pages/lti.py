"""What an LMS asks of us: login, launch, keys.

Security Framework 1.0, section 5.1.1: https://www.imsglobal.org/spec/security/v1p0#openid_connect_launch_flow
"""

import secrets
from urllib.parse import urlencode

import structlog
from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from lms.key_cache import KeysUnreachable
from lms.tool_keys import published_keys
from lti_tool.pages.visit_proof import hash_proof, set_visit_cookie
from lti_tool.protocol import id_token
from lti_tool.protocol.claims import Claims
from lti_tool.protocol.constants import LEEWAY, MAX_TOKEN_AGE, STATE_LIFE
from lti_tool.protocol.launch import Launch, read_launch
from lti_tool.protocol.login import (
    LoginRequest,
    LoginState,
    authorization_url,
    begin_login,
    check_platform,
    open_state,
    proof_cookie_name,
    read_login,
    same_browser,
)
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.tool import Tool, the_tool
from series.store.launches import DeploymentUnknown, NewVisit, NonceSpent, NoSeries, open_visit
from series.store.universities import PlatformRow, find_platform, get_platform, platforms_of_issuer

blueprint = Blueprint("lti", __name__, url_prefix="/lti")
log = structlog.get_logger()


@blueprint.before_request
def read_form() -> None:
    """First of all, so that a form that is too large is a refusal like any other."""
    try:
        _ = request.form
    except RequestEntityTooLarge as error:
        raise Refused(RefusalCode.TOO_LARGE) from error


@blueprint.route("/login", methods=["GET", "POST"])
@blueprint.route("/login/<platform_slug>", methods=["GET", "POST"])
def login(platform_slug: str | None = None) -> Response:
    """Begin a login. Writes nothing; the cookie of this login is looked for one step later, at `check`."""
    tool = the_tool()
    wanted = read_login(request.values, public_url=tool.settings.public_url)
    platform = _platform_of(tool, wanted, platform_slug)
    check_platform(wanted, platform)
    begun = begin_login(wanted, platform, secret_key=tool.settings.secret_key, now=tool.clock.now())
    hints = {"login_hint": wanted.login_hint, "iss": wanted.issuer, "target_link_uri": wanted.target_link_uri}
    optional = {
        "lti_message_hint": wanted.lti_message_hint,
        "client_id": platform.client_id,
        "lti_deployment_id": wanted.lti_deployment_id,
    }
    query = urlencode({"state": begun.state, **hints, **{k: v for k, v in optional.items() if v is not None}})
    response = make_response(redirect(f"{tool.settings.public_url}/lti/check?{query}", 303))
    response.set_cookie(
        proof_cookie_name(begun.state),
        begun.proof,
        max_age=int(STATE_LIFE.total_seconds()),
        path="/lti",
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )
    return response


@blueprint.get("/check")
def check() -> Response | tuple[str, int]:
    """One step of ours between login and LMS: did the browser keep the cookie?

    It is asked here, because Moodle spends its message hint at the first visit of its authorization endpoint: without
    the cookie, the same login is offered in a new tab while the hint is still good.
    """
    tool = the_tool()
    state_text = request.args.get("state", "")
    state = open_state(state_text, secret_key=tool.settings.secret_key, now=tool.clock.now())
    platform = _platform_by_id(tool, state.platform_id)
    wanted = read_login(request.args, public_url=tool.settings.public_url)
    if not same_browser(request.cookies.get(proof_cookie_name(state_text)), state):
        return _offer_new_tab(tool, platform), 200
    url = authorization_url(
        platform,
        state=state_text,
        nonce=state.nonce,
        login_hint=wanted.login_hint,
        lti_message_hint=wanted.lti_message_hint,
        redirect_uri=f"{tool.settings.public_url}/lti/launch",
    )
    return make_response(redirect(url, 302))


@blueprint.post("/launch")
def launch() -> Response:
    """Check everything that binds the message to its login, then open the visit and go there by 303."""
    tool = the_tool()
    state_text = request.form.get("state", "")
    login_state = open_state(state_text, secret_key=tool.settings.secret_key, now=tool.clock.now())
    if not same_browser(request.cookies.get(proof_cookie_name(state_text)), login_state):
        raise Refused(RefusalCode.BROWSER_CHANGED)
    platform = _platform_by_id(tool, login_state.platform_id)
    structlog.contextvars.bind_contextvars(platform=platform.slug)
    _pass_on_lms_error(platform)
    claims = _verified_claims(tool, platform, login_state)
    launched = read_launch(claims, login_state, public_url=tool.settings.public_url)
    visit_id, proof = _open_visit(tool, platform, login_state, launched)
    log.info("launched", platform=platform.slug, teacher=launched.roles.is_teacher)
    response = make_response(redirect(f"{tool.settings.public_url}/visit/{visit_id}/", 303))
    # The login's cookie stays for its ten minutes: a form that is sent again is told that its launch was used, and not
    # that another browser had begun it.
    set_visit_cookie(response, visit_id, proof)
    return response


@blueprint.get("/launch")
def launch_by_get() -> Response:
    raise Refused(RefusalCode.METHOD_NOT_POST)


@blueprint.get("/jwks.json")
def jwks() -> Response:
    tool = the_tool()
    response = jsonify(published_keys(tool.database, encryption_key=tool.settings.encryption_key, now=tool.clock.now()))
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


def _platform_of(tool: Tool, wanted: LoginRequest, slug: str | None) -> Platform:
    """The platform that the path names, or the one with this issuer and client id."""
    if "\0" in (slug or wanted.issuer):  # PostgreSQL cannot even be asked for it
        raise Refused(RefusalCode.PLATFORM_UNKNOWN)
    with tool.database.read() as connection:
        if slug is not None:
            row = find_platform(connection, slug)
            candidates = [row] if row else []
        else:
            candidates = platforms_of_issuer(connection, wanted.issuer)
            if wanted.client_id is not None:
                candidates = [row for row in candidates if row.client_id == wanted.client_id]
    if not candidates:
        raise Refused(RefusalCode.PLATFORM_UNKNOWN, issuer=wanted.issuer[:255], path=slug)
    if len(candidates) > 1:
        raise Refused(RefusalCode.PLATFORM_AMBIGUOUS, issuer=wanted.issuer)
    return _active(candidates[0])


def _platform_by_id(tool: Tool, platform_id: int) -> Platform:
    with tool.database.read() as connection:
        row = get_platform(connection, platform_id)
    if row is None:
        raise Refused(RefusalCode.PLATFORM_UNKNOWN)
    return _active(row)


def _active(row: PlatformRow) -> Platform:
    if row.state != "active":
        raise Refused(RefusalCode.PLATFORM_DISABLED, platform=row.slug)
    return Platform(
        platform_id=row.platform_id,
        university_id=row.university_id,
        slug=row.slug,
        issuer=row.issuer,
        client_id=row.client_id,
        authorization_endpoint=row.authorization_endpoint,
        jwks_uri=row.jwks_uri,
    )


def _offer_new_tab(tool: Tool, platform: Platform) -> str:
    again = {name: value for name, value in request.args.items() if name != "state"}
    return render_template(
        "new_tab.html", login_url=f"{tool.settings.public_url}/lti/login/{platform.slug}?{urlencode(again)}"
    )


def _pass_on_lms_error(platform: Platform) -> None:
    """OpenID Connect Core 3.1.2.6: the LMS may answer with an error in place of a token."""
    error = request.form.get("error")
    if error:
        raise Refused(
            RefusalCode.LMS_ERROR,
            platform=platform.slug,
            lms_error=error[:200],
            lms_words=request.form.get("error_description", "")[:500],
        )


def _verified_claims(tool: Tool, platform: Platform, login_state: LoginState) -> Claims:
    unverified_token = request.form.get("id_token")
    kid = id_token.read_key_id(unverified_token)
    try:
        keys = tool.platform_keys.key_set(platform.platform_id, platform.jwks_uri, wanted_kid=kid)
    except KeysUnreachable as error:
        raise Refused(RefusalCode.KEYS_UNREACHABLE, platform=platform.slug) from error
    key = id_token.find_key(keys, kid)
    if key is None or unverified_token is None:
        raise Refused(RefusalCode.KEY_UNKNOWN, platform=platform.slug)
    return id_token.verify(unverified_token, key=key, platform=platform, nonce=login_state.nonce, now=tool.clock.now())


def _open_visit(tool: Tool, platform: Platform, login_state: LoginState, launched: Launch) -> tuple[str, str]:
    """(visit id, proof) of the new visit."""
    visit_id, proof, now = secrets.token_urlsafe(16), secrets.token_urlsafe(32), tool.clock.now()
    new = NewVisit(
        visit_id=visit_id,
        proof_hash=hash_proof(proof),
        nonce=login_state.nonce,
        nonce_expires_at=now + STATE_LIFE + MAX_TOKEN_AGE + LEEWAY,
        platform_id=platform.platform_id,
        deployment_id=launched.deployment_id,
        sub=launched.sub,
        is_teacher=launched.roles.is_teacher,
        is_learner=launched.roles.is_learner,
        resource_link_id=launched.resource_link_id,
        context_id=launched.context_id,
        context_title=launched.context_title,
        return_url=launched.return_url,
        locale=launched.locale,
        line_item_url=launched.line_item_url,
        line_items_url=launched.line_items_url,
        ags_scopes=launched.ags_scopes,
        memberships_url=launched.memberships_url,
        custom_series_id=launched.custom_series_id,
        custom_session_id=launched.custom_session_id,
    )
    try:
        with tool.database.write() as connection:
            open_visit(connection, new, now=now)
    except NonceSpent as error:
        raise Refused(RefusalCode.NONCE_SPENT, return_url=launched.return_url) from error
    except DeploymentUnknown as error:
        raise Refused(
            RefusalCode.DEPLOYMENT_UNKNOWN,
            platform=platform.slug,
            deployment_id=launched.deployment_id,
            return_url=launched.return_url,
        ) from error
    except NoSeries as error:
        raise Refused(RefusalCode.NO_SERIES, return_url=launched.return_url) from error
    return visit_id, proof
