"""What waits for the coordinator about single sessions: who says that they host, and where a calendar would meet."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.hosts import RequestState
from series.sessions import Status
from series.store.lms_tables import host_request
from series.store.tables import course, participant, series, session, university
from series.waiting import Scope, Waiting, WaitingKind

_ABOUT = (series.c.slug, series.c.title, session.c.id.label("session_id"), session.c.title.label("session"))
_TAKES_PLACE = session.c.status == Status.PLANNED.value


def waiting_of_sessions(connection: sa.Connection, *, now: datetime) -> Iterator[Waiting]:
    """Of those that take place and are not over."""
    yield from _host_requests(connection, now)
    yield from _refused_links(connection, now)


def _host_requests(connection: sa.Connection, now: datetime) -> Iterator[Waiting]:
    query = (
        sa.select(
            *_ABOUT,
            host_request.c.asked_at,
            host_request.c.participant_id,
            university.c.name.label("university"),
            course.c.title.label("course"),
        )
        .select_from(
            host_request.join(session, host_request.c.session_id == session.c.id)
            .join(series, session.c.series_id == series.c.id)
            .join(participant, host_request.c.participant_id == participant.c.id)
            .join(university, participant.c.university_id == university.c.id)
            .outerjoin(course, host_request.c.course_id == course.c.id)
        )
        .where(host_request.c.state == RequestState.WAITING.value, _TAKES_PLACE, session.c.end_at > now)
    )
    for row in connection.execute(query).all():
        about = {"university": row.university, "course": row.course or "–"}
        yield _waits(WaitingKind.HOST_REQUEST, row, row.asked_at, f"{row.participant_id}", **about)


def _refused_links(connection: sa.Connection, now: datetime) -> Iterator[Waiting]:
    query = (
        sa.select(*_ABOUT, session.c.refused_join_host, session.c.updated_at)
        .join(series, session.c.series_id == series.c.id)
        .where(session.c.refused_join_host.is_not(None), _TAKES_PLACE, session.c.start_at > now)
    )
    for row in connection.execute(query).all():
        host = row.refused_join_host
        yield _waits(WaitingKind.JOIN_LINK, row, row.updated_at, host, host=host)


def _waits(kind: WaitingKind, row: Any, since_at: datetime, which: str, **facts: str) -> Waiting:
    return Waiting(
        key=f"{kind} {row.slug} {row.session_id} {which}",
        kind=kind,
        since_at=since_at,
        scope=Scope.SERIES,
        name=row.title,
        slug=row.slug,
        facts={"session": row.session, "session_id": str(row.session_id), **facts},
    )
