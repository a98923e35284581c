"""Whether somebody of the staff and a person in an LMS are the same: asked once, told to both, undone at any time.

A ticket comes only in a form of our own page, so only in the browser that holds the visit: a link with somebody else's
ticket would make their launch open the pages of whoever follows it.
"""

import secrets

import structlog
from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.present_password import ask_present_password
from lti_tool.pages.redirects import go_to
from lti_tool.pages.staff_proof import (
    HOME,
    check_form,
    cookie_attributes,
    host_cookie,
    session_hash_of_browser,
    set_staff_cookie,
    who,
    with_staff,
)
from lti_tool.pages.staff_words import wait_in_words
from lti_tool.pages.visit_proof import hash_proof, is_our_own_form
from lti_tool.protocol.binding_ticket import BindingTicket, Opens, TicketOver, open_binding_ticket
from lti_tool.protocol.constants import TICKET_LIFE
from lti_tool.tool import the_tool
from series.people import VISIT_LIFE, Visit
from series.permissions import Action, may
from series.staff import Staff
from series.store.bindings import NotBound, bind, bound_account, open_bound_session, undo_binding
from series.store.database import Connection
from series.store.staff import AccountChanged
from series.store.visits import TicketSpent, find_visit

blueprint = Blueprint("bind", __name__, url_prefix="/admin/bind")
log = structlog.get_logger()
COOKIE = "bind"


@blueprint.errorhandler(TicketOver)
@blueprint.errorhandler(TicketSpent)
@blueprint.errorhandler(NotBound)
@blueprint.errorhandler(AccountChanged)
def _over(error: Exception) -> Response:
    """One page for all: whoever comes with a ticket that is not theirs learns nothing of why."""
    log.warning("binding_refused", reason=type(error).__name__)
    return make_response(render_template("bind_over.html"), 403)


@blueprint.post("/")
def begin() -> Response:
    """The ticket stays with this browser while its owner signs in, out of every address and history."""
    ticket_text = _ticket_of_form()
    open_binding_ticket(
        ticket_text, Opens.QUESTION, secret_key=the_tool().settings.secret_key, now=the_tool().clock.now()
    )
    response = go_to("/admin/bind/")
    life_s = int(TICKET_LIFE.total_seconds())
    response.set_cookie(host_cookie(COOKIE), ticket_text, max_age=life_s, **cookie_attributes())
    return response


@blueprint.get("/")
@with_staff
def ask(staff: Staff) -> Response:
    """Of whom they are to say that it is them: which LMS, and under which number it knows the person."""
    with the_tool().database.read() as connection:
        visit = _visit_of(connection, _kept_ticket())
    is_theirs = may(staff, Action.USE_BINDING, visit.university)
    return _question_page(staff, visit if is_theirs else None, status=200 if is_theirs else 403)


@blueprint.post("/confirm")
@with_staff
def confirm(staff: Staff) -> Response:
    """With the password, once more: what is said here lets somebody in without it from now on."""
    tool, now = the_tool(), the_tool().clock.now()
    ticket = _kept_ticket()
    with tool.database.read() as connection:
        visit = _visit_of(connection, ticket)
    check_form(f"bind {visit.participant_id}")
    if not may(staff, Action.USE_BINDING, visit.university):
        abort(403)
    asked = ask_present_password(staff)
    if asked.account is None:
        return _question_page(staff, visit, is_wrong=not asked.wait_s, wait_s=asked.wait_s)
    with tool.database.write() as connection:
        visit = _visit_of(connection, ticket)  # it may have ended meanwhile
        bind(connection, visit, staff, ticket_nonce=ticket.nonce, nonce_expires_at=now + VISIT_LIFE, now=now)
    response = go_to(f"{HOME}?saved=bound")
    response.delete_cookie(host_cookie(COOKIE), **cookie_attributes())
    return response


@blueprint.post("/open")
def open_pages() -> Response:
    """Sign in whom the launch is bound to, in this tab."""
    tool, now, secret = the_tool(), the_tool().clock.now(), secrets.token_urlsafe(32)
    ticket = open_binding_ticket(_ticket_of_form(), Opens.SESSION, secret_key=tool.settings.secret_key, now=now)
    with tool.database.write() as connection:
        account = open_bound_session(
            connection,
            ticket.visit_id,
            ticket_nonce=ticket.nonce,
            nonce_expires_at=now + VISIT_LIFE,
            session_hash=hash_proof(secret),
            old_session_hash=session_hash_of_browser(),
            now=now,
        )
    log.info("staff_signed_in", staff_id=account.staff_id, by="launch")
    response = go_to("/admin/lms/")
    set_staff_cookie(response, secret)
    return response


@blueprint.post(f"/<{ANY_ID}:participant_id>/undo")
@with_staff
def undo(staff: Staff, participant_id: int) -> Response:
    """Of one's own."""
    check_form(f"undo-binding {participant_id}")
    with the_tool().database.write() as connection:
        undo_binding(connection, staff.staff_id, participant_id, actor=who(staff), now=the_tool().clock.now())
    return go_to(f"{HOME}?saved=unbound")


def _question_page(
    staff: Staff, visit: Visit | None, *, is_wrong: bool = False, wait_s: int = 0, status: int = 422
) -> Response:
    """`visit` None: it is not theirs to bind."""
    already = None
    if visit is not None:
        with the_tool().database.read() as connection:
            already = bound_account(connection, visit.participant_id)
    page = render_template(
        "bind.html",
        staff=staff,
        visit=visit,
        is_bound=already is not None and already.staff_id == staff.staff_id,
        is_wrong=is_wrong,
        wait=wait_in_words(wait_s) if wait_s else "",
    )
    response = make_response(page, 429 if wait_s else status)
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response


def _ticket_of_form() -> str:
    """Raises TicketOver unless a page of ours has sent it, into a tab of its own: browsers say what an answer is for.
    https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header"""
    if not is_our_own_form() or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        raise TicketOver
    return request.form.get("ticket", "")


def _kept_ticket() -> BindingTicket:
    """Raises TicketOver."""
    tool = the_tool()
    text = request.cookies.get(host_cookie(COOKIE), "")
    return open_binding_ticket(text, Opens.QUESTION, secret_key=tool.settings.secret_key, now=tool.clock.now())


def _visit_of(connection: Connection, ticket: BindingTicket) -> Visit:
    """Raises TicketOver when the visit is over, or is no administrator's."""
    found = find_visit(connection, ticket.visit_id, now=the_tool().clock.now())
    if found is None or not found.is_open or not may(found.visit, Action.USE_BINDING):
        raise TicketOver
    return found.visit
