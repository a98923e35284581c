"""Distinct people of a series by whom their courses teach, counted for a step."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from series.audience import Audience
from series.pooled import NOT_SAID, Block
from series.store.pooled_tables import course_audience
from series.store.tables import (
    completion,
    course,
    deployment,
    membership,
    participant,
    placement,
    platform,
    roster_member,
    university,
)


def people_by_audience(
    connection: sa.Connection, series_id: UUID, session_ids: Collection[UUID]
) -> dict[Block, dict[int, int]]:
    """Who has completed one of `session_ids`, by university. Each person once: in courses of both kinds, as of both; of
    whose courses nobody has said it, NOT_SAID. Nothing where no course of the series has said it."""
    said = sa.select(course_audience.c.course_id).where(course_audience.c.series_id == series_id)
    if connection.execute(said.limit(1)).first() is None:
        return {}
    taught = _taught(series_id).subquery()
    people = (
        sa.select(participant.c.id, participant.c.university_id, taught.c.pre_service, taught.c.in_service)
        .join(university, participant.c.university_id == university.c.id)
        .outerjoin(taught, taught.c.participant_id == participant.c.id)
        .where(
            participant.c.objected_at.is_(None),
            university.c.left_at.is_(None),
            participant.c.id.in_(
                sa.select(completion.c.participant_id).where(completion.c.session_id.in_(session_ids))
            ),
        )
        .subquery()
    )
    kinds = (people.c.university_id, people.c.pre_service, people.c.in_service)
    found: dict[Block, dict[int, int]] = {}
    for row in connection.execute(sa.select(*kinds, sa.func.count().label("people")).group_by(*kinds)):
        cells = found.setdefault(Block(audience=_audience(row.pre_service, row.in_service)), {})
        cells[row.university_id] = cells.get(row.university_id, 0) + row.people
    return found


def _audience(pre_service: int | None, in_service: int | None) -> str:
    if pre_service and in_service:
        return Audience.BOTH
    return Audience.PRE_SERVICE if pre_service else Audience.IN_SERVICE if in_service else NOT_SAID


def _taught(series_id: UUID) -> sa.Select[tuple[int, int, int]]:
    """Of everybody who learns in a course of the series that has said it."""
    learners = _learners(series_id).subquery()

    def teaches(audience: Audience) -> sa.ColumnElement[int]:
        is_so = course_audience.c.audience.in_([audience, Audience.BOTH])
        return sa.func.max(sa.case((is_so, 1), else_=0)).label(audience.value)

    return (
        sa.select(learners.c.participant_id, teaches(Audience.PRE_SERVICE), teaches(Audience.IN_SERVICE))
        .join(course_audience, course_audience.c.course_id == learners.c.course_id)
        .where(course_audience.c.series_id == series_id)
        .group_by(learners.c.participant_id)
    )


def _learners(series_id: UUID) -> sa.CompoundSelect[tuple[int, int]]:
    """As series.store.counts.in_course, of all courses that have said it at once."""
    said = sa.select(course_audience.c.course_id).where(course_audience.c.series_id == series_id)
    members = (
        sa.select(membership.c.participant_id, placement.c.course_id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(placement.c.course_id.in_(said), membership.c.is_learner)
    )
    enrolled = (
        sa.select(participant.c.id, roster_member.c.course_id)
        .select_from(roster_member)
        .join(course, roster_member.c.course_id == course.c.id)
        .join(deployment, course.c.deployment_id == deployment.c.id)
        .join(platform, deployment.c.platform_id == platform.c.id)
        .join(
            participant,
            (participant.c.university_id == course.c.university_id)
            & (participant.c.issuer == platform.c.issuer)
            & (participant.c.sub == roster_member.c.sub),
        )
        .where(roster_member.c.course_id.in_(said), roster_member.c.is_learner, roster_member.c.gone_at.is_(None))
    )
    return members.union(enrolled)
