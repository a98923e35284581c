"""What a teacher says of one person and one session, and takes back."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.course_forms import (
    ANY_ID,
    MAX_MINUTES,
    NO_FAULT,
    Fault,
    NotAccepted,
    fault_of,
    new_form_id,
    session_or_404,
    typed_form_id,
    typed_number,
    typed_reason,
)
from lti_tool.pages.course_people import (
    Course,
    Learner,
    actor,
    find_people_to_act_for,
    find_person_to_act_for,
    names_of_actors,
    note,
    read_course,
)
from lti_tool.pages.course_person import fact_row
from lti_tool.pages.course_words import missing_words, outcome_words, so_far
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.people import CoursePerson, Visit
from series.rule import Kind, SessionRule
from series.rule_words import session_sentence
from series.sessions import Session
from series.store.approvals import Withdrawal, Word, record_word, withdraw, withdrawal_of
from series.store.database import Connection
from series.store.evidence import NothingToRetract
from series.store.records import records_of
from series.store.rules import rules_of
from series.store.sessions import get_series

gettext = WORDS.gettext

blueprint = Blueprint(
    "course_records", __name__, url_prefix=f"/visit/<visit_id>/course/people/<{ANY_ID}:participant_id>"
)
KINDS = {"confirm": Kind.APPROVAL, "excuse": Kind.EXCUSED, "presence": Kind.LIVE}


@blueprint.get("/sessions/<uuid:session_id>/")
@with_visit
def show(visit: Visit, participant_id: int, session_id: UUID) -> Response:
    return _record_page(visit, find_person_to_act_for(visit, participant_id), session_id, NO_FAULT)


@blueprint.post("/sessions/<uuid:session_id>/")
@with_visit
def record(visit: Visit, participant_id: int, session_id: UUID) -> Response:
    """Confirm, excuse, or record presence: `do` says which."""
    check_form(f"record {participant_id} {session_id}")
    person, tool = find_person_to_act_for(visit, participant_id), the_tool()
    do, now = request.form.get("do", ""), tool.clock.now()
    if do not in KINDS:
        abort(400)
    form_id = typed_form_id()
    with tool.database.read() as connection:
        session = session_or_404(connection, session_id, visit.series_id)
        rule = rules_of(connection, visit.series_id).of_sessions[session_id].rule
    try:
        word = typed_word(visit, session, rule, KINDS[do], form_id=form_id, now=now)
    except NotAccepted as error:
        return _record_page(visit, person, session_id, fault_of(error, do=do))
    find_people_to_act_for(visit, [person.sub])  # a place in the gradebook, also for who has never come
    with tool.database.write() as connection:
        queued = record_word(connection, word, [person.participant_id], now=now)
    tool.queue.enqueue_all("deliver", queued)
    return _back(visit, person, do)


def typed_word(visit: Visit, session: Session, rule: SessionRule, kind: Kind, *, form_id: str, now: datetime) -> Word:
    """What the form says. Raises NotAccepted."""
    why_not = refusal_of(session, rule, kind, now)
    if why_not:
        raise NotAccepted(why_not)
    minutes = gettext("Please give the minutes as a whole number.")
    return Word(
        session_id=session.session_id,
        kind=kind,
        by=actor(visit),
        reason=typed_reason(),
        form_id=form_id,
        observed_at=min(session.end_at, now) if kind is Kind.LIVE else now,
        amount=typed_number("minutes", least=1, most=MAX_MINUTES, missing=minutes) if kind is Kind.LIVE else None,
    )


def refusal_of(session: Session, rule: SessionRule, kind: Kind, now: datetime) -> str | None:
    """Why such a word is of no use for this session, or None."""
    if session.is_cancelled:
        return gettext("This session is cancelled: it is missing from nobody's count, so there is nothing to record.")
    if kind is Kind.EXCUSED:
        return None
    if now < session.start_at:
        return gettext("This session has not started yet. Come back when it has; excusing somebody is possible now.")
    if kind is Kind.APPROVAL and not rule.counts(kind):
        return gettext("By this session's rule, the confirmation of a person does not count.")
    if kind is Kind.LIVE and not rule.counts(kind):
        return gettext("By this session's rule, presence in the meeting does not count.")
    return None


@blueprint.get(f"/facts/<{ANY_ID}:evidence_id>/withdraw")
@with_visit
def show_withdrawal(visit: Visit, participant_id: int, evidence_id: int) -> Response:
    person = find_person_to_act_for(visit, participant_id)
    try:
        return _withdrawal_page(visit, person, evidence_id, NO_FAULT)
    except NothingToRetract:
        return _back(visit, person, "withdraw")


@blueprint.post(f"/facts/<{ANY_ID}:evidence_id>/withdraw")
@with_visit
def take_back(visit: Visit, participant_id: int, evidence_id: int) -> Response:
    check_form(f"withdraw {evidence_id}")
    person, tool = find_person_to_act_for(visit, participant_id), the_tool()
    now = tool.clock.now()
    try:
        reason = typed_reason()
        with tool.database.write() as connection:
            _withdrawal(connection, visit, person, evidence_id)
            queued = withdraw(
                connection, evidence_id, participant_id=participant_id, by=actor(visit), reason=reason, now=now
            )
    except NotAccepted as error:
        return _withdrawal_page(visit, person, evidence_id, fault_of(error))
    except NothingToRetract:  # sent twice, or somebody else was faster: the page shows by whom
        return _back(visit, person, "withdraw")
    tool.queue.enqueue_all("deliver", queued)
    return _back(visit, person, "withdraw")


def _back(visit: Visit, person: CoursePerson, saved: str) -> Response:
    return go_to(f"/visit/{visit.visit_id}/course/people/{person.participant_id}/?saved={saved}")


def _withdrawal(connection: Connection, visit: Visit, person: CoursePerson, evidence_id: int) -> Withdrawal:
    """404 for what is none of this person's facts, and for a reflection, which is returned instead. Raises
    NothingToRetract."""
    found = withdrawal_of(
        connection,
        evidence_id,
        participant_id=person.participant_id,
        course_id=person.course_id,
        series_id=visit.series_id,
        now=the_tool().clock.now(),
    )
    if found is None or found.fact.evidence.kind is Kind.REFLECTION:
        abort(404)
    return found


def _learner(course: Course, person: CoursePerson) -> Learner:
    """By number, where the LMS has told of them a moment ago and does not tell now."""
    known = course.by_participant.get(person.participant_id)
    return known or Learner(sub=person.sub, name=course.names.get(person.sub), person=person)


def _record_page(visit: Visit, person: CoursePerson, session_id: UUID, fault: Fault) -> Response:
    course, now = read_course(visit), the_tool().clock.now()
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        session = session_or_404(connection, session_id, visit.series_id)
        in_force = rules_of(connection, visit.series_id).of_sessions[session_id]
    note(visit, "see_person", f"participant {person.participant_id}")
    page = render_template(
        "course_record.html",
        visit=visit,
        series=series,
        person=person,
        learner=_learner(course, person),
        session=session,
        times=times_of(session, visit.university.time_zone),
        refusals={do: refusal_of(session, in_force.rule, kind, now) for do, kind in KINDS.items()},
        counts_presence=in_force.rule.counts(Kind.LIVE),
        sentence=session_sentence(in_force.rule, WORDS),
        form_id=fault.typed.get("form_id") or new_form_id(),
        fault=fault,
    )
    return make_response(page, fault.status)


def _withdrawal_page(visit: Visit, person: CoursePerson, evidence_id: int, fault: Fault) -> Response:
    course = read_course(visit)
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        found = _withdrawal(connection, visit, person, evidence_id)
        session = session_or_404(connection, found.fact.session_id, visit.series_id)
        records = records_of(connection, [person.participant_id], visit.series_id)[person.participant_id]
        names = names_of_actors(connection, visit, course, [found.fact.recorded_by])
    record = next(one for one in records if one.session_id == session.session_id)
    note(visit, "see_person", f"participant {person.participant_id}")
    page = render_template(
        "course_withdraw.html",
        visit=visit,
        series=series,
        person=person,
        learner=_learner(course, person),
        session=session,
        row=fact_row(found.fact, record, visit, names),
        found=found,
        session_before=outcome_words(found.before),
        session_after=outcome_words(found.after),
        before=f"{so_far(found.standing_before)} ({missing_words(found.standing_before)})",
        after=f"{so_far(found.standing_after)} ({missing_words(found.standing_after)})",
        fault=fault,
    )
    return make_response(page, fault.status)
