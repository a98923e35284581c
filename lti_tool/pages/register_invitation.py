"""What all pages of an invitation share, and the page for a person who clicks on it: their LMS, step by step."""

from flask import abort, render_template, request

from lms.products import Product
from lti_tool.pages.register_addresses import addresses_of
from lti_tool.pages.register_steps import STEPS
from lti_tool.pages.staff_proof import comes_from_elsewhere
from lti_tool.pages.visit_proof import FormNotOurs
from lti_tool.tool import Tool, the_tool
from series.limits import REGISTRATION_TRIES
from series.lms_invitations import LmsInvitation, make_token, proves, read_token
from series.store.limits import take
from series.store.lms_invitations import InvitationOver, find_invitation
from series.store.universities import free_slug


class TriesTooFast(Exception):
    """By one invitation. `wait_s`: seconds until the next may be made."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


def link_of(invitation: LmsInvitation, tool: Tool) -> str:
    """The whole address: whoever has it may register an LMS of this university, once."""
    token = make_token(invitation, secret_key=tool.settings.secret_key)
    return f"{tool.settings.public_url}/lti/register/{token}"


def invitation_of(token: str) -> LmsInvitation:
    """As it stands. 404 for what is none of ours, or was altered."""
    tool, unproved = the_tool(), read_token(token)
    if unproved is None:
        abort(404)
    with tool.database.read() as connection:
        invitation = find_invitation(connection, unproved.invitation_id)
    if invitation is None or not proves(unproved, invitation, secret_key=tool.settings.secret_key):
        abort(404)
    return invitation


def open_invitation(token: str) -> LmsInvitation:
    """Raises InvitationOver for one that cannot be used any more; one that is just being used may be looked at."""
    invitation = invitation_of(token)
    standing = invitation.standing(the_tool().clock.now())
    if not standing.is_open:
        raise InvitationOver(standing)
    return invitation


def take_a_try(tool: Tool, invitation: LmsInvitation) -> None:
    """Each makes us call an address that somebody else gave. Raises TriesTooFast."""
    with tool.database.write() as connection:
        key = f"lms invitation {invitation.invitation_id}"
        wait_s = take(connection, key, REGISTRATION_TRIES, now=tool.clock.now())
    if wait_s:
        raise TriesTooFast(wait_s)


def check_own_form() -> None:
    """The address is the proof; the form must only not be another site's. Raises FormNotOurs."""
    if comes_from_elsewhere():
        raise FormNotOurs


def register_page_of(token: str) -> str:
    """For a person: which LMS, and what to do there. Raises InvitationOver."""
    tool, invitation = the_tool(), open_invitation(token)
    chosen = request.args.get("lms", "")
    product = Product(chosen) if chosen in set(Product) else None
    with tool.database.read() as connection:
        slug = free_slug(connection, invitation.university.slug)
    return render_template(
        "register_start.html",
        token=token,
        university=invitation.university,
        link=link_of(invitation, tool),
        products=STEPS,
        product=STEPS[product] if product else None,
        chosen=product,
        addresses=addresses_of(tool.settings.public_url, slug, product) if product else [],
    )
