"""The courses that are mirrored into, and the events that stand for sessions there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.mirrors import Mirror
from series.moodle_jobs import MoodleJob
from series.store.database import insert
from series.store.moodle_jobs import ask_for
from series.store.seen_sessions import forget_seen
from series.store.tables import (
    course,
    course_series,
    deployment,
    mirror,
    moodle_connection,
    platform,
    session,
)


@dataclass(frozen=True, kw_only=True)
class MirroredCourse:
    course_id: int
    moodle_course_id: int
    series_ids: tuple[UUID, ...]


def tie_course(
    connection: sa.Connection,
    *,
    university_id: int,
    moodle_course_id: int,
    title: str,
    series_id: UUID,
    now: datetime,
) -> None:
    """Show the series in this Moodle course. May be repeated.

    A course that launches from this Moodle have made known already is the same one.
    """
    course_id = _known_course(connection, university_id, moodle_course_id)
    if course_id is None:
        course_id = connection.execute(
            sa.insert(course)
            .values(university_id=university_id, moodle_course_id=moodle_course_id, title=title[:255])
            .returning(course.c.id)
        ).scalar_one()
    else:
        connection.execute(sa.update(course).where(course.c.id == course_id).values(moodle_course_id=moodle_course_id))
    show_series(connection, course_id, series_id, now=now)
    connection.execute(sa.update(course_series).where(_of(course_id, series_id)).values(is_mirrored=True))


def show_series(connection: sa.Connection, course_id: int, series_id: UUID, *, now: datetime) -> None:
    """In this course, whose calendar is brought up to date at once if we write into it. May be repeated."""
    added = connection.execute(
        insert(connection, course_series)
        .values(course_id=course_id, series_id=series_id)
        .on_conflict_do_nothing()
        .returning(course_series.c.course_id)
    ).scalar_one_or_none()
    if added is not None:
        _mirror_now(connection, course_id, now)


def hide_series(connection: sa.Connection, course_id: int, series_id: UUID, *, now: datetime) -> None:
    """No longer in this course's calendar: its events there are deleted, and when it was the last series, nothing is
    announced there any more. A course that was launched still shows the series to who opens it. May be repeated."""
    _mirror_now(connection, course_id, now)  # first: jobs are locked first by everybody
    shown = _of(course_id, series_id)
    connection.execute(sa.update(course_series).where(shown).values(is_mirrored=False))
    unlaunched = sa.select(course.c.id).where(course.c.deployment_id.is_(None))
    connection.execute(sa.delete(course_series).where(shown, course_series.c.course_id.in_(unlaunched)))
    others = sa.exists().where(course_series.c.course_id == course.c.id, course_series.c.is_mirrored)
    connection.execute(sa.update(course).where(course.c.id == course_id, ~others).values(announces=False))
    forget_seen(connection, course_id, series_id)


def leave_series(connection: sa.Connection, course_id: int, series_id: UUID, *, now: datetime) -> None:
    """The course has gone over to another round: its events are deleted, and its feed has them no more. Show the other
    one before. May be repeated."""
    _mirror_now(connection, course_id, now)
    connection.execute(sa.delete(course_series).where(_of(course_id, series_id)))
    forget_seen(connection, course_id, series_id)


def _of(course_id: int, series_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(course_series.c.course_id == course_id, course_series.c.series_id == series_id)


def _mirror_now(connection: sa.Connection, course_id: int, now: datetime) -> None:
    into_moodle = sa.select(course.c.university_id).where(
        course.c.id == course_id, course.c.moodle_course_id.is_not(None)
    )
    university_id = connection.execute(into_moodle).scalar_one_or_none()
    if university_id is not None:
        ask_for(connection, university_id, MoodleJob.MIRROR, at=now)


def _known_course(connection: sa.Connection, university_id: int, moodle_course_id: int) -> int | None:
    """In Moodle the context id is the course id and the issuer is the site's address; another LMS of the university may
    have a course of the same number."""
    of_university = sa.select(course.c.id).where(course.c.university_id == university_id).order_by(course.c.id).limit(1)
    launched = (
        of_university.join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .join(moodle_connection, moodle_connection.c.university_id == course.c.university_id)
        .where(course.c.context_id == str(moodle_course_id), platform.c.issuer == moodle_connection.c.base_url)
    )
    for query in (of_university.where(course.c.moodle_course_id == moodle_course_id), launched):
        found: int | None = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return found
    return None


def mirrored_courses(connection: sa.Connection, university_id: int) -> list[MirroredCourse]:
    """Those that show a series, and those that did and whose events are not all gone yet."""
    mirrors = sa.exists().where(mirror.c.course_id == course.c.id)
    rows = connection.execute(
        sa.select(course.c.id, course.c.moodle_course_id, course_series.c.series_id)
        .outerjoin(course_series, (course_series.c.course_id == course.c.id) & course_series.c.is_mirrored)
        .where(
            course.c.university_id == university_id,
            course.c.moodle_course_id.is_not(None),
            course_series.c.series_id.is_not(None) | mirrors,
        )
        .order_by(course.c.id)
    ).all()
    return [
        MirroredCourse(
            course_id=course_id,
            moodle_course_id=moodle_course_id,
            series_ids=tuple(row.series_id for row in rows if row.id == course_id and row.series_id is not None),
        )
        for course_id, moodle_course_id in dict.fromkeys((row.id, row.moodle_course_id) for row in rows)
    ]


def mirrors_of(connection: sa.Connection, course_id: int) -> list[Mirror]:
    rows = connection.execute(sa.select(mirror).where(mirror.c.course_id == course_id))
    return [
        Mirror(
            session_id=row.session_id,
            event_id=row.event_id,
            fingerprint=row.fingerprint,
            began_at=row.began_at,
            shown_as=row.shown_as,
        )
        for row in rows
    ]


def mirrored_starts(connection: sa.Connection, course_id: int) -> list[datetime]:
    """Of all sessions with a mirror in the course, also of those that it no longer shows."""
    query = sa.select(session.c.start_at).join(mirror, mirror.c.session_id == session.c.id)
    return list(connection.execute(query.where(mirror.c.course_id == course_id)).scalars())


def save_mirrors(connection: sa.Connection, course_id: int, mirrors: Iterable[Mirror], *, now: datetime) -> None:
    rows = [
        {
            "course_id": course_id,
            "session_id": one.session_id,
            "event_id": one.event_id,
            "fingerprint": one.fingerprint,
            "updated_at": now,
            "began_at": one.began_at,
            "shown_as": one.shown_as,
        }
        for one in mirrors
    ]
    if not rows:
        return
    statement = insert(connection, mirror)
    columns = ("event_id", "fingerprint", "updated_at", "began_at", "shown_as")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["course_id", "session_id"], set_={name: statement.excluded[name] for name in columns}
        ),
        rows,
    )


def drop_mirrors(connection: sa.Connection, course_id: int, session_ids: Iterable[UUID]) -> None:
    gone = mirror.c.session_id.in_(list(session_ids))
    connection.execute(sa.delete(mirror).where(mirror.c.course_id == course_id, gone))
