"""Counts of completions: by name for the own course, as bare numbers for all others."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from series.store.tables import completion, course, membership, participant, placement, session


@dataclass(frozen=True, kw_only=True)
class LearnerProgress:
    sub: str
    completed_session_ids: frozenset[UUID]


def learners_of_course(connection: sa.Connection, *, course_id: int, series_id: UUID) -> list[LearnerProgress]:
    """Everybody who ever opened a placement of the course as a learner, and what they completed in the series."""
    people = connection.execute(
        sa.select(participant.c.id, participant.c.sub)
        .distinct()
        .join(membership, membership.c.participant_id == participant.c.id)
        .join(placement, membership.c.placement_id == placement.c.id)
        .where(placement.c.course_id == course_id, membership.c.is_learner)
        .order_by(participant.c.id)
    ).all()
    done = connection.execute(
        sa.select(completion.c.participant_id, completion.c.session_id)
        .join(session, completion.c.session_id == session.c.id)
        .where(session.c.series_id == series_id, completion.c.participant_id.in_([row.id for row in people]))
    ).all()
    return [
        LearnerProgress(
            sub=row.sub,
            completed_session_ids=frozenset(fact.session_id for fact in done if fact.participant_id == row.id),
        )
        for row in people
    ]


def completions_elsewhere(connection: sa.Connection, *, session_id: UUID, university_id: int) -> int:
    """How many people of all other universities completed the session. Never shown without `pooling.protect`."""
    return int(
        connection.execute(
            sa.select(sa.func.count())
            .select_from(completion.join(participant, completion.c.participant_id == participant.c.id))
            .where(completion.c.session_id == session_id, participant.c.university_id != university_id)
        ).scalar_one()
    )


def memberships_url_of(connection: sa.Connection, course_id: int) -> tuple[str, str | None]:
    """(title, NRPS address) of a course."""
    row = connection.execute(sa.select(course.c.title, course.c.memberships_url).where(course.c.id == course_id)).one()
    return row.title, row.memberships_url
