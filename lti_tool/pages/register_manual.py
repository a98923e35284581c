"""By invitation, by hand: where a link does not work, or the LMS has no Dynamic Registration."""

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.foreign_clients import refuse_foreign_client
from lti_tool.pages.manual_registration import Typed, blank, checked, form_values, looked_up, new_platform, read_typed
from lti_tool.pages.redirects import go_to
from lti_tool.pages.register_invitation import check_own_form, open_invitation, take_a_try
from lti_tool.pages.register_words import problem_words
from lti_tool.tool import the_tool
from series.lms_invitations import LmsInvitation
from series.store.lms_invitations import InvitationOver, use_invitation
from series.store.universities import AlreadyThere, free_slug

blueprint = Blueprint("register_manual", __name__, url_prefix="/lti/register/<token>/manual")


@blueprint.get("")
def show(token: str) -> Response:
    invitation = open_invitation(token)
    return _page(invitation, token, blank(_free_slug(invitation)))


@blueprint.post("")
def send(token: str) -> Response:
    """Look the addresses up in the LMS, or save them; `do` says which."""
    check_own_form()
    tool, invitation = the_tool(), open_invitation(token)
    typed = read_typed(invitation.university, _free_slug(invitation))
    if request.form.get("do") == "look_up":
        take_a_try(tool, invitation)
        typed = looked_up(typed)
        return _page(invitation, token, typed, status=422 if typed.faults else 200)
    typed = checked(typed)
    if typed.faults:
        return _page(invitation, token, typed, status=422)
    new = new_platform(typed, invitation.university, is_approved=invitation.approves)
    try:
        with tool.database.write() as connection:
            refuse_foreign_client(connection, new)
            use_invitation(connection, invitation.invitation_id, new, now=tool.clock.now())
    except (InvitationOver, AlreadyThere) as problem:
        words = problem_words(problem)
        return _page(invitation, token, typed, problem=f"{words.what} {words.next}", status=words.status)
    return go_to(f"/lti/register/{token}/done")


def _free_slug(invitation: LmsInvitation) -> str:
    with the_tool().database.read() as connection:
        return free_slug(connection, invitation.university.slug)


def _page(invitation: LmsInvitation, token: str, typed: Typed, *, problem: str = "", status: int = 200) -> Response:
    page = render_template(
        "register_manual.html",
        token=token,
        university=invitation.university,
        problem=problem,
        action=f"/lti/register/{token}/manual",
        form_token="",
        **form_values(typed),
    )
    return make_response(page, status)
