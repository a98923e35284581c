"""One session's own page: what counts, what is recorded, and what its reader can still say about it."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.join_link_words import link_notice
from lti_tool.pages.own_record import OwnSession, read_own_record
from lti_tool.pages.redirects import go_to
from lti_tool.pages.student import check_in_now, host_may_open
from lti_tool.pages.student_forms import NO_FAULT, Fault, NotTaken, session_for, session_of_visit
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import check_form, with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.people import Visit
from series.permissions import Action, may
from series.rule import Kind
from series.rule_words import session_sentence
from series.sessions import may_join
from series.store.declarations import DeclaredAlready, declare_recording, take_back_recording
from series.store.evidence import NothingToRetract

blueprint = Blueprint("student_session", __name__, url_prefix="/visit/<visit_id>/sessions/<uuid:session_id>")


@blueprint.get("/")
@with_visit
def show(visit: Visit, session_id: UUID) -> Response:
    return render_session(visit, session_id)


@blueprint.post("/recording")
@with_visit
def declare(visit: Visit, session_id: UUID) -> Response:
    """“I have watched the recording”: their own word, marked so."""
    check_form(f"recording {session_id}")
    session_for(visit, session_id, Action.SPEAK_FOR_ONESELF)
    now = the_tool().clock.now()
    with the_tool().database.read() as connection:
        shown = read_own_record(connection, visit, now=now).session(session_id)
    try:
        percent = _percent(shown, now)
        with the_tool().database.write() as connection:
            delivery_ids = declare_recording(
                connection, participant_id=visit.participant_id, session_id=session_id, percent=percent, now=now
            )
    except NotTaken as error:
        return render_session(visit, session_id, error.fault)
    except DeclaredAlready:
        words = gettext("This recording is declared already, or somebody has withdrawn that. Nothing was changed.")
        return render_session(visit, session_id, Fault(at="recording", words=words, status=409))
    the_tool().queue.enqueue_all("deliver", delivery_ids)
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/?saved=recording#recording")


@blueprint.post("/recording/take-back")
@with_visit
def take_back(visit: Visit, session_id: UUID) -> Response:
    """Their own word is theirs to withdraw, also where that costs them the session."""
    check_form(f"take-back {session_id}")
    session_for(visit, session_id, Action.SPEAK_FOR_ONESELF)
    if request.form.get("confirmed") != "yes":
        words = gettext("Nothing was taken back. Tick the box as well, if you are sure.")
        return render_session(visit, session_id, Fault(at="take-back", words=words, status=422))
    try:
        with the_tool().database.write() as connection:
            delivery_ids = take_back_recording(
                connection,
                participant_id=visit.participant_id,
                session_id=session_id,
                now=the_tool().clock.now(),
            )
    except NothingToRetract:
        words = gettext("There is nothing left to take back.")
        return render_session(visit, session_id, Fault(at="take-back", words=words, status=409))
    the_tool().queue.enqueue_all("deliver", delivery_ids)
    return go_to(f"/visit/{visit.visit_id}/sessions/{session_id}/?saved=taken-back#recording")


def render_session(visit: Visit, session_id: UUID, fault: Fault = NO_FAULT) -> Response:
    session_of_visit(visit, session_id)
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.read() as connection:
        own = read_own_record(connection, visit, now=now)
        shown = own.session(session_id)
        check_in = check_in_now(connection, visit, shown, now)
        notice = link_notice(connection, shown.session, visit.university.time_zone, now=now)
    page = render_template(
        "student_session.html",
        visit=visit,
        series=own.series,
        own=own,
        shown=shown,
        check_in=check_in,
        now=now,
        Kind=Kind,
        what_counts=session_sentence(shown.rule.rule, WORDS),
        speaks=may(visit, Action.SPEAK_FOR_ONESELF, shown.session),
        host_may_open=host_may_open(visit, shown.session, now),
        may_join=may_join(shown.session, now),
        link_notice=notice,
        fault=fault,
        saved=request.args.get("saved", ""),
        moment=moment,
    )
    return make_response(page, fault.status)


def _percent(shown: OwnSession, now: datetime) -> int:
    """Raises NotTaken."""
    if not shown.can(Kind.RECORDING, now):
        words = gettext("The recording of this session cannot be declared now. Nothing was recorded.")
        raise NotTaken(Fault(at="recording", words=words, status=409))
    offered = {str(percent): percent for percent in shown.percentages(now)}
    chosen = offered.get(request.form.get("watched", ""))
    if chosen is None:
        words = gettext("Please choose how much of the recording you have watched.")
        raise NotTaken(Fault(at="recording", words=words, status=422))
    return chosen
