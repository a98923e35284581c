"""The host's page: open the check-in and show its code, large."""

from uuid import UUID

from flask import Blueprint, Response, abort, render_template

from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.check_in import new_code
from series.people import Visit
from series.permissions import Action, may
from series.sessions import Session
from series.store.audit import append_audit
from series.store.check_ins import check_ins_of, open_check_in
from series.store.sessions import get_session

blueprint = Blueprint("host", __name__, url_prefix="/visit/<visit_id>/sessions/<uuid:session_id>/code")


@blueprint.get("/")
@with_visit
def show_code(visit: Visit, session_id: UUID) -> str:
    tool = the_tool()
    session, now = _hosted_session(visit, session_id), tool.clock.now()
    with tool.database.read() as connection:
        openings = check_ins_of(connection, session_id)
    return render_template(
        "host_code.html",
        visit=visit,
        session=session,
        times=times_of(session, visit.university.time_zone),
        opening=next((opening for opening in openings if opening.is_open(now)), None),
        was_open=bool(openings),
        now=now,
    )


@blueprint.post("/")
@with_visit
def open_now(visit: Visit, session_id: UUID) -> Response:
    """Open the check-in, unless it is open: two hosts who press at once get the same code."""
    check_form(f"open-check-in {session_id}")
    tool = the_tool()
    session, now = _hosted_session(visit, session_id), tool.clock.now()
    if not session.is_running(now):
        abort(409)
    with tool.database.write() as connection:
        if not any(opening.is_open(now) for opening in check_ins_of(connection, session_id)):
            open_check_in(
                connection, session_id=session_id, code=new_code(), participant_id=visit.participant_id, now=now
            )
            append_audit(
                connection,
                actor=f"participant {visit.participant_id}",
                action=Action.OPEN_CHECK_IN,
                thing=f"session {session_id}",
                now=now,
            )
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/code/")


def _hosted_session(visit: Visit, session_id: UUID) -> Session:
    with the_tool().database.read() as connection:
        session = get_session(connection, session_id)
    if session is None:
        abort(404)
    if not may(visit, Action.OPEN_CHECK_IN, session):
        abort(403)
    return session
