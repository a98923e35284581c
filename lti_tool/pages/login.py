"""The login: what an LMS sends first, and the step of ours that finds out who can keep the browser's proof.

Security Framework 1.0, section 5.1.1: https://www.imsglobal.org/spec/security/v1p0#openid_connect_launch_flow
LTI OIDC Login with LTI Client Side postMessages 0.1: https://www.imsglobal.org/spec/lti-cs-oidc/v0p1
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from lti_tool.pages.platforms import platform_of_login, platform_of_state
from lti_tool.pages.redirects import go_away, go_to
from lti_tool.pages.visit_proof import add_cookie
from lti_tool.protocol.constants import STATE_LIFE
from lti_tool.protocol.login import (
    PROOF_NAME_START,
    BegunLogin,
    Keeper,
    LoginRequest,
    authorization_url,
    begin_login,
    check_platform,
    open_state,
    proof_name,
    read_login,
    same_browser,
)
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.security_headers import origin
from lti_tool.tool import Tool, the_tool

blueprint = Blueprint("login", __name__, url_prefix="/lti")

MAX_LOGIN_COOKIES = 20  # all of them are sent with every login and launch: more would fill the request's header


def read_form() -> None:
    """First of all, so that a form that is too large is a refusal like any other."""
    try:
        _ = request.form
    except RequestEntityTooLarge as error:
        raise Refused(RefusalCode.TOO_LARGE) from error


blueprint.before_request(read_form)


@blueprint.route("/login", methods=["GET", "POST"])
@blueprint.route("/login/<platform_slug>", methods=["GET", "POST"])
def login(platform_slug: str | None = None) -> Response:
    """Begin a login. Writes nothing; the cookie of this login is looked for one step later, at `check`."""
    tool = the_tool()
    wanted = read_login(request.values, public_url=tool.settings.public_url)
    platform = platform_of_login(tool, wanted, platform_slug)
    check_platform(wanted, platform)
    wait_s = tool.login_pace.wait_s(platform.platform_id)
    if wait_s:
        raise Refused(RefusalCode.LOGINS_TOO_FAST, platform=platform.slug, retry_after_s=wait_s)
    begun = begin_login(wanted, platform, secret_key=tool.settings.secret_key, now=tool.clock.now())
    query = urlencode({"state": begun.state, **_as_sent(wanted, platform)})
    response = go_to(f"/lti/check?{query}")
    _set_proof_cookie(response, begun)
    _drop_oldest_proof_cookies(response)
    return response


@blueprint.get("/check")
def check() -> Response | str:
    """One step of ours between login and LMS: did the browser keep the cookie?

    It is asked here, because Moodle spends its message hint at the first visit of its authorization endpoint: without
    the cookie, the LMS's own storage is tried, or the same login is offered in a new tab, while the hint is still good.
    """
    tool = the_tool()
    state_text = request.args.get("state", "")
    state = open_state(state_text, secret_key=tool.settings.secret_key, now=tool.clock.now())
    platform = platform_of_state(tool, state.platform_id)
    wanted = read_login(request.args, public_url=tool.settings.public_url)
    check_platform(wanted, platform)
    if state.keeper is Keeper.COOKIE and same_browser(request.cookies.get(proof_name(state_text), ""), state):
        return go_away(_url_at_lms(tool, platform, wanted, state_text, state.nonce))
    if wanted.lti_storage_target is not None:
        return _store_proof_at_lms(tool, platform, wanted)
    return render_template("new_tab.html", login_url=_login_url(tool, platform, wanted), in_frame=_is_framed())


def _store_proof_at_lms(tool: Tool, platform: Platform, wanted: LoginRequest) -> str:
    """A page that hands the proof of a new login to the LMS, in this browser, and then goes on to the LMS.

    The new login is needed because the proof of the first one was in the cookie alone.
    """
    begun = begin_login(
        wanted,
        platform,
        secret_key=tool.settings.secret_key,
        now=tool.clock.now(),
        keeper=Keeper.PLATFORM_STORAGE,
    )
    return render_template(
        "store_proof.html",
        storage_target=wanted.lti_storage_target,
        storage_origin=origin(platform.authorization_endpoint),
        proof_name=proof_name(begun.state),
        proof=begun.proof,
        next_url=_url_at_lms(tool, platform, wanted, begun.state, begun.nonce),
        login_url=_login_url(tool, platform, wanted),
    )


def _url_at_lms(tool: Tool, platform: Platform, wanted: LoginRequest, state: str, nonce: str) -> str:
    return authorization_url(
        platform,
        state=state,
        nonce=nonce,
        login_hint=wanted.login_hint,
        lti_message_hint=wanted.lti_message_hint,
        redirect_uri=f"{tool.settings.public_url}/lti/launch",
    )


def _login_url(tool: Tool, platform: Platform, wanted: LoginRequest) -> str:
    """The same login once more, for a tab of its own, where there is no LMS around us that could store anything."""
    again = {name: value for name, value in _as_sent(wanted, platform).items() if name != "lti_storage_target"}
    return f"{tool.settings.public_url}/lti/login/{platform.slug}?{urlencode(again)}"


def _as_sent(wanted: LoginRequest, platform: Platform) -> dict[str, str]:
    optional = {
        "lti_message_hint": wanted.lti_message_hint,
        "client_id": platform.client_id,
        "lti_deployment_id": wanted.lti_deployment_id,
        "lti_storage_target": wanted.lti_storage_target,
    }
    required = {"login_hint": wanted.login_hint, "iss": wanted.issuer, "target_link_uri": wanted.target_link_uri}
    return required | {name: value for name, value in optional.items() if value is not None}


def _is_framed() -> bool:
    """https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header; a browser that does not say counts as framed."""
    return request.headers.get("Sec-Fetch-Dest") != "document"


def _set_proof_cookie(response: Response, begun: BegunLogin) -> None:
    add_cookie(
        response,
        proof_name(begun.state),
        begun.proof,
        life=STATE_LIFE,
        path="/lti",
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )


def _drop_oldest_proof_cookies(response: Response) -> None:
    """Browsers send the oldest cookies of a path first: https://www.rfc-editor.org/rfc/rfc6265#section-5.4"""
    proofs = [name for name in request.cookies if name.startswith(PROOF_NAME_START)]
    for name in proofs[: -(MAX_LOGIN_COOKIES - 1)]:
        response.delete_cookie(name, path="/lti", secure=True, httponly=True, samesite="None", partitioned=True)
