"""The launch: the LMS's message comes back to the browser that began the login, and opens a visit.

Security Framework 1.0, section 5.1.1.3: https://www.imsglobal.org/spec/security/v1p0#step-3-authentication-response
"""

import secrets

import structlog
from flask import Blueprint, Response, after_this_request, g, render_template, request

from lms.errors import safe_code
from lms.key_cache import KeysUnreachable
from lti_tool.pages.let_in import refusing
from lti_tool.pages.login import read_form
from lti_tool.pages.pick_begin import answer_deep_linking
from lti_tool.pages.platforms import platform_of_state
from lti_tool.pages.redirects import go_to
from lti_tool.pages.start_again import ask_to_start_again, says_start_again
from lti_tool.pages.visit_proof import (
    drop_visit_cookie,
    hash_proof,
    is_our_own_form,
    proof_of_login,
    set_visit_cookie,
)
from lti_tool.protocol import id_token
from lti_tool.protocol.claims import Claims
from lti_tool.protocol.constants import DEEP_LINKING_REQUEST, NONCE_LIFE
from lti_tool.protocol.launch import Launch, read_launch
from lti_tool.protocol.login import Keeper, LoginState, open_state, proof_name, same_browser
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.protocol.ticket import new_ticket
from lti_tool.security_headers import origin
from lti_tool.tool import Tool, the_tool
from series.store.launch_values import NewVisit
from series.store.launches import LaunchesTooFast, NonceSpent, OpenedVisit, PersonErased, open_visit
from series.store.placements import NoSeries

blueprint = Blueprint("launch", __name__, url_prefix="/lti")
blueprint.before_request(read_form)
log = structlog.get_logger()


@blueprint.post("/launch")
def launch() -> Response | str:
    """Check everything that binds the message to its login, then open the visit and go there by 303."""
    tool = the_tool()
    state_text = request.form.get("state", "")
    login_state = open_state(state_text, secret_key=tool.settings.secret_key, now=tool.clock.now())
    platform = platform_of_state(tool, login_state.platform_id)
    structlog.contextvars.bind_contextvars(platform=platform.slug)
    if login_state.keeper is Keeper.PLATFORM_STORAGE and "proof" not in request.form:
        return _ask_lms_for_proof(state_text, login_state, platform)
    login_proof = _proof(state_text, login_state)
    if not same_browser(login_proof, login_state):
        raise Refused(RefusalCode.BROWSER_CHANGED, return_url=_return_url(tool, platform, login_state))
    _pass_on_lms_error(platform)
    claims = _verified_claims(tool, platform, login_state)
    if claims.message_type == DEEP_LINKING_REQUEST:
        answer = answer_deep_linking(tool, platform, login_state, claims)
        tool.arrivals.note(platform.platform_id, g.verified_payload)
        return answer
    launched = read_launch(claims, login_state, public_url=tool.settings.public_url)
    return _open_and_answer(tool, platform, login_state, launched, login_proof)


@blueprint.get("/launch")
def launch_by_get() -> Response:
    raise Refused(RefusalCode.METHOD_NOT_POST)


def _open_and_answer(
    tool: Tool, platform: Platform, login_state: LoginState, launched: Launch, login_proof: str
) -> Response | str:
    visit_id = secrets.token_urlsafe(16)
    proof = proof_of_login(login_proof, visit_id)
    new = _new_visit(tool, platform, login_state, launched, visit_id=visit_id, proof=proof)
    try:
        opened = _open_visit(tool, new)
    except PersonErased:
        return ask_to_start_again(launched.return_url)
    except NonceSpent as spent:
        if login_state.keeper is Keeper.PLATFORM_STORAGE and spent.visit_id:
            return _offer_own_tab(tool, spent.visit_id)  # the frame was reloaded; the button still works once
        go_on_url = _give_cookie_again(spent.visit_id, login_proof) if spent.visit_id else None
        raise Refused(RefusalCode.NONCE_SPENT, go_on_url=go_on_url, return_url=launched.return_url) from spent
    tool.arrivals.note(platform.platform_id, g.verified_payload)  # after all that could refuse the launch
    log.info("launched", teacher=launched.roles.is_teacher, keeper=login_state.keeper.value)
    tool.queue.enqueue_all("deliver", opened.delivery_ids)
    if login_state.keeper is Keeper.PLATFORM_STORAGE:
        return _offer_own_tab(tool, visit_id)
    response = go_to(f"/visit/{visit_id}/")
    # The login's cookie stays for its ten minutes: a form that is sent again is told that its launch was used, and not
    # that another browser had begun it.
    set_visit_cookie(response, visit_id, proof)
    for dropped_id in opened.dropped_visit_ids:
        drop_visit_cookie(response, dropped_id)
    return response


def _proof(state_text: str, login_state: LoginState) -> str:
    """What this browser has to show for the login.

    A value from platform storage is taken only from our own page, which has asked the LMS for it in this browser:
    whoever began the login knows the value, and could have another browser post it.
    """
    if login_state.keeper is Keeper.COOKIE:
        return request.cookies.get(proof_name(state_text), "")
    return request.form["proof"] if is_our_own_form() else ""


def _ask_lms_for_proof(state_text: str, login_state: LoginState, platform: Platform) -> str:
    """A page that asks the LMS, in this browser, for what it keeps of the login, and posts the same form with it.

    Nothing of the message is believed yet.
    """
    names = ("state", "id_token", "error", "error_description")
    return render_template(
        "fetch_proof.html",
        storage_target=login_state.lti_storage_target,
        storage_origin=origin(platform.authorization_endpoint),
        proof_name=proof_name(state_text),
        fields={name: request.form[name] for name in names if name in request.form},
    )


def _offer_own_tab(tool: Tool, visit_id: str) -> str:
    """This frame keeps no cookies, so the visit opens in a tab of its own, by a ticket that is good for one use."""
    ticket = new_ticket(visit_id, secret_key=tool.settings.secret_key, now=tool.clock.now())
    return render_template("own_tab.html", visit_id=visit_id, ticket=ticket)


def _return_url(tool: Tool, platform: Platform, login_state: LoginState) -> str | None:
    """The signed way back to the course, for a launch that fails for its browser alone."""
    try:
        return _verified_launch(tool, platform, login_state).return_url
    except Refused:
        return None


def _verified_launch(tool: Tool, platform: Platform, login_state: LoginState) -> Launch:
    claims = _verified_claims(tool, platform, login_state)
    return read_launch(claims, login_state, public_url=tool.settings.public_url)


def _pass_on_lms_error(platform: Platform) -> None:
    """OpenID Connect Core 3.1.2.6: the LMS may answer with an error in place of a token."""
    error = request.form.get("error")
    if error:
        raise Refused(
            RefusalCode.LMS_ERROR,
            platform=platform.slug,
            lms_code=safe_code(error),
            lms_error=error[:200],
            lms_words=request.form.get("error_description", "")[:500],
        )


def _verified_claims(tool: Tool, platform: Platform, login_state: LoginState) -> Claims:
    unverified_token = id_token.read_token(request.form.get("id_token", ""))
    kid = unverified_token.key_id
    try:
        keys = tool.platform_keys.key_set(platform.platform_id, platform.jwks_uri, wanted_kid=kid)
    except KeysUnreachable as error:
        raise Refused(RefusalCode.KEYS_UNREACHABLE, platform=platform.slug, retry_after_s=5) from error
    key = id_token.find_key(keys, kid)
    if key is None:
        raise Refused(RefusalCode.KEY_UNKNOWN, platform=platform.slug)
    now = tool.clock.now()
    claims = id_token.verify(unverified_token, key=key, platform=platform, nonce=login_state.nonce, now=now)
    g.verified_payload = unverified_token.parts.payload
    return claims


def _give_cookie_again(visit_id: str, login_proof: str) -> str:
    """The path of the visit that this browser's own login has opened. Of a double click, the browser may have dropped
    the answer that brought the visit's cookie."""

    @after_this_request
    def give(response: Response) -> Response:
        set_visit_cookie(response, visit_id, proof_of_login(login_proof, visit_id))
        return response

    return f"/visit/{visit_id}/"


def _new_visit(
    tool: Tool, platform: Platform, login_state: LoginState, launched: Launch, *, visit_id: str, proof: str
) -> NewVisit:
    return NewVisit(
        visit_id=visit_id,
        proof_hash=hash_proof(proof),
        nonce=login_state.nonce,
        nonce_expires_at=tool.clock.now() + NONCE_LIFE,
        platform_id=platform.platform_id,
        university_id=platform.university_id,
        issuer=platform.issuer,
        deployment_id=launched.deployment_id,
        sub=launched.sub,
        is_teacher=launched.roles.is_teacher,
        is_learner=launched.roles.is_learner,
        is_test_user=launched.roles.is_test_user,
        is_administrator=launched.roles.is_administrator,
        resource_link_id=launched.resource_link_id,
        context_id=launched.context_id,
        context_title=launched.context_title,
        context_history=launched.context_history,
        resource_link_history=launched.resource_link_history,
        return_url=launched.return_url,
        locale=launched.locale,
        line_item_url=launched.line_item_url,
        line_items_url=launched.line_items_url,
        ags_scopes=launched.ags_scopes,
        memberships_url=launched.memberships_url,
        starts_again=says_start_again(),
        custom_series_id=launched.custom_series_id,
        custom_session_id=launched.custom_session_id,
    )


def _open_visit(tool: Tool, new: NewVisit) -> OpenedVisit:
    """In one transaction, or not at all. Raises Refused, NonceSpent or PersonErased.

    It does not wait for the disk: what a power cut may take, the next launch brings back, also the scores it queues.
    """
    back = {"return_url": new.return_url}
    try:
        with refusing(tool, new, **back), tool.database.write(wait_for_disk=False) as connection:
            return open_visit(connection, new, now=tool.clock.now(), secret_key=tool.settings.secret_key)
    except LaunchesTooFast as error:
        raise Refused(RefusalCode.LAUNCHES_TOO_FAST, retry_after_s=error.wait_s, **back) from error
    except NoSeries as error:
        raise Refused(RefusalCode.NO_SERIES, **back) from error
