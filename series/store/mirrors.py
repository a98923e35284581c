"""The courses that are mirrored into, and the events that stand for sessions there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.mirrors import Mirror
from series.store.database import insert
from series.store.tables import (
    course,
    course_series,
    deployment,
    mirror,
    moodle_connection,
    platform,
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
    now: datetime | None = None,
) -> None:
    """Show the series in this Moodle course. May be repeated. `now`: so that what happened before is not told there.

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
    connection.execute(
        insert(connection, course_series)
        .values(course_id=course_id, series_id=series_id, since_at=now)
        .on_conflict_do_nothing()
    )


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
    rows = connection.execute(
        sa.select(course.c.id, course.c.moodle_course_id, course_series.c.series_id)
        .join(course_series, course_series.c.course_id == course.c.id)
        .where(course.c.university_id == university_id, course.c.moodle_course_id.is_not(None))
        .order_by(course.c.id)
    ).all()
    return [
        MirroredCourse(
            course_id=course_id,
            moodle_course_id=moodle_course_id,
            series_ids=tuple(row.series_id for row in rows if row.id == course_id),
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


def save_mirror(
    connection: sa.Connection,
    *,
    course_id: int,
    session_id: UUID,
    event_id: int | None,
    fingerprint: str,
    now: datetime,
) -> None:
    began_at = now if event_id is None else None
    values = {"event_id": event_id, "fingerprint": fingerprint, "updated_at": now, "began_at": began_at}
    connection.execute(
        insert(connection, mirror)
        .values(course_id=course_id, session_id=session_id, **values)
        .on_conflict_do_update(index_elements=["course_id", "session_id"], set_=values)
    )


def drop_mirror(connection: sa.Connection, *, course_id: int, session_id: UUID) -> None:
    connection.execute(sa.delete(mirror).where(mirror.c.course_id == course_id, mirror.c.session_id == session_id))
