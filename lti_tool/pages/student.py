"""The page that a launch opens: this week's session, the check-in, and all sessions with what counts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.pages.feed_links import feed_links
from lti_tool.pages.join_link_words import link_notice
from lti_tool.pages.own_record import OwnRecord, OwnSession, read_own_record
from lti_tool.pages.student_forms import NO_FAULT, Fault
from lti_tool.pages.times import moment
from lti_tool.pages.visit_proof import with_visit
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.check_in import EXTRA_TIME, MAY_OPEN_AFTER_END, CheckIn, CodeReason, is_open_for, that_count
from series.feed_address import OwnerKind
from series.people import Visit
from series.permissions import Action, may
from series.rule import Kind
from series.rule_words import series_sentence, session_sentence, standing_sentence
from series.sessions import Session, is_its_day, may_join, this_weeks_session
from series.store.check_ins import check_ins_of, extended_check_ins
from series.store.database import Connection

blueprint = Blueprint("student", __name__, url_prefix="/visit/<visit_id>")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What became of a typed code. `wait_s`: there were too many tries, and the next one may follow after that.
    `no_more_time`: more time was asked for when the check-in was not open."""

    reason: CodeReason | None = None
    wait_s: int = 0
    no_more_time: bool = False
    typed: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckInNow:
    """The check-in of one session for one participant. `longer_until`: they have more time, until then."""

    may: bool = False
    is_open: bool = False
    may_ask_for_time: bool = False
    longer_until: str = ""


NOT_REFUSED = Refusal()


@blueprint.get("/")
@with_visit
def this_week(visit: Visit) -> Response:
    return render_week(visit)


def render_week(
    visit: Visit,
    *,
    refusal: Refusal = NOT_REFUSED,
    fault: Fault = NO_FAULT,
    first_id: UUID | None = None,
    status: int = 200,
) -> Response:
    """`first_id`: the session of the first card, where it is not this week's: that of the form that was sent."""
    tool = the_tool()
    now = tool.clock.now()
    with tool.database.read() as connection:
        own = read_own_record(connection, visit, now=now)
        of_the_week = _first(visit, own, now)
        first = own.session(first_id) if first_id else of_the_week
        check_in = check_in_now(connection, visit, first, now) if first else CheckInNow()
        zone = visit.university.time_zone
        notice = link_notice(connection, first.session, zone, now=now) if first else ""
    page = render_template(
        "student.html",
        visit=visit,
        own=own,
        series=own.series,
        first=first,
        refreshes=first is of_the_week,
        check_in=check_in,
        link_notice=notice,
        rehearsals=_rehearsals(visit, own, now),
        sent=next((grade for grade in own.grades if grade.placement_id == visit.placement_id), None),
        now=now,
        may_join=first is not None and may_join(first.session, now),
        host_may_open=first is not None and host_may_open(visit, first.session, now),
        speaks=may(visit, Action.SPEAK_FOR_ONESELF),
        refusal=refusal,
        reasons=CodeReason,
        Kind=Kind,
        fault=fault,
        saved=request.args.get("saved", ""),
        moment=moment,
        sentences=_sentences(own),
        session_sentence=lambda rule: session_sentence(rule, WORDS),
        links=feed_links(OwnerKind.PARTICIPANT, visit.participant_id, name=own.series.title),
        address_is_new="calendar" in request.args,
    )
    return make_response(page, status)


def _sentences(own: OwnRecord) -> dict[str, str]:
    return {
        "session": session_sentence(own.rules.series, WORDS),
        "series": series_sentence(own.rules.series, WORDS),
        "standing": standing_sentence(own.standing, WORDS),
        "course": standing_sentence(own.course, WORDS) if own.course else "",
    }


def check_in_now(connection: Connection, visit: Visit, shown: OwnSession, now: datetime) -> CheckInNow:
    session_id = shown.session.session_id
    if not may(visit, Action.CHECK_IN, shown.session) or not shown.rule.rule.counts(Kind.CODE):
        return CheckInNow()
    openings = that_count(shown.session, check_ins_of(connection, session_id))
    extended = extended_check_ins(connection, participant_id=visit.participant_id, session_id=session_id)
    longer = [opening for opening in openings if opening.check_in_id in extended and opening.is_open_longer(now)]
    return CheckInNow(
        may=True,
        is_open=any(is_open_for(opening, now, extended) for opening in openings),
        may_ask_for_time=opening_to_extend(openings, now) is not None and not longer,
        longer_until=moment(longer[0].closes_at + EXTRA_TIME, visit.university.time_zone) if longer else "",
    )


def opening_to_extend(openings: list[CheckIn], now: datetime) -> CheckIn | None:
    return next((opening for opening in openings if opening.is_open(now)), None)


def _rehearsals(visit: Visit, own: OwnRecord, now: datetime) -> list[OwnSession]:
    """For students on their day alone: they are for those who teach and host, and are nobody's session of the week."""
    prepares = may(visit, Action.SEE_COURSE)
    return [
        shown
        for shown in own.rehearsals.values()
        if is_its_day(shown.session, now, own.series.time_zone)
        or (not shown.session.is_over(now) and (prepares or shown.session.session_id in visit.hosted_session_ids))
    ]


def host_may_open(visit: Visit, session: Session, now: datetime) -> bool:
    """Whether the page of the check-in code is of any use to this visit."""
    return may(visit, Action.OPEN_CHECK_IN, session) and now < session.end_at + MAY_OPEN_AFTER_END


def _first(visit: Visit, own: OwnRecord, now: datetime) -> OwnSession | None:
    """The placement's own session, or this week's."""
    if visit.session_id is not None:
        return own.sessions.get(visit.session_id)
    sessions = [shown.session for shown in own.sessions.values()]
    found = this_weeks_session(sessions, now=now, zone=own.series.time_zone)
    return own.sessions[found.session_id] if found else None
