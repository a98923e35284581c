"""What we know of a university's courses, against which a check holds what its Moodle shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from series.store.moodle_tables import mapped_activity
from series.store.tables import (
    counted,
    course,
    course_series,
    deployment,
    membership,
    participant,
    placement,
    platform,
    roster_member,
    session,
)


@dataclass(frozen=True, kw_only=True)
class KnownActivity:
    """One that counts for a session. `cmid`: its number in the site."""

    cmid: int
    module: str
    name: str


@dataclass(frozen=True, kw_only=True)
class KnownCourse:
    """`first_at`: when the first session starts that is not over. `learners`: user ids there of who learns in it, as
    far as launches and rosters from this very Moodle have told. `has_placement`: our own activity is in it."""

    course_id: int
    moodle_course_id: int
    title: str
    announces: bool
    first_at: datetime | None
    learners: frozenset[str]
    activities: tuple[KnownActivity, ...]
    has_placement: bool


def known_courses(connection: sa.Connection, university_id: int, *, base_url: str, now: datetime) -> list[KnownCourse]:
    """Those that are tied to a course of the Moodle at `base_url`."""
    rows = connection.execute(
        sa.select(course)
        .where(course.c.university_id == university_id, course.c.moodle_course_id.is_not(None))
        .order_by(course.c.id)
    )
    return [_known(connection, row, base_url, now) for row in rows.all()]


def has_announcements(connection: sa.Connection, university_id: int) -> bool:
    """Whether any course of the university wants them."""
    query = sa.select(course.c.id).where(course.c.university_id == university_id, course.c.announces)
    return connection.execute(query.limit(1)).one_or_none() is not None


def _known(connection: sa.Connection, row: Any, base_url: str, now: datetime) -> KnownCourse:
    deployments = set(
        connection.execute(
            sa.select(deployment.c.id)
            .join(platform, deployment.c.platform_id == platform.c.id)
            .where(platform.c.university_id == row.university_id, platform.c.issuer == base_url)
        ).scalars()
    )
    of_this_moodle = placement.c.course_id == row.id, placement.c.deployment_id.in_(deployments)
    activities = connection.execute(
        sa.select(mapped_activity).where(mapped_activity.c.course_id == row.id).order_by(mapped_activity.c.cmid)
    )
    placed = connection.execute(sa.select(placement.c.id).where(*of_this_moodle).limit(1)).one_or_none()
    return KnownCourse(
        course_id=row.id,
        moodle_course_id=row.moodle_course_id,
        title=row.title,
        announces=row.announces,
        first_at=_first_at(connection, row.id, now),
        learners=_learners(connection, row.id, row.deployment_id in deployments, of_this_moodle),
        activities=tuple(KnownActivity(cmid=one.cmid, module=one.module, name=one.name) for one in activities),
        has_placement=placed is not None,
    )


def _first_at(connection: sa.Connection, course_id: int, now: datetime) -> datetime | None:
    found: datetime | None = connection.execute(
        sa.select(sa.func.min(session.c.start_at))
        .join(course_series, course_series.c.series_id == session.c.series_id)
        .where(course_series.c.course_id == course_id, counted, session.c.end_at > now, session.c.status != "cancelled")
    ).scalar_one()
    return found


def _learners(
    connection: sa.Connection,
    course_id: int,
    has_roster_of_it: bool,  # noqa: FBT001 - of this file alone
    of_this_moodle: Collection[sa.ColumnElement[bool]],
) -> frozenset[str]:
    members = roster_member.c
    listed = sa.select(members.sub, members.gone_at, members.is_suspended).where(
        members.course_id == course_id, members.is_learner
    )
    roster = connection.execute(listed).all() if has_roster_of_it else []
    left = {row.sub for row in roster if row.gone_at is not None or row.is_suspended}
    launched = connection.execute(
        sa.select(participant.c.sub)
        .join(membership, membership.c.participant_id == participant.c.id)
        .join(placement, placement.c.id == membership.c.placement_id)
        .where(membership.c.is_learner, membership.c.launched_at.is_not(None), *of_this_moodle)
    ).scalars()
    return frozenset({*launched, *(row.sub for row in roster)} - left)
