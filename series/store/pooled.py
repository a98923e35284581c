"""The pooled results: distinct people by block and university, counted in steps, kept where they changed.

Nothing is kept at a check-in: a step counts completions, and the own numbers are counted when somebody looks.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from series.pooled import TERM, Block, Step
from series.protected_falls import fall_in_steps
from series.protection import pooled_by
from series.step_times import STEPS_AFTER_END, month_of, step_due_at
from series.store.pooled_fresh import count_anew
from series.store.pooled_settings import keep_pooled_by, smallest_group_of
from series.store.pooled_tables import pooled_count, pooled_step
from series.store.sessions import lock_series, sessions_of
from series.store.tables import (
    counted,
    evidence,
    series,
    session,
)


def steps_of(connection: sa.Connection, series_id: UUID) -> tuple[Step, ...]:
    """All of a series, oldest first, each whole; blocks in the order of time, the term last."""
    of_series = pooled_step.c.series_id == series_id
    steps = connection.execute(sa.select(pooled_step).where(of_series).order_by(pooled_step.c.step_at)).all()
    changes = defaultdict(list)
    for row in connection.execute(sa.select(pooled_count).where(pooled_count.c.series_id == series_id)):
        changes[row.step_at].append(row)
    months = _months_of(connection, series_id)
    blocks = _blocks_in_order(list(months), {row.block for rows in changes.values() for row in rows})
    found: list[Step] = []
    counts: dict[str, dict[int, int]] = {}
    for step in steps:
        counts = {key: dict(people) for key, people in counts.items()}
        for row in changes[step.step_at]:
            counts.setdefault(row.block, {})[row.university_id] = row.people
        whole = {block: counts[key] for key, block in blocks.items() if key in counts}
        found.append(Step(at=step.step_at, smallest_group=step.smallest_group, counts=whole, months=months))
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
    published. Only sessions that are over count, and a month when the last of its sessions is. Numbers that became
    smaller are kept until they fell by k.
    """
    known = lock_series(connection, series_id)
    before = steps_of(connection, series_id)
    if known is None or (before and before[-1].at >= due_at):
        return None
    old = before[-1].counts if before else {}
    fresh = count_anew(connection, known, old, now)
    smallest_group = smallest_group_of(connection, series_id)
    months = _months_of(connection, series_id)
    told = fall_in_steps(fresh, before=old, months=months, k=smallest_group)
    connection.execute(sa.insert(pooled_step).values(series_id=series_id, step_at=now, smallest_group=smallest_group))
    changed = [
        {"series_id": series_id, "block": block.key, "university_id": one, "step_at": now, "people": people}
        for block, cells in told.items()
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


def _block(key: str) -> Block:
    """Of Block.key."""
    kind, _, name = key.partition(":")
    match kind:
        case "session":
            return Block(session_id=UUID(name))
        case "month":
            return Block(month=name)
        case "audience":
            return Block(audience=name)
        case _:
            return TERM


def _blocks_in_order(sessions: Sequence[Block], keys: Collection[str]) -> dict[str, Block]:
    """By key: `sessions` as they are given, then months, the term last."""
    order = {block.key: f"{number:06}" for number, block in enumerate(sessions)}
    return {key: _block(key) for key in sorted(keys, key=lambda one: order.get(one, one))}


def _months_of(connection: sa.Connection, series_id: UUID) -> dict[Block, Block]:
    """The month of each session, as it is now; in the order of their start."""
    zone = connection.execute(sa.select(series.c.time_zone).where(series.c.id == series_id)).scalar_one()
    return {
        Block(session_id=one.session_id): Block(month=month_of(one.start_at, zone))
        for one in sessions_of(connection, series_id)
    }
