"""A visit itself: into a tab of its own, and its end."""

import secrets

import structlog
from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.pages.redirects import go_to
from lti_tool.pages.visit_proof import (
    VisitOver,
    check_form,
    drop_visit_cookie,
    hash_proof,
    is_our_own_form,
    proved_visit,
    set_visit_cookie,
    with_visit,
)
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.protocol.ticket import open_ticket
from lti_tool.tool import the_tool
from series.people import VISIT_LIFE, Visit
from series.store.visits import TicketSpent, close_visit, move_visit

blueprint = Blueprint("visit", __name__, url_prefix="/visit/<visit_id>")
log = structlog.get_logger()


@blueprint.post("/open")
def open_in_own_tab(visit_id: str) -> Response:
    """Take the visit to this tab by a ticket from our own page in the LMS's frame.

    Whoever sends the form twice is shown the visit once more, if the first answer has reached this browser.
    """
    tool, now = the_tool(), the_tool().clock.now()
    ticket_text = request.form.get("ticket", "")
    if not is_our_own_form():
        raise Refused(RefusalCode.TICKET_INVALID)
    ticket = open_ticket(ticket_text, visit_id=visit_id, secret_key=tool.settings.secret_key, now=now)
    response = go_to(f"/visit/{visit_id}/")
    proof = secrets.token_urlsafe(32)
    try:
        with tool.database.write() as connection:
            move_visit(
                connection,
                visit_id,
                ticket_nonce=ticket.nonce,
                nonce_expires_at=now + VISIT_LIFE,
                proof_hash=hash_proof(proof),
            )
    except TicketSpent as spent:
        try:
            proved_visit(visit_id)
        except VisitOver:
            raise Refused(RefusalCode.TICKET_SPENT) from spent
        return response
    set_visit_cookie(response, visit_id, proof)
    return response


@blueprint.post("/sign-out")
@with_visit
def sign_out(visit: Visit) -> Response:
    """Close the visit in this browser. What was recorded stays."""
    check_form("sign-out")
    with the_tool().database.write() as connection:
        close_visit(connection, visit.visit_id)
    response = make_response(render_template("signed_out.html", return_url=visit.return_url))
    drop_visit_cookie(response, visit.visit_id)
    return response
