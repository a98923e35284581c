"""Distinct people by block and university, counted anew for a step."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.pooled import TERM, Block
from series.sessions import Series, Session
from series.step_times import month_of
from series.store.pooled_audiences import people_by_audience
from series.store.sessions import sessions_of
from series.store.tables import (
    completion,
    course,
    course_series,
    participant,
    university,
)

Counts = dict[Block, dict[int, int]]
_PEOPLE = participant.join(university, participant.c.university_id == university.c.id)
_IS_COUNTED = participant.c.objected_at.is_(None) & university.c.left_at.is_(None)


def count_anew(
    connection: sa.Connection, known: Series, old: Mapping[Block, Mapping[int, int]], now: datetime
) -> Counts:
    """Of every block that there was or that is over now, the cell of every university that takes part and has not left,
    nobody included: a cell that is missing would tell that nobody is in it."""
    sessions = sessions_of(connection, known.series_id)
    over = [one for one in sessions if one.end_at <= now or Block(session_id=one.session_id) in old]
    counts = _counted(connection, known, over)
    held = [one for one in over if not one.is_cancelled or Block(session_id=one.session_id) in counts]
    to_come = {month_of(one.start_at, known.time_zone) for one in sessions if one not in over and not one.is_cancelled}
    months = {month_of(one.start_at, known.time_zone) for one in held} - to_come
    due = {Block(session_id=one.session_id) for one in held} | {Block(month=month) for month in months} | {TERM}
    due |= {block for block in counts if block.audience is not None}
    seen = {one for cells in (*old.values(), *counts.values()) for one in cells}
    universities = _taking_part(connection, known.series_id, seen)
    return {block: {one: counts.get(block, {}).get(one, 0) for one in universities} for block in due | old.keys()}


def _counted(connection: sa.Connection, known: Series, sessions: Collection[Session]) -> Counts:
    """Of these sessions, their months and all together, where there is somebody."""
    ids = [one.session_id for one in sessions]
    found: Counts = people_by_audience(connection, known.series_id, ids)
    months = defaultdict(list)
    for one in sessions:
        months[Block(month=month_of(one.start_at, known.time_zone))].append(one.session_id)
    by_session = (
        sa.select(participant.c.university_id, completion.c.session_id, sa.func.count().label("people"))
        .select_from(completion.join(_PEOPLE, completion.c.participant_id == participant.c.id))
        .where(completion.c.session_id.in_(ids), _IS_COUNTED)
        .group_by(completion.c.session_id, participant.c.university_id)
    )
    for row in connection.execute(by_session):
        found.setdefault(Block(session_id=row.session_id), {})[row.university_id] = row.people
    for university_id, *people in connection.execute(_by_blocks(ids, list(months.values()))):
        for block, of_block in zip((TERM, *months), people, strict=True):
            if of_block:
                found.setdefault(block, {})[university_id] = of_block
    return found


def _by_blocks(ids: Collection[UUID], blocks: Collection[Collection[UUID]]) -> sa.Select[Any]:
    """Of each university, distinct people in all sessions and in those of each block: person by person, since counting
    distinct ones anew for each block reads everything as often."""
    whether = [
        sa.func.max(sa.case((completion.c.session_id.in_(of_block), 1), else_=0)).label(f"block_{number}")
        for number, of_block in enumerate(blocks)
    ]
    person = (
        sa.select(completion.c.participant_id, *whether)
        .where(completion.c.session_id.in_(ids))
        .group_by(completion.c.participant_id)
        .subquery()
    )
    each = [sa.func.sum(person.c[one.name]) for one in whether]
    return (
        sa.select(participant.c.university_id, sa.func.count(), *each)
        .select_from(person.join(_PEOPLE, person.c.participant_id == participant.c.id))
        .where(_IS_COUNTED)
        .group_by(participant.c.university_id)
    )


def _taking_part(connection: sa.Connection, series_id: UUID, seen: Collection[int]) -> set[int]:
    """Universities with a course for the series, and those of `seen`; who has left is not among them."""
    has_course = (
        sa.select(course.c.university_id)
        .join(course_series, course_series.c.course_id == course.c.id)
        .where(course_series.c.series_id == series_id)
    )
    takes_part = university.c.id.in_(has_course) | university.c.id.in_(seen)
    return set(
        connection.execute(sa.select(university.c.id).where(takes_part, university.c.left_at.is_(None))).scalars()
    )
