"""“I host a session”: the code that the coordinator has sent, or telling the coordinator; and what one hosts."""

import math
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request

from lti_tool.pages.course_people import actor
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student_forms import NO_FAULT, Fault, session_for
from lti_tool.pages.times import SessionTimes, times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.hosts import CameAs, InvitationState, RequestState, proves, read_code
from series.limits import HOST_CODE_TRIES
from series.people import Visit
from series.permissions import Action, may
from series.sessions import Session
from series.store.audit import append_audit
from series.store.database import Connection
from series.store.host_invitations import InvitationUsed, find_invitation, use_invitation
from series.store.hosts import ask_to_host, hosted_sessions, requests_of_participant
from series.store.limits import take
from series.store.sessions import get_series, sessions_of

gettext, ngettext = WORDS.gettext, WORDS.ngettext

blueprint = Blueprint("host_claim", __name__, url_prefix="/visit/<visit_id>/host")


@dataclass(frozen=True, kw_only=True)
class OwnUniversitys:
    """A session that the own university hosts. `state`: of what this person has asked; None: they may ask."""

    session: Session
    times: SessionTimes
    state: RequestState | None


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What became of a code: the session that it opened, the seconds to wait, or (neither) what is wrong."""

    session_id: UUID | None = None
    wait_s: int = 0
    state: InvitationState | None = None


@blueprint.get("/")
@with_visit
def show(visit: Visit) -> Response:
    return _page(visit, NO_FAULT)


@blueprint.post("/code")
@with_visit
def enter_code(visit: Visit) -> Response:
    """Whoever was named may come from anywhere. The first who enters the code is the host."""
    check_form("host code")
    if not may(visit, Action.TAKE_HOST_INVITATION):
        abort(403)
    typed = request.form.get("code", "")[:64]
    entered = _enter(visit, typed)
    if entered.wait_s:
        words = ngettext(
            "Too many tries. Please wait %(num)s second, then compare the code and try again.",
            "Too many tries. Please wait %(num)s seconds, then compare the code and try again.",
            entered.wait_s,
        )
        response = _page(visit, Fault(at="code", words=words, typed=typed, status=429))
        response.headers["Retry-After"] = str(entered.wait_s)
        return response
    if entered.session_id is None:
        return _page(visit, Fault(at="code", words=_refusal(entered.state), typed=typed, status=422))
    return go_to(f"/visit/{visit.visit_id}/host/?saved=code")


@blueprint.post("/ask/<uuid:session_id>")
@with_visit
def ask(visit: Visit, session_id: UUID) -> Response:
    """Opens nothing: the coordinator answers."""
    check_form(f"ask to host {session_id}")
    session, now = session_for(visit, session_id, Action.ASK_TO_HOST), the_tool().clock.now()
    if session.is_over(now):
        words = gettext("This session is over: nobody needs to host it any more.")
        return _page(visit, Fault(at="ask", words=words, status=409))
    with the_tool().database.write() as connection:
        ask_to_host(
            connection,
            session_id=session_id,
            participant_id=visit.participant_id,
            course_id=visit.course_id,
            now=now,
        )
    return go_to(f"/visit/{visit.visit_id}/host/?saved=asked")


def _enter(visit: Visit, typed: str) -> Entered:
    """One transaction: every try is counted, also a right one."""
    tool, now, code = the_tool(), the_tool().clock.now(), read_code(typed)
    with tool.database.write() as connection:
        wait_s = take(connection, f"host code {visit.participant_id}", HOST_CODE_TRIES, now=now)
        if wait_s:
            return Entered(wait_s=math.ceil(wait_s))
        invitation = find_invitation(connection, code.invitation_id) if code else None
        if code is None or invitation is None or not proves(code, invitation, secret_key=tool.settings.secret_key):
            append_audit(connection, actor=actor(visit), action="wrong_host_code", thing=actor(visit), now=now)
            return Entered()
        if invitation.used_by == visit.participant_id and invitation.session_id in visit.hosted_session_ids:
            return Entered(session_id=invitation.session_id)  # sent twice
        if invitation.state(now) is not InvitationState.OPEN:
            return Entered(state=invitation.state(now))
        try:
            session_id = use_invitation(
                connection,
                invitation.invitation_id,
                participant_id=visit.participant_id,
                came_as=_came_as(visit),
                now=now,
            )
        except InvitationUsed:
            return Entered(state=InvitationState.USED)
    return Entered(session_id=session_id)


def _came_as(visit: Visit) -> CameAs:
    if visit.is_teacher:
        return CameAs.TEACHER
    return CameAs.LEARNER if visit.is_learner else CameAs.OTHER


def _refusal(state: InvitationState | None) -> str:
    if state is InvitationState.USED:
        return gettext("This code has been used already, and it works once. Please ask the coordinator for a new one.")
    if state is InvitationState.REVOKED:
        return gettext("The coordinator has taken this code back. Please ask for a new one.")
    if state is InvitationState.EXPIRED:
        return gettext("This code is over. Please ask the coordinator for a new one.")
    return gettext("That is not a code that we have sent. Please compare it with the message of the coordinator.")


def _page(visit: Visit, fault: Fault) -> Response:
    now, zone = the_tool().clock.now(), visit.university.time_zone
    with the_tool().database.read() as connection:
        series = get_series(connection, visit.series_id)
        hosted = hosted_sessions(connection, visit.hosted_session_ids, now=now)
        own = own_universitys(connection, visit)
    page = render_template(
        "host_claim.html",
        visit=visit,
        series=series,
        hosted=[(session, times_of(session, zone)) for session in hosted],
        own=own,
        may_enter=may(visit, Action.TAKE_HOST_INVITATION),
        states=RequestState,
        fault=fault,
        saved=request.args.get("saved", ""),
    )
    return make_response(page, fault.status)


def own_universitys(connection: Connection, visit: Visit) -> list[OwnUniversitys]:
    """Sessions that are not over, that the visit's own university hosts, and that this teacher does not host."""
    now = the_tool().clock.now()
    asked = requests_of_participant(connection, visit.participant_id)
    return [
        OwnUniversitys(
            session=session,
            times=times_of(session, visit.university.time_zone),
            state=asked.get(session.session_id),
        )
        for session in sessions_of(connection, visit.series_id, with_rehearsals=True)
        if may(visit, Action.ASK_TO_HOST, session) and not session.is_over(now)
    ]
