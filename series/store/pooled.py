"""The pooled results: distinct people by block and university, counted in steps, kept where they changed.

Nothing is kept at a check-in: a step counts completions, and the own numbers are counted when somebody looks.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from series.pooled import TERM, Block, Step
from series.protection import own_university, pooled_by
from series.sessions import Series, Session
from series.step_times import STEPS_AFTER_END, month_of, step_due_at
from series.store.counts import in_course as learners_in
from series.store.pooled_settings import keep_pooled_by, smallest_group_of
from series.store.pooled_tables import pooled_count, pooled_step
from series.store.sessions import lock_series, sessions_of
from series.store.tables import (
    completion,
    counted,
    course,
    course_series,
    evidence,
    participant,
    series,
    session,
    university,
)

Counts = dict[Block, dict[int, int]]


@dataclass(frozen=True, kw_only=True)
class OwnCounts:
    """What a viewer may know of the own people at any time: distinct ones by block, of all blocks of the series. Of the
    university None, where too few are in its other courses."""

    course: Mapping[Block, int]
    university: Mapping[Block, int | None]


def steps_of(connection: sa.Connection, series_id: UUID) -> tuple[Step, ...]:
    """All of a series, oldest first, each whole; blocks in the order of time, the term last."""
    of_series = pooled_step.c.series_id == series_id
    steps = connection.execute(sa.select(pooled_step).where(of_series).order_by(pooled_step.c.step_at)).all()
    changes = defaultdict(list)
    for row in connection.execute(sa.select(pooled_count).where(pooled_count.c.series_id == series_id)):
        changes[row.step_at].append(row)
    blocks = _blocks_in_order(connection, series_id, {row.block for rows in changes.values() for row in rows})
    found: list[Step] = []
    counts: dict[str, dict[int, int]] = {}
    for step in steps:
        counts = {key: dict(people) for key, people in counts.items()}
        for row in changes[step.step_at]:
            counts.setdefault(row.block, {})[row.university_id] = row.people
        whole = {block: counts[key] for key, block in blocks.items() if key in counts}
        found.append(Step(at=step.step_at, smallest_group=step.smallest_group, counts=whole))
    return tuple(found)


def series_due(connection: sa.Connection, *, now: datetime) -> dict[str, datetime]:
    """Slugs of the series whose numbers are to be renewed, each with when they should have been.

    The first time when somebody's evidence had been recorded before that moment, so that nobody can tell by the moment
    of a step when somebody came; no more half a year after the last session.
    """
    last = sa.select(sa.func.max(pooled_step.c.step_at)).where(pooled_step.c.series_id == series.c.id)
    end = sa.select(sa.func.max(session.c.end_at)).where(session.c.series_id == series.c.id, counted)
    found = {}
    for row in connection.execute(
        sa.select(
            series.c.id,
            series.c.slug,
            series.c.time_zone,
            last.scalar_subquery().label("last_at"),
            end.scalar_subquery().label("end_at"),
        )
    ):
        due_at = step_due_at(now, row.time_zone)
        if row.end_at is None or row.end_at + STEPS_AFTER_END < due_at or (row.last_at and row.last_at >= due_at):
            continue
        if row.last_at or _has_data(connection, row.id, before=due_at):
            found[row.slug] = due_at
    return found


def _has_data(connection: sa.Connection, series_id: UUID, *, before: datetime) -> bool:
    query = (
        sa.select(evidence.c.id)
        .join(session, evidence.c.session_id == session.c.id)
        .where(session.c.series_id == series_id, counted, evidence.c.recorded_at < before)
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def take_step(connection: sa.Connection, series_id: UUID, *, due_at: datetime, now: datetime) -> Step | None:
    """Count anew for everybody, and decide for good by which columns; None when that was done since `due_at` already.

    Left out are people who have objected, and who has been erased. What a university had when it left stays as it was
    published. Only sessions that are over count, and a month when the last of its sessions is.
    """
    known = lock_series(connection, series_id)
    before = steps_of(connection, series_id)
    if known is None or (before and before[-1].at >= due_at):
        return None
    old = before[-1].counts if before else {}
    fresh = _fresh(connection, known, old, now)
    smallest_group = smallest_group_of(connection, series_id)
    connection.execute(sa.insert(pooled_step).values(series_id=series_id, step_at=now, smallest_group=smallest_group))
    changed = [
        {"series_id": series_id, "block": block.key, "university_id": one, "step_at": now, "people": people}
        for block, cells in fresh.items()
        for one, people in cells.items()
        if old.get(block, {}).get(one) != people
    ]
    if changed:
        connection.execute(sa.insert(pooled_count), changed)
    taken = steps_of(connection, series_id)
    by = pooled_by(taken)
    if by is not None:
        keep_pooled_by(connection, series_id, by)
    return taken[-1]


def own_counts(connection: sa.Connection, *, series_id: UUID, university_id: int, course_id: int) -> OwnCounts:
    """As of now, without who has objected."""
    # One row a session, since a large university's people would be thousands of them.
    ids = sa.func.aggregate_strings(sa.cast(completion.c.participant_id, sa.String), " ").label("ids")
    rows = connection.execute(
        sa.select(completion.c.session_id, ids)
        .select_from(_COUNTED)
        .where(session.c.series_id == series_id, _IS_POOLED, participant.c.university_id == university_id)
        .group_by(completion.c.session_id)
    )
    completed = {row.session_id: set(row.ids.split()) for row in rows}
    # Apart, so that no database asks it anew for each row.
    course_query = sa.select(participant.c.id).where(participant.c.id.in_(learners_in(course_id)))
    of_course = set(map(str, connection.execute(course_query).scalars()))
    zone = connection.execute(sa.select(series.c.time_zone).where(series.c.id == series_id)).scalar_one()
    blocks = {one.session_id: _blocks_of(one, zone) for one in sessions_of(connection, series_id)}
    in_course = _people_by_block(blocks, {of: people & of_course for of, people in completed.items()})
    university_wide: Mapping[Block, int | None] = _people_by_block(blocks, completed)
    if _has_other_course(connection, series_id, university_id, course_id):
        k = smallest_group_of(connection, series_id)
        university_wide = {
            block: own_university(people or 0, in_course=in_course[block], smallest_group=k)
            for block, people in university_wide.items()
        }
    return OwnCounts(course=in_course, university=university_wide)


def _has_other_course(connection: sa.Connection, series_id: UUID, university_id: int, course_id: int) -> bool:
    query = (
        sa.select(course.c.id)
        .join(course_series, course_series.c.course_id == course.c.id)
        .where(
            course_series.c.series_id == series_id, course.c.university_id == university_id, course.c.id != course_id
        )
    )
    return connection.execute(query.limit(1)).first() is not None


_COUNTED = completion.join(session, completion.c.session_id == session.c.id).join(
    participant, completion.c.participant_id == participant.c.id
)
_IS_POOLED = participant.c.objected_at.is_(None) & counted
_PEOPLE = participant.join(university, participant.c.university_id == university.c.id)
_IS_COUNTED = participant.c.objected_at.is_(None) & university.c.left_at.is_(None)


def _fresh(connection: sa.Connection, known: Series, old: Mapping[Block, Mapping[int, int]], now: datetime) -> Counts:
    """Of every block that there was or that is over now, the cell of every university that takes part and has not left,
    nobody included: a cell that is missing would tell that nobody is in it."""
    sessions = sessions_of(connection, known.series_id)
    over = [one for one in sessions if one.end_at <= now or Block(session_id=one.session_id) in old]
    counts = _counted(connection, over, known.time_zone)
    held = [one for one in over if not one.is_cancelled or Block(session_id=one.session_id) in counts]
    to_come = {month_of(one.start_at, known.time_zone) for one in sessions if one not in over and not one.is_cancelled}
    months = {month_of(one.start_at, known.time_zone) for one in held} - to_come
    due = {Block(session_id=one.session_id) for one in held} | {Block(month=month) for month in months} | {TERM}
    seen = {one for cells in (*old.values(), *counts.values()) for one in cells}
    universities = _taking_part(connection, known.series_id, seen)
    return {block: {one: counts.get(block, {}).get(one, 0) for one in universities} for block in due | old.keys()}


def _counted(connection: sa.Connection, sessions: Collection[Session], zone: str) -> Counts:
    """Of these sessions, their months and all together, where there is somebody."""
    found: Counts = {}
    months = defaultdict(list)
    for one in sessions:
        months[Block(month=month_of(one.start_at, zone))].append(one.session_id)
    ids = [one.session_id for one in sessions]
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


def _block(key: str) -> Block:
    """Of Block.key."""
    kind, _, name = key.partition(":")
    match kind:
        case "session":
            return Block(session_id=UUID(name))
        case "month":
            return Block(month=name)
        case _:
            return TERM


def _blocks_in_order(connection: sa.Connection, series_id: UUID, keys: Collection[str]) -> dict[str, Block]:
    """By key: sessions by their start, then months, the term last."""
    ids = connection.execute(
        sa.select(session.c.id).where(session.c.series_id == series_id).order_by(session.c.start_at, session.c.id)
    ).scalars()
    order = {Block(session_id=one).key: f"{number:06}" for number, one in enumerate(ids)}
    return {key: _block(key) for key in sorted(keys, key=lambda one: order.get(one, one))}
