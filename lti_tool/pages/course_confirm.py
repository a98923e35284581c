"""Confirm or excuse many people of the course at once for one session."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.course_forms import (
    NO_FAULT,
    Fault,
    NotAccepted,
    fault_of,
    is_form_id,
    new_form_id,
    session_or_404,
    typed_form_id,
)
from lti_tool.pages.course_people import (
    Learner,
    actor,
    find_people_to_act_for,
    note,
    read_course,
    require_course,
)
from lti_tool.pages.course_records import KINDS, refusal_of, typed_word
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.people import CoursePerson, Visit
from series.permissions import Action, may
from series.rule import Outcome
from series.rule_words import session_sentence
from series.store.approvals import Word, outcomes_of_session, record_word, said_by_form
from series.store.rules import rules_of
from series.store.sessions import get_series

blueprint = Blueprint(
    "course_confirm", __name__, url_prefix="/visit/<visit_id>/course/sessions/<uuid:session_id>/confirm"
)
AT_ONCE = 50  # people in one transaction, so that nobody else waits long
MAX_PEOPLE = 2000
WAYS = ("confirm", "excuse")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One person of the list, and what they have already."""

    learner: Learner
    outcome: Outcome
    is_self: bool
    is_checked: bool

    @property
    def is_offered(self) -> bool:
        return self.outcome.completed_at is None and not self.is_self


@blueprint.get("")
@with_visit
def show(visit: Visit, session_id: UUID) -> Response:
    return _page(visit, session_id, NO_FAULT)


@blueprint.post("")
@with_visit
def confirm(visit: Visit, session_id: UUID) -> Response:
    """Sent twice, it does nothing twice; interrupted, it goes on when it is sent again."""
    check_form(f"confirm {session_id}")
    require_course(visit)
    tool, do, form_id = the_tool(), request.form.get("do", ""), typed_form_id()
    if do not in WAYS:
        abort(400)
    now = tool.clock.now()
    try:
        with tool.database.read() as connection:
            session = session_or_404(connection, session_id, visit.series_id)
            rule = rules_of(connection, visit.series_id).of_sessions[session_id].rule
        word = typed_word(visit, session, rule, KINDS[do], form_id=form_id, now=now)
        subs = _typed_subs()
    except NotAccepted as error:
        return _page(visit, session_id, fault_of(error))
    people = find_people_to_act_for(visit, subs)
    for delivery_ids in _say(word, people):
        tool.queue.enqueue_all("deliver", delivery_ids)
    return go_to(f"/visit/{visit.visit_id}/course/sessions/{session_id}/confirm?said={form_id}")


def _typed_subs() -> set[str]:
    """Raises NotAccepted."""
    subs = {sub for sub in request.form.getlist("sub") if 0 < len(sub) <= 255 and "\0" not in sub}
    if not subs:
        raise NotAccepted(gettext("Please choose at least one person."), "sub")
    if len(subs) > MAX_PEOPLE:
        raise NotAccepted(gettext("Please choose at most %(n)s people at once.", n=MAX_PEOPLE), "sub")
    return subs


def _say(word: Word, people: list[CoursePerson]) -> Iterator[list[int]]:
    """The new deliveries' ids, each time after they are committed. Who has completed the session needs no word."""
    ids = sorted(person.participant_id for person in people)
    for some in (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)):
        with the_tool().database.write() as connection:
            outcomes = outcomes_of_session(connection, some, word.session_id)
            done = {one for one, outcome in outcomes.items() if outcome.completed_at is not None}
            queued = record_word(connection, word, set(some) - done, now=the_tool().clock.now())
        yield queued


def _page(visit: Visit, session_id: UUID, fault: Fault) -> Response:
    course_id, now, said = require_course(visit), the_tool().clock.now(), request.args.get("said", "")
    with the_tool().database.read() as connection:
        session = session_or_404(connection, session_id, visit.series_id)
    course = read_course(visit)
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        rule = rules_of(connection, visit.series_id).of_sessions[session_id].rule
        outcomes = outcomes_of_session(connection, course.by_participant, session_id)
        said_of = (
            said_by_form(connection, by=actor(visit), session_id=session_id, form_id=said) if is_form_id(said) else None
        )
    note(visit, Action.SEE_COURSE, f"course {course_id}")
    page = render_template(
        "course_confirm.html",
        visit=visit,
        series=series,
        course=course,
        session=session,
        times=times_of(session, visit.university.time_zone),
        choices=[_choice(visit, one, outcomes) for one in course.learners],
        refusals={do: refusal_of(session, rule, KINDS[do], now) for do in WAYS},
        sentence=session_sentence(rule, WORDS),
        form_id=fault.typed.get("form_id") or new_form_id(),
        said_of=said_of,
        fault=fault,
    )
    return make_response(page, fault.status)


def _choice(visit: Visit, learner: Learner, outcomes: dict[int, Outcome]) -> Choice:
    outcome = outcomes.get(learner.participant_id or 0, Outcome())
    return Choice(
        learner=learner,
        outcome=outcome,
        is_self=learner.person is not None and not may(visit, Action.ACT_FOR, learner.person),
        is_checked=learner.sub in request.form.getlist("sub")
        or ("all" in request.args and learner.is_here and not outcome.is_excused),
    )
