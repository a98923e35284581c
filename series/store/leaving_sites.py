"""What is known by the numbers of one Moodle goes when another one takes its place: there they are others'."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from series.store.audit import append_audit
from series.store.course_ties import let_courses_go
from series.store.moodle_tables import activity_state, course_collect, mapped_activity
from series.store.tables import course, deployment, platform


@dataclass(frozen=True, kw_only=True)
class Left:
    """What no longer holds. `courses`: to be chosen anew. `activities`: by course and number, that count no more.
    `to_others`: another university shows a series meanwhile in a course that was ours."""

    courses: Sequence[int] = ()
    activities: Sequence[tuple[int, int]] = ()
    to_others: bool = False

    @property
    def needs_courses(self) -> bool:
        return bool(self.courses) or self.to_others


def leave_site(connection: sa.Connection, university_id: int, *, for_address: str) -> Left:
    """Another Moodle is connected: its course 2 is another course, its activity 21 another activity, its user 3
    somebody else.

    A site that has only moved cannot be told from another one by its word alone, so its courses are to be chosen anew,
    and their activities, too. Those stay that launches from the new address have made known by the same number: so it
    is after `lti-tool platform replace`. Of nobody is kept what Moodle last said, which is read anew; what was
    recorded by then stays recorded.
    """
    gone = _not_known_at(connection, university_id, for_address)
    # Before all that hangs on them, as whoever stores something of their people does.
    courses = sa.select(course.c.id).where(course.c.id.in_(gone)).order_by(course.c.id)
    connection.execute(courses.with_for_update(key_share=True))
    activities = connection.execute(  # first: whoever collects locks in this order
        sa.delete(mapped_activity)
        .where(mapped_activity.c.course_id.in_(gone))
        .returning(mapped_activity.c.course_id, mapped_activity.c.cmid)
    ).all()
    _forget(connection, university_id, sa.true())
    let_courses_go(connection, gone)
    return Left(courses=gone, activities=sorted((row.course_id, row.cmid) for row in activities))


def forget_who_waits(connection: sa.Connection, university_id: int) -> None:
    """Nothing is collected there any more: who has completed what without being known here, and what was held."""
    _forget(connection, university_id, activity_state.c.evidence_id.is_(None))


def note_left(connection: sa.Connection, left: Left, *, actor: str, now: datetime) -> None:
    for course_id, cmid in left.activities:
        append_audit(
            connection,
            actor=actor,
            action="unmap_activity",
            thing=f"course {course_id}",
            now=now,
            cmid=cmid,
            withdrawn=0,
        )


def _not_known_at(connection: sa.Connection, university_id: int, address: str) -> list[int]:
    """In Moodle the context id is the course id and the issuer is the site's address."""
    rows = connection.execute(
        sa.select(course.c.id, course.c.moodle_course_id, course.c.context_id, platform.c.issuer)
        .outerjoin(deployment, course.c.deployment_id == deployment.c.id)
        .outerjoin(platform, deployment.c.platform_id == platform.c.id)
        .where(course.c.university_id == university_id, course.c.moodle_course_id.is_not(None))
        .order_by(course.c.id)
    )
    return [row.id for row in rows if row.issuer != address or row.context_id != str(row.moodle_course_id)]


def _forget(connection: sa.Connection, university_id: int, what: sa.ColumnElement[bool]) -> None:
    """Of what this Moodle said of people. All is read anew, if it is connected again; the rows of the readings stay,
    so that one that is under way finds that it counts no more."""
    courses = sa.select(course.c.id).where(course.c.university_id == university_id)
    connection.execute(
        sa.update(course_collect)
        .where(course_collect.c.course_id.in_(courses))
        .values(
            generation=course_collect.c.generation + 1,
            read_at=None,
            all_read_at=None,
            results="{}",
            refused="[]",
            held=None,
            held_at=None,
        )
    )
    connection.execute(sa.delete(activity_state).where(activity_state.c.course_id.in_(courses), what))
