"""An administrator's launch: from the visit, in the LMS's frame, to the pages of staff in a tab of their own.

The role by itself opens nothing. Whoever has an account here signs in once and says that both are them; from then on
the launch signs them in. The cookie of staff is never set or read inside a frame.
"""

import secrets

from flask import Blueprint, Response, abort, make_response, render_template

from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.protocol.binding_ticket import Opens, new_binding_ticket
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.staff import LAUNCH_SIGNS_IN_FOR
from series.store.bindings import bound_account

blueprint = Blueprint("administrator", __name__, url_prefix="/visit/<visit_id>/administrator")


@blueprint.post("/")
@with_visit
def open_way(visit: Visit) -> Response:
    """A page with one button, which carries a ticket into a new tab. A launch of long ago signs nobody in: the visit
    may still stand open at a computer that its owner has left."""
    check_form("administrator")
    if not may(visit, Action.USE_BINDING):
        abort(403)
    tool = the_tool()
    opens = Opens.SESSION if is_bound(visit) else Opens.QUESTION
    if opens is Opens.SESSION and not visit.is_younger_than(LAUNCH_SIGNS_IN_FOR, tool.clock.now()):
        return make_response(render_template("administrator_late.html", visit=visit))
    ticket = new_binding_ticket(
        visit.visit_id,
        opens,
        nonce=secrets.token_urlsafe(32),
        secret_key=tool.settings.secret_key,
        now=tool.clock.now(),
    )
    page = render_template("administrator.html", visit=visit, ticket=ticket, is_bound=opens is Opens.SESSION)
    return make_response(page)


def is_bound(visit: Visit) -> bool:
    """Whether this launch leads to an account that works."""
    with the_tool().database.read() as connection:
        return bound_account(connection, visit.participant_id) is not None
