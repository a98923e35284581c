"""Who hosts a session, as the coordinator's page of it shows: hosts, invitations with their codes, and who asks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import gettext

from lti_tool.pages.times import moment
from lti_tool.tool import the_tool
from series.hosts import CameAs, InvitationState, RequestState, make_code
from series.sessions import Session
from series.store.borders import shown_at_the_centre
from series.store.database import Connection
from series.store.host_invitations import invitations_of
from series.store.hosts import Host, HostRequest, hosts_of_session, requests_of_session


@dataclass(frozen=True, kw_only=True)
class HostRow:
    """`how`: how they came to it. `is_of_host`: from the university that hosts the session now."""

    participant_id: int
    label: str
    how: str
    is_of_host: bool


@dataclass(frozen=True, kw_only=True)
class InvitationRow:
    """`code`, `text`: to be sent on, empty where it works no more; `state` in words."""

    invitation_id: int
    label: str
    state: str
    is_open: bool
    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    participant_id: int
    words: str
    asked_at: str
    is_refused: bool
    may_be_confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """All of one session, at one moment."""

    hosts: list[HostRow]
    invitations: list[InvitationRow]
    requests: list[RequestRow]


class Saved(StrEnum):
    """What a form of this part has done."""

    INVITED = "invited"
    REVOKED = "revoked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    REMOVED = "removed"
    OUTDATED = "outdated"


def hosting_of(connection: Connection, session: Session, zone: str, *, now: datetime) -> Hosting:
    """`zone`: on whose clocks the times are."""
    settings = the_tool().settings
    secret_key = settings.secret_key
    shown = shown_at_the_centre(connection, country=settings.country, today=now.date())
    invitations = []
    for one in invitations_of(connection, session.session_id):
        state = one.state(now)
        if state is InvitationState.USED:  # by a host, and stands there
            continue
        is_open = state is InvitationState.OPEN
        code = make_code(one, secret_key=secret_key) if is_open else ""
        invitations.append(
            InvitationRow(
                invitation_id=one.invitation_id,
                label=one.label,
                state=_invitation_words(state, moment(one.expires_at, zone)),
                is_open=is_open,
                code=code,
                text=_text_to_send(session, code, moment(one.expires_at, zone)) if is_open else "",
            )
        )
    return Hosting(
        hosts=[_host_row(one, zone, _who(one, shown)) for one in hosts_of_session(connection, session.session_id)],
        invitations=invitations,
        requests=[
            _request_row(one, zone, _who(one, shown)) for one in requests_of_session(connection, session.session_id)
        ],
    )


def _who(one: Host | HostRequest, shown: Collection[int]) -> str:
    """Without their number where named data of their university do not cross the border."""
    if one.university_id not in shown:
        return str(gettext("somebody at %(university)s", university=one.university))
    return str(
        gettext("somebody at %(university)s, No. %(number)s in its LMS", university=one.university, number=one.sub)
    )


def _host_row(one: Host, zone: str, who: str) -> HostRow:
    how = gettext("named by a command")
    if one.confirmed_at:
        how = gettext("asked, and confirmed on %(at)s", at=moment(one.confirmed_at, zone))
    if one.confirmed_at and one.course_title:
        how = gettext(
            "asked from “%(course)s”, confirmed on %(at)s", course=one.course_title, at=moment(one.confirmed_at, zone)
        )
    if one.used_at and one.came_as:
        how = gettext(
            "entered the code on %(at)s, %(role)s", at=moment(one.used_at, zone), role=_role_words(one.came_as)
        )
    label = f"{one.label} · {who}" if one.label else who
    return HostRow(participant_id=one.participant_id, label=label, how=str(how), is_of_host=one.is_of_host)


def _role_words(came_as: CameAs) -> str:
    words = {
        CameAs.TEACHER: gettext("as a teacher"),
        CameAs.LEARNER: gettext("as a student"),
        CameAs.OTHER: gettext("as an observer"),
    }
    return str(words[came_as])


def _invitation_words(state: InvitationState, until: str) -> str:
    words = {
        InvitationState.OPEN: gettext("not entered yet; works until %(at)s", at=until),
        InvitationState.REVOKED: gettext("taken back"),
        InvitationState.EXPIRED: gettext("over since %(at)s", at=until),
        InvitationState.USED: gettext("used"),
    }
    return str(words[state])


def _text_to_send(session: Session, code: str, until: str) -> str:
    return str(
        gettext(
            "You host “%(title)s”. Please open the activity of the workshop series in your own course, in your"
            " university's LMS, choose “I host a session”, and enter this code: %(code)s. It works once, until %(at)s,"
            " and for you alone: please do not pass it on.",
            title=session.title,
            code=code,
            at=until,
        )
    )


def _request_row(one: HostRequest, zone: str, who: str) -> RequestRow:
    of_course = gettext("course “%(title)s”", title=one.course_title) if one.course_title else gettext("unknown course")
    return RequestRow(
        participant_id=one.participant_id,
        words=f"{who}, {of_course}",
        asked_at=moment(one.asked_at, zone),
        is_refused=one.state is RequestState.REFUSED,
        may_be_confirmed=one.is_of_host,
    )
