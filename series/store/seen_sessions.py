"""How the courses have seen the sessions of their series before those changed."""

from uuid import UUID

import sqlalchemy as sa

from series.announcements import State
from series.sessions import Session
from series.store.database import insert
from series.store.moodle_tables import announcement, seen_session
from series.store.tables import course_series, session


def note_seen(connection: sa.Connection, changed: Session) -> None:
    """Before a session's time or status changes: each course that shows it has seen it as it still is. Only the first
    time: from then on, what the course is told counts."""
    names = ["course_id", "session_id", "status", "start_at"]
    as_it_is = (
        sa.select(course_series.c.course_id, session.c.id, session.c.status, session.c.start_at)
        .join(course_series, course_series.c.series_id == session.c.series_id)
        .where(session.c.id == changed.session_id, is_replanned(changed))
    )
    connection.execute(insert(connection, seen_session).from_select(names, as_it_is).on_conflict_do_nothing())


def is_replanned(changed: Session) -> sa.ColumnElement[bool]:
    return sa.or_(session.c.start_at != changed.start_at, session.c.status != changed.status.value)


def forget_seen(connection: sa.Connection, course_id: int, series_id: UUID) -> None:
    """The course does not show the series any more. What it was told of it stands."""
    in_series = sa.select(session.c.id).where(session.c.series_id == series_id)
    connection.execute(
        sa.delete(announcement).where(
            announcement.c.course_id == course_id,
            announcement.c.session_id.in_(in_series),
            announcement.c.state == State.LEFT.value,
        )
    )
    spoken = sa.exists().where(
        announcement.c.course_id == seen_session.c.course_id, announcement.c.session_id == seen_session.c.session_id
    )
    connection.execute(
        sa.delete(seen_session).where(
            seen_session.c.course_id == course_id, seen_session.c.session_id.in_(in_series), sa.not_(spoken)
        )
    )
