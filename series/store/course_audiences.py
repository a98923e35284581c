"""Whom the courses of a series teach."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.audience import Audience, CourseAudience, TaughtCourse
from series.store.audit import append_audit
from series.store.database import insert
from series.store.pooled_tables import course_audience
from series.store.tables import course, course_series


def audience_of(connection: sa.Connection, course_id: int, series_id: UUID) -> CourseAudience | None:
    """None: nobody has said it."""
    query = sa.select(course_audience).filter_by(course_id=course_id, series_id=series_id)
    return _said(connection.execute(query).one_or_none())


def set_audience(
    connection: sa.Connection, course_id: int, series_id: UUID, new: CourseAudience | None, *, by: str, now: datetime
) -> bool:
    """Whether that is something else than before; None takes back what was said. May be repeated."""
    connection.execute(sa.select(course.c.id).where(course.c.id == course_id).with_for_update())
    if new == audience_of(connection, course_id, series_id):
        return False
    key = {"course_id": course_id, "series_id": series_id}
    if new is None:
        connection.execute(sa.delete(course_audience).filter_by(**key))
    else:
        fresh = {"audience": new.audience.value, "schools": new.schools, "set_by": by, "set_at": now}
        connection.execute(
            insert(connection, course_audience)
            .values(**key, **fresh)
            .on_conflict_do_update(index_elements=list(key), set_=fresh)
        )
    detail: dict[str, str | int] = {"audience": "not said" if new is None else new.audience.value}
    if new is not None and new.schools is not None:
        detail["schools"] = new.schools
    append_audit(connection, actor=by, action="set_audience", thing=f"course {course_id}", now=now, **detail)
    return True


def taught_courses(connection: sa.Connection, series_id: UUID) -> list[TaughtCourse]:
    """All courses tied to the series."""
    said = (course_audience.c.course_id == course.c.id) & (course_audience.c.series_id == series_id)
    rows = connection.execute(
        sa.select(course.c.id, course.c.university_id, course_audience.c.audience, course_audience.c.schools)
        .join(course_series, course_series.c.course_id == course.c.id)
        .outerjoin(course_audience, said)
        .where(course_series.c.series_id == series_id)
        .order_by(course.c.id)
    )
    return [TaughtCourse(course_id=row.id, university_id=row.university_id, said=_said(row)) for row in rows]


def _said(row: Any) -> CourseAudience | None:
    if row is None or row.audience is None:
        return None
    return CourseAudience(audience=Audience(row.audience), schools=row.schools)
