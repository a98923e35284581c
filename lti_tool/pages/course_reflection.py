"""One reflection for those who teach its writer: read, or returned with a comment."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import ANY_ID, NO_FAULT, Fault, NotAccepted, fault_of, typed_text
from lti_tool.pages.course_inbox import LONGEST_ANSWER
from lti_tool.pages.course_people import actor, note, read_course, require_course
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import CoursePerson, Visit
from series.permissions import Action, may
from series.reflections import RETURN_GRACE, HandedInAnew, NothingToReturn, ReflectionState
from series.store.audit import append_audit
from series.store.course_reflections import CourseReflection, reflection_of_course
from series.store.database import Connection
from series.store.reflections import mark_read, return_reflection
from series.store.sessions import get_series, get_session

blueprint = Blueprint(
    "course_reflection",
    __name__,
    url_prefix=f"/visit/<visit_id>/course/inbox/reflections/<{ANY_ID}:participant_id>/<uuid:session_id>",
)


@blueprint.get("/")
@with_visit
def show(visit: Visit, participant_id: int, session_id: UUID) -> Response:
    return _page(visit, _reflection_or_404(visit, participant_id, session_id), NO_FAULT)


@blueprint.post("/read")
@with_visit
def read(visit: Visit, participant_id: int, session_id: UUID) -> Response:
    """It waits no more."""
    check_form(f"read {participant_id} {session_id}")
    found = _reflection_to_act_on(visit, participant_id, session_id)
    evidence_id, now = _typed_id(), the_tool().clock.now()

    def carry_out(connection: Connection) -> list[int]:
        mark_read(connection, participant_id=participant_id, session_id=session_id, evidence_id=evidence_id, now=now)
        return []

    return _carry_out(visit, found, "read", carry_out)


@blueprint.post("/return")
@with_visit
def give_back(visit: Visit, participant_id: int, session_id: UUID) -> Response:
    check_form(f"return {participant_id} {session_id}")
    found = _reflection_to_act_on(visit, participant_id, session_id)
    evidence_id, now = _typed_id(), the_tool().clock.now()
    try:
        missing = gettext("Please write a comment: the student is shown it and goes on from there.")
        comment = typed_text("comment", missing=missing, longest=LONGEST_ANSWER)
    except NotAccepted as error:
        return _page(visit, found, fault_of(error))

    def carry_out(connection: Connection) -> list[int]:
        return return_reflection(
            connection,
            participant_id=participant_id,
            session_id=session_id,
            evidence_id=evidence_id,
            comment=comment,
            by=actor(visit),
            now=now,
        )

    return _carry_out(visit, found, "return", carry_out)


def _carry_out(visit: Visit, found: CourseReflection, do: str, change: Callable[[Connection], list[int]]) -> Response:
    """Unless the student was faster: what nobody has read is neither returned nor marked."""
    one, tool = found.reflection, the_tool()
    try:
        with tool.database.write() as connection:
            queued = change(connection)
            append_audit(
                connection,
                actor=actor(visit),
                action=f"{do}_reflection",
                thing=f"participant {one.participant_id}",
                now=tool.clock.now(),
                session=str(one.session_id),
            )
    except NothingToReturn:
        return _to_inbox(visit, "already")
    except HandedInAnew:
        words = gettext("It was handed in anew meanwhile; please read that. Nothing was changed.")
        fault = Fault(words=words, code=409, typed=request.form.to_dict())
        return _page(visit, _reflection_or_404(visit, one.participant_id, one.session_id), fault)
    tool.queue.enqueue_all("deliver", queued)
    return _to_inbox(visit, do)


def _to_inbox(visit: Visit, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/inbox/?saved={saved}#reflections")


def _typed_id() -> int:
    """Of what was read."""
    text = request.form.get("evidence_id", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        abort(400)
    return int(text)


def _reflection_or_404(visit: Visit, participant_id: int, session_id: UUID) -> CourseReflection:
    course_id = require_course(visit)
    with the_tool().database.read() as connection:
        found = reflection_of_course(
            connection,
            course_id=course_id,
            series_id=visit.series_id,
            participant_id=participant_id,
            session_id=session_id,
        )
    if found is None:
        abort(404)
    return found


def _reflection_to_act_on(visit: Visit, participant_id: int, session_id: UUID) -> CourseReflection:
    found = _reflection_or_404(visit, participant_id, session_id)
    if not may(visit, Action.ACT_FOR, _writer(visit, found)):
        abort(403)
    return found


def _writer(visit: Visit, found: CourseReflection) -> CoursePerson:
    """Who has written for this course stays somebody whom it answers, enrolled or not."""
    return CoursePerson(
        participant_id=found.reflection.participant_id,
        sub=found.sub,
        course_id=require_course(visit),
        has_started=True,
    )


def _page(visit: Visit, found: CourseReflection, fault: Fault) -> Response:
    course, zone, one = read_course(visit), visit.university.time_zone, found.reflection
    note(visit, "see_reflection", f"participant {one.participant_id}")
    with the_tool().database.read() as connection:
        series, session = get_series(connection, visit.series_id), get_session(connection, one.session_id)
    page = render_template(
        "course_reflection.html",
        visit=visit,
        series=series,
        course=course,
        session=session,
        one=one,
        learner=course.learner_of(one.participant_id, found.sub),
        handed_in_at=moment(one.handed_in_at, zone) if one.handed_in_at else "",
        returned_at=moment(one.returned_at, zone) if one.returned_at else "",
        may_act=may(visit, Action.ACT_FOR, _writer(visit, found)) and one.state is ReflectionState.HANDED_IN,
        grace_days=RETURN_GRACE.days,
        fault=fault,
    )
    return make_response(page, fault.status)
