"""What a viewer may know of the own people at any time, counted when somebody looks."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.pooled import TERM, Block
from series.protection import own_university
from series.sessions import Session
from series.step_times import month_of
from series.store.counts import in_course as learners_in
from series.store.pooled_settings import smallest_group_of
from series.store.sessions import sessions_of
from series.store.tables import (
    completion,
    counted,
    course,
    course_series,
    participant,
    series,
    session,
)


@dataclass(frozen=True, kw_only=True)
class OwnCounts:
    """Distinct ones by block, of all blocks of the series. Of the university None, where too few are in its other
    courses; and of a month or the series, where a session of it is hidden, since no sum covers a hidden cell."""

    course: Mapping[Block, int]
    university: Mapping[Block, int | None]


_COUNTED = completion.join(session, completion.c.session_id == session.c.id).join(
    participant, completion.c.participant_id == participant.c.id
)
_IS_POOLED = participant.c.objected_at.is_(None) & counted


def own_counts(
    connection: sa.Connection, *, series_id: UUID, university_id: int, course_id: int, now: datetime
) -> OwnCounts:
    """As of now, without who has objected."""
    completed = _completed(connection, series_id, university_id)
    # Apart, so that no database asks it anew for each row.
    course_query = sa.select(participant.c.id).where(participant.c.id.in_(learners_in(course_id)))
    of_course = set(map(str, connection.execute(course_query).scalars()))
    zone = connection.execute(sa.select(series.c.time_zone).where(series.c.id == series_id)).scalar_one()
    sessions = sessions_of(connection, series_id)
    blocks = {one.session_id: _blocks_of(one, zone) for one in sessions}
    in_course = _people_by_block(blocks, {of: people & of_course for of, people in completed.items()})
    everybody = _people_by_block(blocks, completed)
    if _has_other_course(connection, series_id, university_id, course_id):
        k = smallest_group_of(connection, series_id)
        held = [one for one in sessions if not one.is_cancelled or one.session_id in completed]
        begun = [blocks[one.session_id] for one in held if one.start_at <= now or one.session_id in completed]
        told = own_university(everybody, in_course=in_course, begun=begun, smallest_group=k)
        return OwnCounts(course=in_course, university=told)
    return OwnCounts(course=in_course, university=everybody)


def _completed(connection: sa.Connection, series_id: UUID, university_id: int) -> dict[UUID, set[str]]:
    """Ids of who has completed each session: one row a session, since a large university's people would be thousands of
    rows."""
    ids = sa.func.aggregate_strings(sa.cast(completion.c.participant_id, sa.String), " ").label("ids")
    rows = connection.execute(
        sa.select(completion.c.session_id, ids)
        .select_from(_COUNTED)
        .where(session.c.series_id == series_id, _IS_POOLED, completion.c.university_id == university_id)
        .group_by(completion.c.session_id)
    )
    return {row.session_id: set(row.ids.split()) for row in rows}


def _has_other_course(connection: sa.Connection, series_id: UUID, university_id: int, course_id: int) -> bool:
    query = (
        sa.select(course.c.id)
        .join(course_series, course_series.c.course_id == course.c.id)
        .where(
            course_series.c.series_id == series_id, course.c.university_id == university_id, course.c.id != course_id
        )
    )
    return connection.execute(query.limit(1)).first() is not None


def _people_by_block(
    blocks: Mapping[UUID, Collection[Block]], completed: Mapping[UUID, AbstractSet[str]]
) -> dict[Block, int]:
    people: dict[Block, set[str]] = {block: set() for of_session in blocks.values() for block in of_session}
    for session_id, those in completed.items():
        for block in blocks[session_id]:
            people[block] |= those
    return {block: len(those) for block, those in people.items()}


def _blocks_of(one: Session, zone: str) -> tuple[Block, Block, Block]:
    """All that a session belongs to."""
    return Block(session_id=one.session_id), Block(month=month_of(one.start_at, zone)), TERM
