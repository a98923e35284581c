"""Who hosts a session, how they came to it, and who says that they do and waits for the coordinator's answer."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.hosts import CameAs, RequestState
from series.sessions import Session
from series.store.audit import append_audit
from series.store.database import insert
from series.store.lms_tables import host_invitation, host_request
from series.store.sessions import name_host, sessions_with
from series.store.tables import course, participant, session, session_host, university
from series.store.turns import take_turn, take_turns


class NotToBeConfirmed(Exception):
    """Nobody has asked, it was answered since it was seen, or their university does not host the session (any more)."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """`sub`: the number in their LMS. `label`, `used_at`, `came_as`: of the invitation by which they came to it;
    `confirmed_at`, `course_title`: of what they asked. Neither: the command line has named them. `is_of_host`: they
    come from the university that hosts the session now."""

    participant_id: int
    sub: str
    university_id: int
    university: str
    label: str | None
    used_at: datetime | None
    came_as: CameAs | None
    confirmed_at: datetime | None
    course_title: str | None
    is_of_host: bool


@dataclass(frozen=True, kw_only=True)
class HostRequest:
    """`is_of_host`: they come from the university that hosts the session now."""

    session_id: UUID
    participant_id: int
    sub: str
    university_id: int
    university: str
    course_title: str | None
    asked_at: datetime
    state: RequestState
    is_of_host: bool


def hosts_of_session(connection: sa.Connection, session_id: UUID) -> list[Host]:
    used = (host_invitation.c.session_id == session_host.c.session_id) & (
        host_invitation.c.participant_id == session_host.c.participant_id
    )
    asked = (host_request.c.session_id == session_host.c.session_id) & (
        host_request.c.participant_id == session_host.c.participant_id
    )
    rows = connection.execute(
        sa.select(
            session_host.c.participant_id,
            participant.c.sub,
            participant.c.university_id,
            session.c.hosting_university_id,
            university.c.name,
            host_invitation.c.label,
            host_invitation.c.used_at,
            host_invitation.c.used_as,
            host_request.c.decided_at,
            host_request.c.state,
            course.c.title,
        )
        .select_from(
            session_host.join(session, session_host.c.session_id == session.c.id)
            .join(participant, session_host.c.participant_id == participant.c.id)
            .join(university, participant.c.university_id == university.c.id)
            .outerjoin(host_invitation, used)
            .outerjoin(host_request, asked)
            .outerjoin(course, host_request.c.course_id == course.c.id)
        )
        .where(session_host.c.session_id == session_id)
        .order_by(university.c.name, session_host.c.participant_id, host_invitation.c.id.desc())
    )
    found: dict[int, Host] = {}
    for row in rows:
        found.setdefault(row.participant_id, _host(row))  # of several invitations the last one
    return list(found.values())


def remove_host(connection: sa.Connection, *, session_id: UUID, participant_id: int, by: str, now: datetime) -> bool:
    """Whether they were one. What they asked is answered with no, so that they see what became of it."""
    gone = connection.execute(
        sa.delete(session_host)
        .where(session_host.c.session_id == session_id, session_host.c.participant_id == participant_id)
        .returning(session_host.c.participant_id)
    ).one_or_none()
    if gone is None:
        return False
    asked = (host_request.c.session_id == session_id) & (host_request.c.participant_id == participant_id)
    connection.execute(
        sa.update(host_request).where(asked).values(state=RequestState.REFUSED.value, decided_by=by, decided_at=now)
    )
    _note(connection, "remove_host", session_id, participant_id, by=by, now=now)
    return True


def ask_to_host(
    connection: sa.Connection, *, session_id: UUID, participant_id: int, course_id: int | None, now: datetime
) -> None:
    """May be repeated: the first time counts, and an answer stands. Raises NobodyThere."""
    take_turn(connection, participant_id)
    asked = connection.execute(
        insert(connection, host_request)
        .values(
            session_id=session_id,
            participant_id=participant_id,
            course_id=course_id,
            asked_at=now,
            state=RequestState.WAITING.value,
        )
        .on_conflict_do_nothing()
        .returning(host_request.c.participant_id)
    ).one_or_none()
    if asked is not None:
        _note(connection, "ask_to_host", session_id, participant_id, by=f"participant {participant_id}", now=now)


def answer_request(
    connection: sa.Connection,
    *,
    session_id: UUID,
    participant_id: int,
    seen: RequestState,
    answer: RequestState,
    by: str,
    now: datetime,
) -> None:
    """CONFIRMED, also after a no that was `seen`, or REFUSED. Raises NotToBeConfirmed."""
    from_host = sa.exists().where(
        participant.c.id == host_request.c.participant_id,
        session.c.id == host_request.c.session_id,
        session.c.hosting_university_id == participant.c.university_id,
    )
    if seen not in {RequestState.WAITING, RequestState.REFUSED} or seen is answer:
        raise NotToBeConfirmed
    if not take_turns(connection, [participant_id]):
        raise NotToBeConfirmed
    done = connection.execute(
        sa.update(host_request)
        .where(
            host_request.c.session_id == session_id,
            host_request.c.participant_id == participant_id,
            host_request.c.state == seen.value,
            from_host if answer is RequestState.CONFIRMED else sa.true(),
        )
        .values(state=answer.value, decided_by=by, decided_at=now)
        .returning(host_request.c.participant_id)
    ).one_or_none()
    if done is None:
        raise NotToBeConfirmed
    if answer is RequestState.CONFIRMED:
        name_host(connection, session_id=session_id, participant_id=participant_id)
    action = "confirm_host" if answer is RequestState.CONFIRMED else "refuse_host"
    _note(connection, action, session_id, participant_id, by=by, now=now)


def requests_of_session(connection: sa.Connection, session_id: UUID) -> list[HostRequest]:
    """Those that were not confirmed, the oldest first."""
    return _requests(
        connection,
        (host_request.c.session_id == session_id) & (host_request.c.state != RequestState.CONFIRMED.value),
    )


def requests_of_participant(connection: sa.Connection, participant_id: int) -> dict[UUID, RequestState]:
    """By session."""
    found = _requests(connection, host_request.c.participant_id == participant_id)
    return {one.session_id: one.state for one in found}


def hosted_sessions(connection: sa.Connection, session_ids: Collection[UUID], *, now: datetime) -> list[Session]:
    """Those of them that are not over."""
    return sessions_with(connection, session.c.id.in_(session_ids) & (session.c.end_at > now))


def _requests(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[HostRequest]:
    rows = connection.execute(
        sa.select(
            host_request,
            participant.c.sub,
            participant.c.university_id,
            university.c.name,
            course.c.title,
            session.c.hosting_university_id,
        )
        .select_from(
            host_request.join(participant, host_request.c.participant_id == participant.c.id)
            .join(university, participant.c.university_id == university.c.id)
            .join(session, host_request.c.session_id == session.c.id)
            .outerjoin(course, host_request.c.course_id == course.c.id)
        )
        .where(which)
        .order_by(host_request.c.asked_at, host_request.c.participant_id)
    )
    return [
        HostRequest(
            session_id=row.session_id,
            participant_id=row.participant_id,
            sub=row.sub,
            university_id=row.university_id,
            university=row.name,
            course_title=row.title,
            asked_at=row.asked_at,
            state=RequestState(row.state),
            is_of_host=row.university_id == row.hosting_university_id,
        )
        for row in rows
    ]


def _host(row: Any) -> Host:
    is_confirmed = row.state == RequestState.CONFIRMED.value
    return Host(
        participant_id=row.participant_id,
        sub=row.sub,
        university_id=row.university_id,
        university=row.name,
        label=row.label,
        used_at=row.used_at,
        came_as=CameAs(row.used_as) if row.used_as else None,
        confirmed_at=row.decided_at if is_confirmed else None,
        course_title=row.title if is_confirmed else None,
        is_of_host=row.university_id == row.hosting_university_id,
    )


def _note(
    connection: sa.Connection, action: str, session_id: UUID, participant_id: int, *, by: str, now: datetime
) -> None:
    thing = f"session {session_id}"
    append_audit(connection, actor=by, action=action, thing=thing, now=now, participant=participant_id)
