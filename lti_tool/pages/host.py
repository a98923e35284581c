"""The host's page: open the check-in and show its code, large, to a whole room."""

from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.join_link_words import link_log, places_of
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student_forms import NO_FAULT, Fault, NotTaken, typed_text
from lti_tool.pages.times import moment, times_of
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.tool import the_tool
from series.check_in import MAX_REASON_CHARS, MAY_OPEN_AFTER_END, MayOpen, may_open, new_code, that_count
from series.hand_edits import NotPossible, change_join_url
from series.people import Visit
from series.permissions import Action, may
from series.pooling import protect
from series.rule import Kind
from series.sessions import Session
from series.store.audit import append_audit
from series.store.check_ins import check_ins_of, lock_check_ins, open_check_in, turnout_of
from series.store.hand_edits import EditOutdated, edit_session, version_of
from series.store.pooled_settings import smallest_group_of
from series.store.rules import rules_of
from series.store.sessions import get_series, get_session
from series.store.turns import take_turn

blueprint = Blueprint("host", __name__, url_prefix="/visit/<visit_id>/sessions/<uuid:session_id>/code")


@blueprint.get("/")
@with_visit
def show_code(visit: Visit, session_id: UUID) -> Response:
    return _page(visit, _hosted_session(visit, session_id), NO_FAULT)


@blueprint.post("/")
@with_visit
def open_now(visit: Visit, session_id: UUID) -> Response:
    """Open the check-in, unless it is open: two hosts who press at once get the same code."""
    check_form(f"open-check-in {session_id}")
    session = _hosted_session(visit, session_id)
    try:
        _open(visit, session)
    except NotTaken as error:
        return _page(visit, session, error.fault)
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/code/")


@blueprint.post("/join-link")
@with_visit
def change_link(visit: Visit, session_id: UUID) -> Response:
    """Over what was shown: two hosts, or the calendar, may change it at once."""
    check_form(f"join-link {session_id}")
    session = _hosted_session(visit, session_id)
    if not may(visit, Action.CHANGE_JOIN_LINK, session):
        abort(403)
    typed, now = request.form.get("join_url", "")[:4_000], the_tool().clock.now()
    version = request.form.get("version", "")
    try:
        with the_tool().database.write() as connection:
            places = places_of(get_series(connection, session.series_id))
            edit_session(
                connection,
                session.series_id,
                session_id,
                version,
                lambda one: change_join_url(one, typed, places=places, now=now),
                actor=f"participant {visit.participant_id}",
                action=Action.CHANGE_JOIN_LINK,
                now=now,
            )
    except NotPossible as error:
        return _page(visit, session, Fault(at="join-link", words=str(error), typed=typed, status=422))
    except EditOutdated:
        words = gettext("The session was changed meanwhile. Nothing was saved: please look at it, and send it again.")
        fault = Fault(at="join-link", words=words, typed=typed, status=409)
        return _page(visit, _hosted_session(visit, session_id), fault)
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/code/?saved=join-link#join-link")


def _open(visit: Visit, session: Session) -> None:
    """Raises NotTaken."""
    now = the_tool().clock.now()
    with the_tool().database.write() as connection:
        take_turn(connection, visit.participant_id)  # before the session's row: as a check-in of theirs does
        openings = lock_check_ins(connection, session.session_id)
        allowed = may_open(session, openings, now)
        if allowed is MayOpen.IS_OPEN:
            return
        reason = _reason(allowed)
        open_check_in(
            connection,
            session_id=session.session_id,
            code=new_code([opening.code for opening in openings]),
            participant_id=visit.participant_id,
            reason=reason or None,
            now=now,
        )
        append_audit(
            connection,
            actor=f"participant {visit.participant_id}",
            action=Action.OPEN_CHECK_IN,
            thing=f"session {session.session_id}",
            now=now,
            **({"reason": reason} if reason else {}),
        )


def _reason(allowed: MayOpen) -> str:
    """Empty where none is needed. Raises NotTaken."""
    if allowed in {MayOpen.TOO_EARLY, MayOpen.TOO_LATE}:
        raise NotTaken(Fault(at="open", words=gettext("The check-in cannot be opened now."), status=409))
    if allowed is MayOpen.YES:
        return ""
    reason = typed_text("reason")
    if not reason:
        raise NotTaken(Fault(at="open", words=gettext("Please write why it is opened once more."), status=422))
    if len(reason) > MAX_REASON_CHARS:
        words = gettext("Please say it in at most %(n)s characters.", n=MAX_REASON_CHARS)
        raise NotTaken(Fault(at="open", words=words, typed=reason, status=422))
    return reason


def _page(visit: Visit, session: Session, fault: Fault) -> Response:
    now, zone = the_tool().clock.now(), visit.university.time_zone
    with the_tool().database.read() as connection:
        openings = that_count(session, check_ins_of(connection, session.session_id))
        smallest_group = smallest_group_of(connection, session.series_id)
        turnout = turnout_of(connection, session.session_id, smallest_group=smallest_group)
        rule = rules_of(connection, session.series_id).of_sessions[session.session_id].rule
        series = get_series(connection, session.series_id)
        changes = link_log(connection, session, zone)
    page = render_template(
        "host_code.html",
        visit=visit,
        session=session,
        times=times_of(session, zone),
        opening=next((opening for opening in openings if opening.is_open(now)), None),
        allowed=may_open(session, openings, now),
        answers=MayOpen,
        until=moment(session.end_at + MAY_OPEN_AFTER_END, zone),
        people=protect(turnout.people, largest=turnout.largest, smallest_group=smallest_group),
        countries=turnout.countries,
        code_counts=rule.counts(Kind.CODE),
        version=version_of(session),
        join_hosts=series.join_hosts,
        link_changes=changes,
        may_change_link=may(visit, Action.CHANGE_JOIN_LINK, session) and not session.is_over(now),
        saved=request.args.get("saved", ""),
        fault=fault,
        now=now,
    )
    return make_response(page, fault.status)


def _hosted_session(visit: Visit, session_id: UUID) -> Session:
    with the_tool().database.read() as connection:
        session = get_session(connection, session_id)
    if session is None:
        abort(404)
    if not may(visit, Action.OPEN_CHECK_IN, session):
        abort(403)
    return session
