"""What waits for the teachers of the own course: “this is wrong”, and reflections, which have pages of their own."""

import re
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import ANY_ID, NO_FAULT, Fault, NotAccepted, fault_of, typed_text
from lti_tool.pages.course_people import (
    Course,
    Learner,
    actor,
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
from series.reflections import RETURN_GRACE
from series.store.audit import append_audit
from series.store.course_reflections import ListedReflection, list_done, list_waiting, waiting_of_course
from series.store.database import Connection
from series.store.objections import Objection, ObjectionNotOpen, answer_objection, objections_of_course
from series.store.sessions import get_series, sessions_of

blueprint = Blueprint("course_inbox", __name__, url_prefix="/visit/<visit_id>/course/inbox")
LONGEST_ANSWER = 2000
PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class ObjectionRow:
    """`about`: the session's title; None: the whole count."""

    objection: Objection
    learner: Learner
    about: str | None
    raised_at: str
    answer_by: str
    answered: str | None
    may_answer: bool


@dataclass(frozen=True, kw_only=True)
class ReflectionRow:
    reflection: ListedReflection
    learner: Learner
    handed_in_at: str


@dataclass(frozen=True, kw_only=True)
class Reflections:
    """One page of a list, by the sessions' titles: of those that nobody has read, or (`is_done`) of all others.
    `waiting`: how many there are of the former."""

    of_sessions: list[tuple[str, list[ReflectionRow]]]
    waiting: int
    is_done: bool
    number: int
    has_next: bool


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


def _back(visit: Visit, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/inbox/?saved={saved}")


def _page(visit: Visit, fault: Fault) -> Response:
    course_id = require_course(visit)
    course = read_course(visit)
    note(visit, "see_inbox", f"course {course_id}")
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        titles = _titles(connection, visit)
        objections = objections_of_course(connection, course_id=course_id, series_id=visit.series_id, open_only=False)
        reflections = _reflections(connection, visit, course_id, course)
        names = names_of_actors(connection, visit, course, [one.answered_by for one in objections])
    rows = [_objection_row(visit, course, one, titles, names) for one in objections]
    page = render_template(
        "course_inbox.html",
        visit=visit,
        series=series,
        course=course,
        waiting=[row for row in rows if row.objection.answered_at is None],
        answered=[row for row in rows if row.objection.answered_at is not None],
        reflections=reflections,
        grace_days=RETURN_GRACE.days,
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, fault.status)


def _objection_row(
    visit: Visit, course: Course, one: Objection, titles: dict[UUID, str], names: dict[int, str]
) -> ObjectionRow:
    zone, learner = visit.university.time_zone, course.learner_of(one.participant_id, one.sub)
    answered = None
    if one.answered_at:
        answered = f"{moment(one.answered_at, zone)}, {who_said(one.answered_by, visit, names)}"
    return ObjectionRow(
        objection=one,
        learner=learner,
        about=titles.get(one.session_id) if one.session_id else None,
        raised_at=moment(one.raised_at, zone),
        answer_by=moment(one.answer_by, zone),
        answered=answered,
        may_answer=may(visit, Action.ACT_FOR, _writer(one)),
    )


def _typed_page() -> int:
    text = request.args.get("page", "")
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else 1


def _reflections(connection: Connection, visit: Visit, course_id: int, course: Course) -> Reflections:
    number, is_done = _typed_page(), "done" in request.args
    found = (list_done if is_done else list_waiting)(
        connection, course_id=course_id, series_id=visit.series_id, first=(number - 1) * PER_PAGE, most=PER_PAGE + 1
    )
    titles = _titles(connection, visit)
    shown = groupby(found[:PER_PAGE], key=lambda one: one.session_id)
    return Reflections(
        of_sessions=[(titles[of], [_reflection_row(visit, course, one) for one in some]) for of, some in shown],
        waiting=waiting_of_course(connection, course_id=course_id, series_id=visit.series_id),
        is_done=is_done,
        number=number,
        has_next=len(found) > PER_PAGE,
    )


def _reflection_row(visit: Visit, course: Course, one: ListedReflection) -> ReflectionRow:
    return ReflectionRow(
        reflection=one,
        learner=course.learner_of(one.participant_id, one.sub),
        handed_in_at=moment(one.handed_in_at, visit.university.time_zone),
    )


def _writer(one: Objection) -> CoursePerson:
    """Who has written to this course stays somebody whom it answers, enrolled or not."""
    return CoursePerson(participant_id=one.participant_id, sub=one.sub, course_id=one.course_id, has_started=True)


def _titles(connection: Connection, visit: Visit) -> dict[UUID, str]:
    """By session. What is written in a rehearsal can be read, so that this is tried as well."""
    found = sessions_of(connection, visit.series_id, with_rehearsals=True)
    mark = gettext("rehearsal, counts for nothing")
    return {one.session_id: f"{one.title} ({mark})" if one.is_rehearsal else one.title for one in found}
