"""The check-in: a typed code becomes evidence, and who needs more time gets it."""

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, request

from lti_tool.pages.own_record import is_check_in
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student import Refusal, opening_to_extend, render_week
from lti_tool.pages.student_forms import session_for, session_of_visit
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.check_in import CodeReason, CodeRefused, is_open_for, match_code, that_count
from series.limits import CODE_TRIES
from series.people import Visit
from series.permissions import Action
from series.rule import Kind
from series.sessions import Session
from series.store.check_ins import check_ins_of, extended_check_ins, give_more_time
from series.store.evidence import NewEvidence, facts_of, record_evidence
from series.store.limits import take

blueprint = Blueprint("student_check_in", __name__, url_prefix="/visit/<visit_id>/sessions/<uuid:session_id>")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of a typed code."""

    refused: CodeReason | None = None
    wait_s: int = 0
    delivery_ids: tuple[int, ...] = ()


@blueprint.post("/check-in")
@with_visit
def check_in(visit: Visit, session_id: UUID) -> Response:
    """A right code is evidence; a wrong or late one gets a sentence, and only the try is counted."""
    check_form(f"check-in {session_id}")
    typed = request.form.get("code", "")[:64]
    if session_of_visit(visit, session_id).is_cancelled:
        return _of_cancelled(visit, session_id)
    session = session_for(visit, session_id, Action.CHECK_IN)
    tried = _try_code(visit, session, typed, the_tool().clock.now())
    if tried.wait_s:
        refusal = Refusal(wait_s=tried.wait_s, typed=typed)
        response = render_week(visit, refusal=refusal, first_id=session_id, status=429)
        response.headers["Retry-After"] = str(tried.wait_s)
        return response
    if tried.refused:
        refusal = Refusal(reason=tried.refused, typed=typed)
        return render_week(visit, refusal=refusal, first_id=session_id, status=422)
    the_tool().queue.enqueue_all("deliver", tried.delivery_ids)
    return _back(visit, session)


@blueprint.post("/more-time")
@with_visit
def more_time(visit: Visit, session_id: UUID) -> Response:
    """While the check-in is open: its code is taken from this participant for longer. Nobody else is shown it."""
    check_form(f"more-time {session_id}")
    if session_of_visit(visit, session_id).is_cancelled:
        return _of_cancelled(visit, session_id)
    session = session_for(visit, session_id, Action.CHECK_IN)
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        openings = that_count(session, check_ins_of(connection, session_id))
        who = {"participant_id": visit.participant_id}
        extended = extended_check_ins(connection, **who, session_id=session_id)
        opening = opening_to_extend(openings, now)
        if opening is not None:
            give_more_time(connection, check_in_id=opening.check_in_id, **who, now=now)
    if opening is None and not any(is_open_for(each, now, extended) for each in openings):
        return render_week(visit, refusal=Refusal(no_more_time=True), first_id=session_id, status=422)
    return _back(visit, session)


def _back(visit: Visit, session: Session) -> Response:
    """A rehearsal is on no list of sessions."""
    of_session = f"sessions/{session.session_id}/" if session.is_rehearsal else ""
    return go_to(f"/visit/{visit.visit_id}/{of_session}")


def _of_cancelled(visit: Visit, session_id: UUID) -> Response:
    """To a form from before it was cancelled."""
    return render_week(visit, refusal=Refusal(reason=CodeReason.CANCELLED), first_id=session_id, status=409)


def _try_code(visit: Visit, session: Session, typed: str, now: datetime) -> Tried:
    """One transaction. While there is a code to be guessed, tries are counted per participant and session: a whole
    campus may share one address."""
    session_id = session.session_id
    with the_tool().database.write() as connection:
        openings = that_count(session, check_ins_of(connection, session_id))
        extended = extended_check_ins(connection, participant_id=visit.participant_id, session_id=session_id)
        if any(is_open_for(opening, now, extended) for opening in openings):
            wait_s = take(connection, f"code {visit.participant_id} {session_id}", CODE_TRIES, now=now)
            if wait_s:
                return Tried(wait_s=math.ceil(wait_s))
        try:
            opening = match_code(typed, openings, now, extended)
        except CodeRefused as refused:
            return Tried(refused=refused.reason)
        new = NewEvidence(
            participant_id=visit.participant_id,
            session_id=session_id,
            kind=Kind.CODE,
            source="check-in",
            source_id=str(opening.check_in_id),
            observed_at=now,
        )
        delivery_ids = record_evidence(connection, new, now=now)
        facts = facts_of(connection, participant_id=visit.participant_id, series_id=visit.series_id)
    if not any(fact.session_id == session_id and is_check_in(fact) for fact in facts):
        return Tried(refused=CodeReason.WITHDRAWN)
    return Tried(delivery_ids=tuple(delivery_ids))
