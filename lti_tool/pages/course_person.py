"""One person of the own course: what is recorded for each session, what still counts, and what was sent."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, render_template, request

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.course_people import Course, find_person, names_of_actors, note, read_course, require_course
from lti_tool.pages.course_words import (
    does_count,
    fact_words,
    missing_words,
    outcome_words,
    so_far,
    source_words,
    who_said,
)
from lti_tool.pages.times import SessionTimes, moment, times_of
from lti_tool.pages.visit_proof import with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.collecting import Source
from series.people import CoursePerson, Visit
from series.permissions import Action, may
from series.rule import Kind
from series.sessions import Session
from series.standing import SessionRecord, standing
from series.store.database import Connection
from series.store.evidence import Fact, facts_of
from series.store.objecting import objected_at
from series.store.records import records_of
from series.store.rules import course_count_of, rule_of
from series.store.sent_grades import SentGrade, grades_of_course
from series.store.sessions import get_series, sessions_of

gettext = WORDS.gettext

blueprint = Blueprint(
    "course_person", __name__, url_prefix=f"/visit/<visit_id>/course/people/<{ANY_ID}:participant_id>"
)


@dataclass(frozen=True, kw_only=True)
class FactRow:
    """One recorded fact, in words."""

    evidence_id: int
    words: str
    source: str
    at: str
    by: str
    reason: str | None
    counts: bool
    withdrawn: str | None  # when and by whom
    withdrawn_why: str | None
    may_be_withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    session: Session
    times: SessionTimes
    record: SessionRecord
    state: str
    is_ahead: bool
    facts: list[FactRow]


@blueprint.get("/")
@with_visit
def show(visit: Visit, participant_id: int) -> str:
    require_course(visit)
    course = read_course(visit)
    person = find_person(visit, participant_id, course)
    note(visit, "see_person", f"participant {participant_id}")
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        records = records_of(connection, [participant_id], visit.series_id)[participant_id]
        rule = rule_of(connection, visit.series_id)
        count = course_count_of(connection, visit.course_id, visit.series_id)
        rows = _rows(connection, visit, course, person, records)
        titles: dict[UUID | None, str] = {one.session.session_id: one.session.title for one in rows}
        grades = _grades(connection, visit, person)
        objected = objected_at(connection, participant_id)
    found = standing(records, rule, now, count)
    return render_template(
        "course_person.html",
        visit=visit,
        series=series,
        person=person,
        learner=course.by_participant[participant_id],
        rows=rows,
        so_far=so_far(found),
        missing=missing_words(found),
        grades=[(grade, titles.get(grade.session_id), _sent_at(visit, grade)) for grade in grades],
        objected=moment(objected, visit.university.time_zone) if objected else "",
        may_act=may(visit, Action.ACT_FOR, person),
        saved=request.args.get("saved", ""),
    )


def _rows(
    connection: Connection, visit: Visit, course: Course, person: CoursePerson, records: list[SessionRecord]
) -> list[SessionRow]:
    facts = facts_of(connection, participant_id=person.participant_id, series_id=visit.series_id)
    said_by = [fact.recorded_by for fact in facts] + [fact.retraction.by for fact in facts if fact.retraction]
    names = names_of_actors(connection, visit, course, said_by)
    by_id = {one.session_id: one for one in sessions_of(connection, visit.series_id)}
    return [
        SessionRow(
            session=by_id[record.session_id],
            times=times_of(by_id[record.session_id], visit.university.time_zone),
            record=record,
            state=_state(record),
            is_ahead=the_tool().clock.now() < record.span.start_at,
            facts=[fact_row(fact, record, visit, names) for fact in facts if fact.session_id == record.session_id],
        )
        for record in records
    ]


def _state(record: SessionRecord) -> str:
    if record.outcome.completed_at is None and not record.outcome.is_excused:
        if record.is_cancelled:
            return gettext("cancelled")
        if the_tool().clock.now() < record.span.start_at:
            return gettext("still to come")
    return outcome_words(record.outcome)


def fact_row(fact: Fact, record: SessionRecord, visit: Visit, names: dict[int, str]) -> FactRow:
    zone, withdrawn = visit.university.time_zone, fact.retraction
    return FactRow(
        evidence_id=fact.evidence.evidence_id,
        words=fact_words(fact),
        source=source_words(fact),
        at=moment(fact.evidence.observed_at, zone),
        by=who_said(fact.recorded_by, visit, names),
        reason=None if fact.source == Source.ACTIVITY else fact.reason,  # which is its name
        counts=withdrawn is None and does_count(fact.evidence, record.rule, record.span),
        withdrawn=f"{moment(withdrawn.at, zone)}, {who_said(withdrawn.by, visit, names)}" if withdrawn else None,
        withdrawn_why=withdrawn.reason if withdrawn else None,
        # a reflection is returned instead, so that its writer can go on with it
        may_be_withdrawn=withdrawn is None and fact.evidence.kind is not Kind.REFLECTION,
    )


def _grades(connection: Connection, visit: Visit, person: CoursePerson) -> list[SentGrade]:
    grades = grades_of_course(connection, course_id=person.course_id, series_id=visit.series_id)
    return [grade for grade in grades if grade.participant_id == person.participant_id]


def _sent_at(visit: Visit, grade: SentGrade) -> str | None:
    return moment(grade.delivered_at, visit.university.time_zone) if grade.delivered_at else None
