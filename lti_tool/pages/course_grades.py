"""The grades of the own course: sent, on their way, not sent and why; sending again, and sending a lower one."""

import re
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, render_template, request

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.course_people import (
    Course,
    Learner,
    actor,
    find_person_to_act_for,
    note,
    read_course,
    require_course,
)
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.rule import Score
from series.store.audit import append_audit
from series.store.gradebook_gaps import Gap, GapChanged, close_gap, gaps_of_course
from series.store.sent_grades import SentGrade, grades_of_course, retry_of_course
from series.store.sessions import get_series, sessions_of

blueprint = Blueprint("course_grades", __name__, url_prefix="/visit/<visit_id>/course/grades")
NEEDS_A_LOOK_FIRST = {"failed": 0, "unaddressed": 1, "due": 2, "delivered": 3}


@dataclass(frozen=True, kw_only=True)
class GradeRow:
    """One grade, and whose it is. `activity`: the session's title; None: the whole series."""

    grade: SentGrade
    learner: Learner
    activity: str | None
    sent_at: str | None
    tried_again_at: str | None


@dataclass(frozen=True, kw_only=True)
class GapRow:
    gap: Gap
    learner: Learner
    activity: str | None
    may_act: bool


@blueprint.get("/")
@with_visit
def show(visit: Visit) -> str:
    course_id = require_course(visit)
    course = read_course(visit)
    note(visit, Action.SEE_COURSE, f"course {course_id}")
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        titles: dict[UUID | None, str] = {one.session_id: one.title for one in sessions_of(connection, visit.series_id)}
        grades = grades_of_course(connection, course_id=course_id, series_id=visit.series_id)
        gaps = gaps_of_course(connection, course_id=course_id, series_id=visit.series_id, now=now)
    rows = [_row(visit, course, one, titles.get(one.session_id)) for one in grades]
    order = {one.sub: index for index, one in enumerate(course.learners)}
    return render_template(
        "course_grades.html",
        visit=visit,
        series=series,
        course=course,
        rows=sorted(rows, key=lambda row: (NEEDS_A_LOOK_FIRST[row.grade.state], order.get(row.learner.sub, 0))),
        has_failed=any(grade.state == "failed" for grade in grades),
        lower_action=lower_action,
        gaps=[_gap_row(visit, course, one, titles.get(one.grade.session_id)) for one in gaps],
        saved=request.args.get("saved", ""),
    )


@blueprint.post("/retry")
@with_visit
def retry(visit: Visit) -> Response:
    """One grade of the course, or (no id) all that were not sent."""
    check_form("retry")
    course_id, tool = require_course(visit), the_tool()
    if visit.is_test_user:
        abort(403)
    delivery_id, now = _typed_delivery_id(), tool.clock.now()
    with tool.database.write() as connection:
        due = retry_of_course(connection, course_id=course_id, delivery_id=delivery_id, now=now)
        thing = f"course {course_id}" if delivery_id is None else f"delivery {delivery_id}"
        if due:
            append_audit(connection, actor=actor(visit), action="retry_grades", thing=thing, now=now, grades=len(due))
    if delivery_id is not None and not due:
        return _back(visit, "nothing")
    tool.queue.enqueue_all("deliver", due)
    return _back(visit, "retry")


@blueprint.post(f"/people/<{ANY_ID}:participant_id>/lower/<{ANY_ID}:placement_id>")
@with_visit
def send_lower(visit: Visit, participant_id: int, placement_id: int) -> Response:
    """Tell one gradebook of the course what counts, where it shows more: only a person decides that, on what they have
    seen."""
    told, counts = _typed_score("told"), _typed_score("counts")
    check_form(lower_action(participant_id, placement_id, told, counts))
    person, tool = find_person_to_act_for(visit, participant_id), the_tool()
    now = tool.clock.now()
    try:
        with tool.database.write() as connection:
            queued = close_gap(
                connection,
                course_id=person.course_id,
                series_id=visit.series_id,
                placement_id=placement_id,
                participant_id=participant_id,
                told=told,
                counts=counts,
                now=now,
            )
            append_audit(
                connection,
                actor=actor(visit),
                action="send_lower_grade",
                thing=f"participant {person.participant_id}",
                now=now,
                placement=placement_id,
            )
    except GapChanged:
        return _back(visit, "changed")
    tool.queue.enqueue_all("deliver", queued)
    return _back(visit, "lower")


def lower_action(participant_id: int, placement_id: int, told: Score, counts: Score) -> str:
    """Of the form, which is for what it shows."""
    shown = f"{told.given}/{told.maximum} {counts.given}/{counts.maximum}"
    return f"lower {participant_id} {placement_id} {shown}"


def _typed_score(name: str) -> Score:
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", request.form.get(name, ""))
    if found is None:
        abort(400)
    return Score(given=int(found[1]), maximum=int(found[2]))


def _typed_delivery_id() -> int | None:
    text = request.form.get("delivery", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        abort(400)
    return int(text)


def _back(visit: Visit, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/grades/?saved={saved}")


def _row(visit: Visit, course: Course, grade: SentGrade, activity: str | None) -> GradeRow:
    zone = visit.university.time_zone
    return GradeRow(
        grade=grade,
        learner=course.learner_of(grade.participant_id, grade.sub),
        activity=activity,
        sent_at=moment(grade.delivered_at, zone) if grade.delivered_at else None,
        tried_again_at=moment(grade.next_attempt_at, zone) if grade.next_attempt_at and grade.attempts else None,
    )


def _gap_row(visit: Visit, course: Course, gap: Gap, activity: str | None) -> GapRow:
    learner = course.learner_of(gap.grade.participant_id, gap.grade.sub)
    is_person = learner.person is not None and may(visit, Action.ACT_FOR, learner.person)
    return GapRow(gap=gap, learner=learner, activity=activity, may_act=is_person)
