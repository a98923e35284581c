"""Which rosters are to be read next, and how the last readings went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from series.retention import Kept, period
from series.store.database import insert
from series.store.ended_series import courses_over
from series.store.tables import (
    course,
    course_roster,
    deployment,
    membership,
    participant,
    placement,
    platform,
    roster_member,
    university,
)

FRESH_FOR = timedelta(minutes=15)  # a list this old is read again at once when somebody comes who is not on it


@dataclass(frozen=True, kw_only=True)
class RosterCourse:
    """A course whose LMS can be asked who is in it. `failures`: of the last readings, in a row."""

    course_id: int
    title: str
    platform_id: int
    memberships_url: str
    failures: int


def universities_due(connection: sa.Connection, *, now: datetime) -> Collection[str]:
    """Slugs of the universities that have a roster to be read now."""
    query = sa.select(university.c.slug).distinct().join(course, course.c.university_id == university.c.id)
    return connection.execute(_reachable(query).where(_is_due(now)).order_by(university.c.slug)).scalars().all()


def courses_to_read(
    connection: sa.Connection, university_slug: str, *, due_at: datetime | None = None
) -> list[RosterCourse]:
    """All, or those that are due. Those that failed last time come last, so that they delay nobody else."""
    failures = sa.func.coalesce(course_roster.c.failures, 0)
    query = _reachable(
        sa.select(
            course.c.id,
            course.c.title,
            course.c.memberships_url,
            deployment.c.platform_id,
            failures.label("failures"),
        ).join(university, course.c.university_id == university.c.id)
    ).where(university.c.slug == university_slug)
    if due_at is not None:
        query = query.where(_is_due(due_at))
    return [
        RosterCourse(
            course_id=row.id,
            title=row.title,
            platform_id=row.platform_id,
            memberships_url=row.memberships_url,
            failures=row.failures,
        )
        for row in connection.execute(query.order_by(failures, course.c.id))
    ]


def note_failure(
    connection: sa.Connection, course_id: int, *, reason: str, next_read_at: datetime, now: datetime
) -> None:
    """What is stored stays as it is; pages say since when the list cannot be had, and why."""
    first = {"failing_since": now, "failures": 1, "reason": reason, "next_read_at": next_read_at}
    again = {
        **first,
        "failing_since": sa.func.coalesce(course_roster.c.failing_since, now),
        "failures": course_roster.c.failures + 1,
    }
    connection.execute(
        insert(connection, course_roster)
        .values(course_id=course_id, **first)
        .on_conflict_do_update(index_elements=["course_id"], set_=again)
    )


def _reachable(query: sa.Select[Any]) -> sa.Select[Any]:
    return (
        query.join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .outerjoin(course_roster, course_roster.c.course_id == course.c.id)
        .where(course.c.memberships_url.is_not(None), deployment.c.state == "approved", platform.c.state == "active")
    )


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Never read, its time has come, or somebody has come to the course who is not on the list. When all that a course
    shows is over, its list is no longer kept, and not read again."""
    unknown = (
        sa.exists()
        .select_from(
            membership.join(placement, membership.c.placement_id == placement.c.id).join(
                participant, membership.c.participant_id == participant.c.id
            )
        )
        .where(
            placement.c.course_id == course.c.id,
            membership.c.launched_at > course_roster.c.read_at,
            ~sa.exists().where(
                roster_member.c.course_id == course.c.id,
                roster_member.c.sub == participant.c.sub,
                roster_member.c.gone_at.is_(None),
            ),
        )
    )
    is_well = course_roster.c.failing_since.is_(None) & course_roster.c.held_at.is_(None)
    is_wanted = course.c.id.not_in(courses_over(now - period(Kept.ROSTER)))
    return is_wanted & (
        course_roster.c.next_read_at.is_(None)
        | (course_roster.c.next_read_at <= now)
        | (is_well & (course_roster.c.read_at < now - FRESH_FOR) & unknown)
    )
