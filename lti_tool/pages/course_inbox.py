"""What the students of the own course have written: “this is wrong”, and their reflections."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import ANY_ID, NO_FAULT, Fault, NotAccepted, fault_of, typed_text
from lti_tool.pages.course_people import (
    Course,
    Learner,
    actor,
    find_person_to_act_for,
    names_of_actors,
    note,
    read_course,
    require_course,
)
from lti_tool.pages.course_words import who_said
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import CoursePerson, Visit
from series.permissions import Action, may
from series.reflections import NothingToReturn, Reflection, ReflectionState
from series.store.audit import append_audit
from series.store.objections import Objection, ObjectionNotOpen, answer_objection, objections_of_course
from series.store.reflections import CourseReflection, reflections_of_course, return_reflection
from series.store.sessions import get_series, sessions_of

blueprint = Blueprint("course_inbox", __name__, url_prefix="/visit/<visit_id>/course/inbox")
LONGEST_ANSWER = 2000


@dataclass(frozen=True, kw_only=True)
class ObjectionRow:
    """`about`: the session's title; None: the whole count."""

    objection: Objection
    learner: Learner
    about: str | None
    raised_at: str
    answered: str | None
    may_answer: bool


@dataclass(frozen=True, kw_only=True)
class ReflectionRow:
    reflection: Reflection
    learner: Learner
    about: str | None
    handed_in_at: str | None
    returned_at: str | None
    may_return: bool


def open_objections(visit: Visit) -> int:
    """How many wait for an answer in the course that this visit teaches."""
    if visit.course_id is None:
        return 0
    with the_tool().database.read() as connection:
        return len(
            objections_of_course(connection, course_id=visit.course_id, series_id=visit.series_id, open_only=True)
        )


@blueprint.get("/")
@with_visit
def show(visit: Visit) -> Response:
    return _page(visit, NO_FAULT)


@blueprint.post(f"/objections/<{ANY_ID}:objection_id>/answer")
@with_visit
def answer(visit: Visit, objection_id: int) -> Response:
    check_form(f"answer {objection_id}")
    course_id, tool = require_course(visit), the_tool()
    with tool.database.read() as connection:
        found = objections_of_course(connection, course_id=course_id, series_id=visit.series_id, open_only=False)
    about = next((one for one in found if one.objection_id == objection_id), None)
    if about is None:
        abort(404)
    if not may(visit, Action.ACT_FOR, _writer(about)):
        abort(403)
    now = tool.clock.now()
    try:
        missing = gettext("Please write an answer: the student is shown it.")
        text = typed_text("answer", missing=missing, longest=LONGEST_ANSWER)
        with tool.database.write() as connection:
            answer_objection(
                connection, objection_id=objection_id, course_id=course_id, answer=text, by=actor(visit), now=now
            )
            append_audit(
                connection,
                actor=actor(visit),
                action="answer_objection",
                thing=f"participant {about.participant_id}",
                now=now,
                objection=objection_id,
            )
    except NotAccepted as error:
        return _page(visit, fault_of(error, do=f"answer {objection_id}"))
    except ObjectionNotOpen:
        return _back(visit, "already")
    return _back(visit, "answer")


@blueprint.post(f"/reflections/<{ANY_ID}:participant_id>/<uuid:session_id>/return")
@with_visit
def give_back(visit: Visit, participant_id: int, session_id: UUID) -> Response:
    check_form(f"return {participant_id} {session_id}")
    person, tool = find_person_to_act_for(visit, participant_id), the_tool()
    with tool.database.read() as connection:
        found = reflections_of_course(connection, course_id=person.course_id, series_id=visit.series_id)
    if not any(_is_of(one, participant_id, session_id) for one in found):
        abort(404)
    now = tool.clock.now()
    try:
        missing = gettext("Please write a comment: the student is shown it and goes on from there.")
        comment = typed_text("comment", missing=missing, longest=LONGEST_ANSWER)
        with tool.database.write() as connection:
            queued = return_reflection(
                connection,
                participant_id=participant_id,
                session_id=session_id,
                comment=comment,
                by=actor(visit),
                now=now,
            )
            append_audit(
                connection,
                actor=actor(visit),
                action="return_reflection",
                thing=f"participant {participant_id}",
                now=now,
                session=str(session_id),
            )
    except NotAccepted as error:
        return _page(visit, fault_of(error, do=f"return {participant_id} {session_id}"))
    except NothingToReturn:
        return _back(visit, "already")
    for delivery_id in queued:
        tool.queue.enqueue("deliver", delivery_id)
    return _back(visit, "return")


def _is_of(found: CourseReflection, participant_id: int, session_id: UUID) -> bool:
    return (found.reflection.participant_id, found.reflection.session_id) == (participant_id, session_id)


def _back(visit: Visit, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/inbox/?saved={saved}")


def _page(visit: Visit, fault: Fault) -> Response:
    course_id = require_course(visit)
    course = read_course(visit)
    note(visit, "see_inbox", f"course {course_id}")
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        titles = {one.session_id: one.title for one in sessions_of(connection, visit.series_id)}
        objections = objections_of_course(connection, course_id=course_id, series_id=visit.series_id, open_only=False)
        reflections = reflections_of_course(connection, course_id=course_id, series_id=visit.series_id)
        names = names_of_actors(connection, visit, course, [one.answered_by for one in objections])
    rows = [_objection_row(visit, course, one, titles, names) for one in objections]
    page = render_template(
        "course_inbox.html",
        visit=visit,
        series=series,
        course=course,
        waiting=[row for row in rows if row.objection.answered_at is None],
        answered=[row for row in rows if row.objection.answered_at is not None],
        reflections=[_reflection_row(visit, course, one, titles) for one in reflections],
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, fault.status)


def _objection_row(
    visit: Visit, course: Course, one: Objection, titles: dict[UUID, str], names: dict[int, str]
) -> ObjectionRow:
    zone, learner = visit.university.time_zone, _learner(course, one.participant_id, one.sub)
    answered = None
    if one.answered_at:
        answered = f"{moment(one.answered_at, zone)}, {who_said(one.answered_by, visit, names)}"
    return ObjectionRow(
        objection=one,
        learner=learner,
        about=titles.get(one.session_id) if one.session_id else None,
        raised_at=moment(one.raised_at, zone),
        answered=answered,
        may_answer=may(visit, Action.ACT_FOR, _writer(one)),
    )


def _reflection_row(visit: Visit, course: Course, one: CourseReflection, titles: dict[UUID, str]) -> ReflectionRow:
    zone, found = visit.university.time_zone, one.reflection
    learner = _learner(course, found.participant_id, one.sub)
    is_ours = learner.person is not None and may(visit, Action.ACT_FOR, learner.person)
    return ReflectionRow(
        reflection=found,
        learner=learner,
        about=titles.get(found.session_id),
        handed_in_at=moment(found.handed_in_at, zone) if found.handed_in_at else None,
        returned_at=moment(found.returned_at, zone) if found.returned_at else None,
        may_return=is_ours and found.state is ReflectionState.HANDED_IN,
    )


def _writer(one: Objection) -> CoursePerson:
    """Who has written to this course stays somebody whom it answers, enrolled or not."""
    return CoursePerson(participant_id=one.participant_id, sub=one.sub, course_id=one.course_id, has_started=True)


def _learner(course: Course, participant_id: int, sub: str) -> Learner:
    """Also of somebody who learns here no more."""
    known = course.by_participant.get(participant_id)
    return known or Learner(sub=sub, name=course.names.get(sub), person=None, is_gone=True)
