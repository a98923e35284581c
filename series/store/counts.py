"""Who learns in a course, and counts of completions: of the own course by person, as bare numbers of all others."""

from collections.abc import Collection

import sqlalchemy as sa

from series.people import CoursePerson
from series.store.tables import (
    course,
    deployment,
    membership,
    participant,
    placement,
    platform,
    roster_member,
)


def people_of_course(connection: sa.Connection, course_id: int, *, subs: Collection[str] = ()) -> list[CoursePerson]:
    """Everybody who ever opened an activity of the course as a learner, and whom we know of those in its roster: the
    stored one, and `subs` of the one that the LMS has just shown."""
    return _people(connection, course_id, _in_course(course_id, subs))


def person_of_course(
    connection: sa.Connection, course_id: int, participant_id: int, *, subs: Collection[str] = ()
) -> CoursePerson | None:
    """One of `people_of_course`."""
    found = _people(connection, course_id, _in_course(course_id, subs) & (participant.c.id == participant_id))
    return found[0] if found else None


def _people(connection: sa.Connection, course_id: int, which: sa.ColumnElement[bool]) -> list[CoursePerson]:
    has_started = sa.exists().where(
        membership.c.participant_id == participant.c.id,
        membership.c.placement_id == placement.c.id,
        placement.c.course_id == course_id,
        membership.c.launched_at.is_not(None),
    )
    rows = connection.execute(
        sa.select(participant.c.id, participant.c.sub, has_started.label("has_started"))
        .where(which)
        .order_by(participant.c.id)
    )
    return [
        CoursePerson(participant_id=row.id, sub=row.sub, course_id=course_id, has_started=bool(row.has_started))
        for row in rows
    ]


def _in_course(course_id: int, subs: Collection[str]) -> sa.ColumnElement[bool]:
    return participant.c.id.in_(in_course(course_id, subs))


def in_course(course_id: int, subs: Collection[str] = ()) -> sa.ScalarSelect[int]:
    """Ids of who learns in a course, as in `people_of_course`: a union, each by its index."""
    members = (
        sa.select(membership.c.participant_id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(placement.c.course_id == course_id, membership.c.is_learner)
    )
    stored = sa.select(roster_member.c.sub).where(
        roster_member.c.course_id == course_id, roster_member.c.is_learner, roster_member.c.gone_at.is_(None)
    )
    at_home = (
        sa.select(participant.c.id)
        .join(course, course.c.university_id == participant.c.university_id)
        .join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, (deployment.c.platform_id == platform.c.id) & (platform.c.issuer == participant.c.issuer))
        .where(course.c.id == course_id)
    )
    return members.union(
        at_home.where(participant.c.sub.in_(stored)), at_home.where(participant.c.sub.in_(list(subs)))
    ).scalar_subquery()


def subs_beside(connection: sa.Connection, participant_ids: Collection[int], *, of: int) -> dict[int, str]:
    """The numbers in the LMS of those of them who come from the same LMS as participant `of`."""
    own = participant.alias()
    rows = connection.execute(
        sa.select(participant.c.id, participant.c.sub)
        .join(
            own,
            (own.c.university_id == participant.c.university_id) & (own.c.issuer == participant.c.issuer),
        )
        .where(own.c.id == of, participant.c.id.in_(participant_ids))
    )
    return {row.id: row.sub for row in rows}


def memberships_url_of(connection: sa.Connection, course_id: int) -> tuple[str, str | None]:
    """(title, NRPS address) of a course."""
    row = connection.execute(sa.select(course.c.title, course.c.memberships_url).where(course.c.id == course_id)).one()
    return row.title, row.memberships_url


def resource_link_of(connection: sa.Connection, placement_id: int) -> str:
    """By which the LMS knows the activity."""
    query = sa.select(placement.c.resource_link_id).where(placement.c.id == placement_id)
    return str(connection.execute(query).scalar_one())
