"""The reflections of a course, for those who teach it. Drafts are their writer's alone."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.reflections import Reflection, ReflectionState
from series.store.reflections import as_reflection
from series.store.tables import membership, participant, placement, reflection, session

_WAITS = (reflection.c.state == ReflectionState.HANDED_IN.value) & reflection.c.read_at.is_(None)


@dataclass(frozen=True, kw_only=True)
class CourseReflection:
    """For those who teach: whose it is (`sub`: the number in the LMS), and the text as it was handed in, which is empty
    while its writer works on it again."""

    sub: str
    reflection: Reflection


@dataclass(frozen=True, kw_only=True)
class ListedReflection:
    """One line of a list, without the text."""

    participant_id: int
    sub: str
    session_id: UUID
    state: ReflectionState
    handed_in_at: datetime


def waiting_of_course(connection: sa.Connection, *, course_id: int, series_id: UUID) -> int:
    """How many reflections are handed in that nobody has read."""
    found = sa.select(sa.func.count()).select_from(_of_course(course_id, series_id)).where(_WAITS)
    return connection.execute(found).scalar_one()


def list_waiting(
    connection: sa.Connection, *, course_id: int, series_id: UUID, first: int, most: int
) -> list[ListedReflection]:
    """Session by session, the last one first."""
    return _listed(connection, course_id, series_id, _WAITS, first, most)


def list_done(
    connection: sa.Connection, *, course_id: int, series_id: UUID, first: int, most: int
) -> list[ListedReflection]:
    """Those that somebody has read or returned, session by session, the last one first. No drafts."""
    is_done = (reflection.c.state != ReflectionState.DRAFT.value) & ~_WAITS
    return _listed(connection, course_id, series_id, is_done, first, most)


def reflection_of_course(
    connection: sa.Connection, *, course_id: int, series_id: UUID, participant_id: int, session_id: UUID
) -> CourseReflection | None:
    """What a learner of the course has handed in or got back. No draft."""
    row = connection.execute(
        sa.select(reflection, participant.c.sub)
        .select_from(_of_course(course_id, series_id))
        .where(
            reflection.c.participant_id == participant_id,
            reflection.c.session_id == session_id,
            reflection.c.state != ReflectionState.DRAFT.value,
        )
    ).one_or_none()
    return None if row is None else CourseReflection(sub=row.sub, reflection=_as_handed_in(as_reflection(row)))


def _of_course(course_id: int, series_id: UUID) -> sa.Join:
    """All that the course's learners have written."""
    learners = (
        sa.select(membership.c.participant_id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(placement.c.course_id == course_id, membership.c.is_learner)
    )
    return reflection.join(
        participant, (reflection.c.participant_id == participant.c.id) & participant.c.id.in_(learners)
    ).join(session, (reflection.c.session_id == session.c.id) & (session.c.series_id == series_id))


def _listed(
    connection: sa.Connection, course_id: int, series_id: UUID, which: sa.ColumnElement[bool], first: int, most: int
) -> list[ListedReflection]:
    rows = connection.execute(
        sa.select(
            reflection.c.participant_id,
            participant.c.sub,
            reflection.c.session_id,
            reflection.c.state,
            reflection.c.handed_in_at,
        )
        .select_from(_of_course(course_id, series_id))
        .where(which)
        .order_by(session.c.start_at.desc(), session.c.id, reflection.c.handed_in_at, reflection.c.participant_id)
        .offset(first)
        .limit(most)
    )
    return [
        ListedReflection(
            participant_id=row.participant_id,
            sub=row.sub,
            session_id=row.session_id,
            state=ReflectionState(row.state),
            handed_in_at=row.handed_in_at,
        )
        for row in rows
    ]


def _as_handed_in(found: Reflection) -> Reflection:
    is_worked_on = found.returned_at is not None and found.saved_at > found.returned_at
    if found.state is ReflectionState.RETURNED and is_worked_on:
        return replace(found, text="")
    return found
