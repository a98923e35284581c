"""The instructor's page: the own course by name, all others as one published number."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from flask import Blueprint, render_template, request

from lti_tool.pages.course_people import Course, Learner, note, read_course, require_course
from lti_tool.pages.course_words import missing_words, so_far
from lti_tool.pages.feed_links import feed_links
from lti_tool.pages.host_claim import own_universitys
from lti_tool.pages.join_link_words import link_notice
from lti_tool.pages.pooled_reading import read_published
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import with_visit
from lti_tool.tool import the_tool
from series.feed_address import OwnerKind
from series.people import Visit
from series.permissions import Action
from series.pooled import Column, Pooled
from series.rule import Kind, Rule
from series.sessions import Session, this_weeks_session
from series.standing import CourseCount, SessionRecord, Standing, standing
from series.store.course_reflections import waiting_of_course
from series.store.database import Connection
from series.store.held_completions import held_completions
from series.store.objections import objections_of_course
from series.store.records import records_of
from series.store.rules import course_count_of, rules_of
from series.store.sent_grades import SentGrade, grades_of_course
from series.store.sessions import get_series, rehearsals_of, sessions_of
from series.store.waiting import waiting_for_course
from series.waiting import WaitingKind

blueprint = Blueprint("instructor", __name__, url_prefix="/visit/<visit_id>/course")
WORST_FIRST = ("failed", "unaddressed", "due", "delivered")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One person in the table. `grade`: the newest one, of several activities the one that needs a look first."""

    learner: Learner
    standing: Standing
    now: SessionRecord | None
    grade: SentGrade | None

    @property
    def so_far(self) -> str:
        return so_far(self.standing)

    @property
    def missing(self) -> str:
        return missing_words(self.standing)

    @property
    def is_present(self) -> bool:
        return self.now is not None and self.now.outcome.completed_at is not None


@dataclass(frozen=True, kw_only=True)
class ToDo:
    """What waits for the teacher. `taken_back`: of how many people Moodle takes something back."""

    not_sent: int
    objections: int
    reflections: int
    roster_is_held: bool
    taken_back: int  # of so many people Moodle takes completions back, which is held
    announcements: int  # that the course is to be told
    not_announced: int  # though somebody wanted it

    @property
    def is_empty(self) -> bool:
        return not any(astuple(self))


@blueprint.get("/")
@with_visit
def course(visit: Visit) -> str:
    course_id, tool = require_course(visit), the_tool()
    found = read_course(visit)
    note(visit, Action.SEE_COURSE, f"course {course_id}")
    now = tool.clock.now()
    with tool.database.read() as connection:
        series = get_series(connection, visit.series_id)
        sessions = sessions_of(connection, visit.series_id)
        session = this_weeks_session(sessions, now=now, zone=series.time_zone)
        rules = rules_of(connection, visit.series_id)
        count = course_count_of(connection, course_id, visit.series_id)
        grades = grades_of_course(connection, course_id=course_id, series_id=visit.series_id)
        rows = _rows(connection, visit, found, session, _newest(grades), count)
        to_do = _to_do(connection, visit, course_id, grades)
        pooled = read_published(connection, visit.series_id, viewer=visit.university)
        rehearsals = [one for one in rehearsals_of(connection, visit.series_id) if not one.is_over(now)]
        own_sessions = [one for one in own_universitys(connection, visit) if one.state is None]
        notice = link_notice(connection, session, visit.university.time_zone, now=now) if session else ""
    here = [row for row in rows if row.learner.is_here]
    return render_template(
        "instructor.html",
        visit=visit,
        series=series,
        course=found,
        session=session,
        times=times_of(session, visit.university.time_zone) if session else None,
        has_begun=session is not None and session.start_at <= now,
        may_confirm=session is not None and rules.of_sessions[session.session_id].rule.counts(Kind.APPROVAL),
        sessions=[(one, times_of(one, visit.university.time_zone)) for one in sessions],
        rows=rows,
        present=sum(row.is_present for row in here),
        here=len(here),
        to_do=to_do,
        count=count,
        elsewhere=_elsewhere(pooled, session),
        link_notice=notice,
        rehearsals=[(one, times_of(one, visit.university.time_zone)) for one in rehearsals],
        hosted_here=own_sessions,
        links=feed_links(OwnerKind.COURSE, course_id, name=series.title),
        address_is_new="calendar" in request.args,
    )


def _rows(
    connection: Connection,
    visit: Visit,
    found: Course,
    session: Session | None,
    grades: Mapping[int, SentGrade],
    count: CourseCount | None,
) -> list[Row]:
    """All people in as many queries as one. Somebody whom only the roster knows has done nothing yet."""
    now = the_tool().clock.now()
    rule: Rule = rules_of(connection, visit.series_id).series
    records = records_of(connection, [*found.by_participant, NOBODY], visit.series_id)
    return [
        Row(
            learner=learner,
            standing=standing(own, rule, now, count),
            now=next((one for one in own if session and one.session_id == session.session_id), None),
            grade=grades.get(learner.participant_id or NOBODY),
        )
        for learner in found.learners
        for own in (records[learner.participant_id or NOBODY],)
    ]


NOBODY = 0  # no participant has this id


def _newest(grades: list[SentGrade]) -> dict[int, SentGrade]:
    """Of each participant, the one that needs a look first."""
    by_need = sorted(grades, key=lambda grade: WORST_FIRST.index(grade.state), reverse=True)
    return {grade.participant_id: grade for grade in by_need}


def _to_do(connection: Connection, visit: Visit, course_id: int, grades: list[SentGrade]) -> ToDo:
    now = the_tool().clock.now()
    kinds = Counter(one.kind for one in waiting_for_course(connection, course_id, visit.series_id, now=now))
    held = held_completions(connection, course_id)
    return ToDo(
        not_sent=Counter(grade.state for grade in grades)["failed"],
        objections=len(
            objections_of_course(connection, course_id=course_id, series_id=visit.series_id, open_only=True)
        ),
        reflections=waiting_of_course(connection, course_id=course_id, series_id=visit.series_id),
        roster_is_held=bool(kinds[WaitingKind.HELD_ROSTER]),
        announcements=kinds[WaitingKind.TO_ANNOUNCE],
        not_announced=kinds[WaitingKind.NOT_ANNOUNCED],
        taken_back=len(held.subs) if held else 0,
    )


def _elsewhere(pooled: Pooled | None, session: Session | None) -> Column | None:
    """As the page of the whole series has it: two numbers for the same would tell more than either."""
    if session is None or pooled is None:
        return None
    told = (*pooled.columns, *pooled.sessions)
    return next((one for one in told if one.block.session_id == session.session_id), None)
