"""The page that a launch opens: this week's session, the check-in, and all sessions with what is done."""

import math
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.feed_links import feed_links
from lti_tool.pages.redirects import go_to
from lti_tool.pages.times import times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.check_in import CodeReason, CodeRefused, match_code
from series.feed_address import OwnerKind
from series.limits import CODE_TRIES
from series.people import Visit
from series.permissions import Action, may
from series.rule import Kind
from series.sessions import Session, may_join, this_weeks_session
from series.store.check_ins import check_ins_of
from series.store.deliveries import last_delivery
from series.store.evidence import NewEvidence, record_evidence
from series.store.limits import take
from series.store.records import completions_of
from series.store.rules import rule_of
from series.store.sessions import get_series, get_session, sessions_of

blueprint = Blueprint("student", __name__, url_prefix="/visit/<visit_id>")


@blueprint.get("/")
@with_visit
def this_week(visit: Visit) -> str:
    return _render(visit)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of a typed code. `wait_s`: there were too many tries, and the next one may follow after that."""

    refused: CodeReason | None = None
    wait_s: int = 0
    delivery_ids: tuple[int, ...] = ()


@blueprint.post("/sessions/<uuid:session_id>/check-in")
@with_visit
def check_in(visit: Visit, session_id: UUID) -> Response:
    """A right code is evidence; a wrong or late one gets a sentence, and only the try is counted."""
    check_form(f"check-in {session_id}")
    tool, typed = the_tool(), request.form.get("code", "")[:64]
    with tool.database.read() as connection:
        session = get_session(connection, session_id)
    if session is None:
        abort(404)
    if not may(visit, Action.CHECK_IN, session):
        abort(403)
    tried = _try_code(visit, session_id, typed)
    if tried.wait_s:
        response = make_response(_render(visit, wait_s=tried.wait_s, typed=typed), 429)
        response.headers["Retry-After"] = str(tried.wait_s)
        return response
    if tried.refused:
        return make_response(_render(visit, refused=tried.refused, typed=typed), 422)
    for delivery_id in tried.delivery_ids:
        tool.queue.enqueue("deliver", delivery_id)
    return go_to(f"/visit/{visit.visit_id}/")


def _try_code(visit: Visit, session_id: UUID, typed: str) -> Tried:
    """One transaction. While there is a code to be guessed, tries are counted per participant and session: a whole
    campus may share one address."""
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.write() as connection:
        openings = check_ins_of(connection, session_id)
        if any(opening.is_open(now) for opening in openings):
            wait_s = take(connection, f"code {visit.participant_id} {session_id}", CODE_TRIES, now=now)
            if wait_s:
                return Tried(wait_s=math.ceil(wait_s))
        try:
            opening = match_code(typed, openings, now)
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
        return Tried(delivery_ids=tuple(record_evidence(connection, new, now=now)))


def _render(visit: Visit, *, refused: CodeReason | None = None, wait_s: int = 0, typed: str = "") -> str:
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.read() as connection:
        series = get_series(connection, visit.series_id)
        sessions = sessions_of(connection, visit.series_id)
        rule = rule_of(connection, visit.series_id)
        completed = completions_of(connection, participant_id=visit.participant_id, series_id=visit.series_id)
        sent = last_delivery(connection, placement_id=visit.placement_id, participant_id=visit.participant_id)
        first = _first(visit, sessions, series.time_zone)
        openings = check_ins_of(connection, first.session_id) if first else []
    return render_template(
        "student.html",
        visit=visit,
        series=series,
        first=first,
        first_times=times_of(first, visit.university.time_zone) if first else None,
        sessions=[(s, times_of(s, visit.university.time_zone)) for s in sessions],
        completed=completed,
        held=sum(1 for s in sessions if not s.is_cancelled),
        rule=rule,
        sent=sent,
        now=now,
        is_open=any(opening.is_open(now) for opening in openings),
        may_check_in=first is not None and may(visit, Action.CHECK_IN, first),
        may_join=first is not None and may_join(first, now),
        refused=refused,
        wait_s=wait_s,
        typed=typed,
        reasons=CodeReason,
        links=feed_links(OwnerKind.PARTICIPANT, visit.participant_id, name=series.title),
        address_is_new="calendar" in request.args,
    )


def _first(visit: Visit, sessions: list[Session], zone: str) -> Session | None:
    """The placement's own session, or this week's."""
    if visit.session_id is not None:
        return next((s for s in sessions if s.session_id == visit.session_id), None)
    return this_weeks_session(sessions, now=the_tool().clock.now(), zone=zone)
