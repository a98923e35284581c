"""Which courses are tied to which courses of the Moodles, what they show there, and the end of it."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from series.store.tables import counted, course, course_series, mirror, moodle_connection, series, session, university


@dataclass(frozen=True, kw_only=True)
class ShownSeries:
    """A series in the calendar of a Moodle course."""

    course_id: int
    moodle_course_id: int
    course_title: str
    series_id: UUID
    series_slug: str
    series_title: str


def shown_series(connection: sa.Connection, university_id: int) -> list[ShownSeries]:
    """By course and title."""
    rows = connection.execute(
        sa.select(course, series.c.id.label("series_id"), series.c.slug, series.c.title.label("series_title"))
        .join(course_series, (course_series.c.course_id == course.c.id) & course_series.c.is_mirrored)
        .join(series, series.c.id == course_series.c.series_id)
        .where(course.c.university_id == university_id, course.c.moodle_course_id.is_not(None))
        .order_by(course.c.title, course.c.id, series.c.title)
    )
    return [
        ShownSeries(
            course_id=row.id,
            moodle_course_id=row.moodle_course_id,
            course_title=row.title,
            series_id=row.series_id,
            series_slug=row.slug,
            series_title=row.series_title,
        )
        for row in rows
    ]


def events_there(connection: sa.Connection, university_id: int) -> int:
    """Of ours in the university's Moodle, also of what is shown no more and not yet deleted."""
    query = sa.select(sa.func.count()).select_from(mirror).join(course, course.c.id == mirror.c.course_id)
    count: int = connection.execute(
        query.where(course.c.university_id == university_id, course.c.moodle_course_id.is_not(None))
    ).scalar_one()
    return count


def let_courses_go(connection: sa.Connection, course_ids: Collection[int]) -> None:
    """They are no longer tied to a course of a Moodle, whatever stands there; one that nobody has launched, and to
    which nothing will ever lead again, shows nothing any more."""
    if not course_ids:
        return
    connection.execute(sa.delete(mirror).where(mirror.c.course_id.in_(course_ids)))
    unlaunched = sa.select(course.c.id).where(course.c.id.in_(course_ids), course.c.deployment_id.is_(None))
    connection.execute(sa.delete(course_series).where(course_series.c.course_id.in_(unlaunched)))
    values = {"moodle_course_id": None, "announces": False}
    connection.execute(sa.update(course).where(course.c.id.in_(course_ids)).values(values))


def let_go_what_is_over(connection: sa.Connection, university_id: int) -> None:
    """Courses into whose calendar nothing is mirrored any more, and of whose events none is left. One that was launched
    stays tied: what is completed there goes on counting."""
    is_over = ~sa.exists().where(mirror.c.course_id == course.c.id) & ~_shows_any(course)
    over = sa.select(course.c.id).where(
        course.c.university_id == university_id,
        course.c.moodle_course_id.is_not(None),
        course.c.deployment_id.is_(None),
        is_over,
    )
    let_courses_go(connection, connection.execute(over).scalars().all())


def let_go_what_others_show(connection: sa.Connection, university_id: int) -> bool:
    """Courses of the connected site in which another university shows a series meanwhile. Whether there was one."""
    theirs = course.alias()
    same = _in_same_moodle_course(course, theirs)
    shown = sa.select(course.c.id).where(
        course.c.university_id == university_id, sa.exists().where(same, _shows_any(theirs))
    )
    ids = connection.execute(shown).scalars().all()
    let_courses_go(connection, ids)
    return bool(ids)


def who_else_shows(connection: sa.Connection, university_id: int, moodle_course_id: int) -> str | None:
    """The name of another university that shows a series in this course of the same Moodle."""
    ours, theirs = moodle_connection.alias(), moodle_connection.alias()
    found: str | None = connection.execute(
        sa.select(university.c.name)
        .join(course, course.c.university_id == university.c.id)
        .join(theirs, theirs.c.university_id == university.c.id)
        .join(ours, ours.c.base_url == theirs.c.base_url)
        .where(
            ours.c.university_id == university_id,
            theirs.c.university_id != university_id,
            course.c.moodle_course_id == moodle_course_id,
            _shows_any(course),
        )
        .limit(1)
    ).scalar_one_or_none()
    return found


def shown_by_others(connection: sa.Connection, course_id: int) -> frozenset[UUID]:
    """Sessions that another university mirrors into this very course of the same Moodle: their events are not ours
    alone."""
    theirs = course.alias()
    query = (
        sa.select(session.c.id)
        .join(course_series, (course_series.c.series_id == session.c.series_id) & course_series.c.is_mirrored)
        .join(theirs, theirs.c.id == course_series.c.course_id)
        .join(course, _in_same_moodle_course(course, theirs))
        .where(course.c.id == course_id, counted)
    )
    return frozenset(connection.execute(query).scalars())


def _in_same_moodle_course(ours: sa.FromClause, theirs: sa.FromClause) -> sa.ColumnElement[bool]:
    """Of two universities whose connections have the same address."""
    own, other = moodle_connection.alias(), moodle_connection.alias()
    is_same_site = sa.exists().where(
        own.c.university_id == ours.c.university_id,
        other.c.university_id == theirs.c.university_id,
        own.c.base_url == other.c.base_url,
    )
    is_same_site = is_same_site.correlate(ours, theirs)  # by itself, it sees only the query right around it
    return sa.and_(
        ours.c.moodle_course_id == theirs.c.moodle_course_id,
        ours.c.university_id != theirs.c.university_id,
        is_same_site,
    )


def _shows_any(one: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.exists().where(course_series.c.course_id == one.c.id, course_series.c.is_mirrored).correlate(one)
