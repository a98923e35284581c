"""The page that an LMS opens, often in a frame, to have us registered there; and the last page: what is left to do.

LTI Dynamic Registration 1.0: https://www.imsglobal.org/spec/lti-dr/v1p0
"""

from contextlib import suppress
from datetime import timedelta

import msgspec
import structlog
from flask import Blueprint, Response, abort, make_response, render_template, request

from lms.errors import LmsError
from lms.products import Product
from lti_tool.pages.redirects import go_to
from lti_tool.pages.register_invitation import (
    check_own_form,
    invitation_of,
    open_invitation,
    register_page_of,
    take_a_try,
)
from lti_tool.pages.register_steps import STEPS
from lti_tool.pages.register_words import ASKED, ProblemWords, missing_words, problem_words
from lti_tool.protocol.constants import MAX_ADDRESS_BYTES
from lti_tool.protocol.registration import Registered, RegistrationFailed, RegistrationFault, asked_scopes
from lti_tool.protocol.seal import SealBroken, SealExpired, open_seal, seal
from lti_tool.register_lms import MAX_TOKEN_CHARS, Asked, NotSaved, claim, look_at, may_have_registered, register
from lti_tool.tool import Tool, the_tool
from series.lms_invitations import LmsInvitation, Standing
from series.store.database import DatabaseBusy, DatabaseUnreachable
from series.store.deployments import list_deployments
from series.store.lms_invitations import Claim, InvitationOver, UniversityBusy, let_go, note_problem
from series.store.universities import AlreadyThere, get_platform

blueprint = Blueprint("register", __name__, url_prefix="/lti/register/<token>")
PURPOSE = "lms registration"
FORM_LIFE = timedelta(hours=1)  # as the tokens of Moodle and Canvas
log = structlog.get_logger()
_ASKED = msgspec.json.Decoder(Asked)
Failure = RegistrationFailed | LmsError | InvitationOver | UniversityBusy | AlreadyThere | NotSaved


@blueprint.get("")
def show(token: str) -> Response | str:
    """With `openid_configuration` an LMS has opened it, and it is the question; without, a person has."""
    if "openid_configuration" not in request.args:
        return register_page_of(token)
    tool, invitation = the_tool(), open_invitation(token)
    take_a_try(tool, invitation)
    try:
        asked = _asked_of(invitation)
        offer = look_at(tool, asked.openid_configuration, asked.registration_token)
    except (RegistrationFailed, LmsError) as failure:
        words = problem_words(failure)
        with tool.database.write() as connection:
            note_problem(connection, invitation, problem=f"{words.what} {words.next}", now=tool.clock.now())
        return _failed(invitation, failure, words, token)
    return render_template(
        "register.html",
        token=token,
        university=invitation.university,
        approves=invitation.approves,
        configuration=offer.configuration,
        product=STEPS[offer.product],
        asked=[ASKED[scope] for scope in asked_scopes(offer.configuration) if scope in ASKED],
        sealed=seal(asked, secret_key=tool.settings.secret_key, purpose=PURPOSE, now=tool.clock.now()),
    )


@blueprint.post("")
def register_lms(token: str) -> Response:
    check_own_form()
    tool, invitation = the_tool(), open_invitation(token)
    take_a_try(tool, invitation)
    try:
        asked = _sealed_of(invitation)
        held = claim(tool, invitation.invitation_id)
    except (RegistrationFailed, InvitationOver, UniversityBusy) as failure:
        return _failed(invitation, failure, problem_words(failure), token)
    try:
        register(tool, held, asked, asks_names="no_names" not in request.form)
    except (RegistrationFailed, LmsError, InvitationOver, AlreadyThere, NotSaved) as failure:
        return _let_go(tool, held, failure, token)
    return go_to(f"/lti/register/{token}/done")


@blueprint.get("/done")
def done(token: str) -> Response | str:
    tool, invitation = the_tool(), invitation_of(token)
    if invitation.standing(tool.clock.now()) is not Standing.USED or invitation.platform_id is None:
        return go_to(f"/lti/register/{token}")
    with tool.database.read() as connection:
        platform = get_platform(connection, invitation.platform_id)
        deployments = list_deployments(connection, platform_id=invitation.platform_id)
    if platform is None:
        abort(404)
    scopes = None if platform.granted_scopes is None else tuple(platform.granted_scopes.split())
    registered = Registered(client_id=platform.client_id, deployment_id=None, scopes=scopes)
    return render_template(
        "register_done.html",
        university=invitation.university,
        platform=platform,
        product=STEPS[Product(platform.product)],
        deployment_id=deployments[0].deployment_id if deployments else None,
        missing=missing_words(registered.missing_scopes),
    )


def _asked_of(invitation: LmsInvitation) -> Asked:
    """What cannot be called is refused by the client, where it is called. Raises RegistrationFailed."""
    url, token = request.args["openid_configuration"], request.args.get("registration_token") or None
    is_header = token is None or (token.isascii() and token.isprintable() and len(token) <= MAX_TOKEN_CHARS)
    if len(url) > MAX_ADDRESS_BYTES or not is_header:
        raise RegistrationFailed(RegistrationFault.ADDRESS_MALFORMED)
    return Asked(invitation_id=invitation.invitation_id, openid_configuration=url, registration_token=token)


def _sealed_of(invitation: LmsInvitation) -> Asked:
    """Raises RegistrationFailed."""
    tool = the_tool()
    try:
        asked = open_seal(
            request.form.get("sealed", ""),
            _ASKED,
            secret_key=tool.settings.secret_key,
            purpose=PURPOSE,
            now=tool.clock.now(),
            life=FORM_LIFE,
        )
    except (SealBroken, SealExpired) as error:
        raise RegistrationFailed(RegistrationFault.FORM_OVER) from error
    if asked.invitation_id != invitation.invitation_id:
        raise RegistrationFailed(RegistrationFault.FORM_OVER)
    return asked


def _let_go(tool: Tool, held: Claim, failure: Failure, token: str) -> Response:
    """Where the database cannot be had, the claim ends by itself; what may be left in the LMS is said in any case."""
    words = problem_words(failure)
    with suppress(DatabaseBusy, DatabaseUnreachable), tool.database.write() as connection:
        let_go(connection, held, problem=f"{words.what} {words.next}", now=tool.clock.now())
    return _failed(held.invitation, failure, words, token, leaves_a_tool=may_have_registered(failure))


def _failed(
    invitation: LmsInvitation, failure: Failure, words: ProblemWords, token: str, *, leaves_a_tool: bool = False
) -> Response:
    cause = getattr(failure, "fault", None) or getattr(failure, "standing", None) or type(failure).__name__
    log.warning("registration_refused", university=invitation.university.slug, cause=str(cause))
    page = render_template(
        "register_failed.html",
        university=invitation.university,
        token=token,
        words=words,
        leaves_a_tool=leaves_a_tool,
    )
    return make_response(page, words.status)
