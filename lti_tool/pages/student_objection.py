"""“This is wrong”: to those who teach the course, about one session or about the whole count."""

from uuid import UUID

from flask import Blueprint, Response, abort
from flask_babel import gettext

from lti_tool.pages.redirects import go_to
from lti_tool.pages.student import render_week
from lti_tool.pages.student_forms import Fault, NotTaken, session_for, too_long, typed_text
from lti_tool.pages.student_session import render_session
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.store.objections import MAX_OBJECTION_CHARS, TooManyOpen, raise_objection

blueprint = Blueprint("student_objection", __name__, url_prefix="/visit/<visit_id>")


@blueprint.post("/objection")
@with_visit
def to_the_count(visit: Visit) -> Response:
    check_form("objection")
    if not may(visit, Action.SPEAK_FOR_ONESELF):
        abort(403)
    try:
        _raise(visit, None)
    except NotTaken as error:
        return render_week(visit, fault=error.fault, status=error.fault.status)
    return go_to(f"/visit/{visit.visit_id}/?saved=objection#objection")


@blueprint.post("/sessions/<uuid:session_id>/objection")
@with_visit
def to_a_session(visit: Visit, session_id: UUID) -> Response:
    check_form(f"objection {session_id}")
    session_for(visit, session_id, Action.SPEAK_FOR_ONESELF)
    try:
        _raise(visit, session_id)
    except NotTaken as error:
        return render_session(visit, session_id, error.fault)
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/?saved=objection#objection")


def _raise(visit: Visit, session_id: UUID | None) -> None:
    """Raises NotTaken."""
    text = typed_text()
    if visit.course_id is None:
        words = gettext("This activity belongs to no course that we know, so nobody would read it here.")
        raise _not_taken(words, text)
    if not text:
        raise _not_taken(gettext("Please write what is wrong. Nothing was sent."), text)
    if len(text) > MAX_OBJECTION_CHARS:
        raise too_long("objection", text, MAX_OBJECTION_CHARS)
    try:
        with the_tool().database.write() as connection:
            raise_objection(
                connection,
                participant_id=visit.participant_id,
                course_id=visit.course_id,
                series_id=visit.series_id,
                session_id=session_id,
                text=text,
                now=the_tool().clock.now(),
            )
    except TooManyOpen:
        words = gettext(
            "Several messages of yours wait for an answer already. Please wait for one, or speak to your teacher. This"
            " one was not sent."
        )
        raise _not_taken(words, text) from None


def _not_taken(words: str, text: str) -> NotTaken:
    return NotTaken(Fault(at="objection", words=words, typed=text, status=422))
