"""Protections with one mistake each, which the attack has to find."""

from collections.abc import Sequence
from dataclasses import replace

from series.pooled import TERM, Column, Group, Pooled, PooledBy, Step, Totals
from series.protected_blocks import AllTogether, Alone, follow
from series.protection import publish, publish_totals


def without_complement(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    """Hides the small ones alone, and tells the total."""
    pooled = publish(steps, viewer=viewer, by=by)
    if not pooled:
        return None
    cells = [_others(steps[-1], column, viewer) for column in pooled.columns]
    small = [{one for one, people in row.items() if people < pooled.smallest_group} for row in cells]
    columns = tuple(
        Column(
            block=column.block,
            shown={one: people for one, people in row.items() if one not in few},
            group=Group(university_ids=frozenset(few), people=None) if few else None,
            total=sum(row.values()),
        )
        for column, row, few in zip(pooled.columns, cells, small, strict=True)
    )
    return replace(pooled, columns=columns, rows={})


def without_memory(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    """Groups each step anew: who is hidden with whom changes."""
    return publish(steps[-1:], viewer=viewer, by=by)


def without_viewer(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    """Shows everybody what it shows to who knows no number: the own one can be subtracted."""
    pooled = publish(steps, viewer=None, by=by)
    if not pooled or viewer is None:
        return pooled
    own = {step.at: step.counts[TERM].get(viewer, 0) for step in steps}
    return replace(
        pooled,
        columns=tuple(_less_own(one, steps[-1], viewer) for one in pooled.columns),
        people=pooled.people - own[pooled.people_at] if pooled.people is not None and pooled.people_at else None,
    )


def with_free_people(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    """Tells distinct people at every step, whatever follows from it."""
    pooled = publish(steps, viewer=viewer, by=by)
    people = sum(number for one, number in steps[-1].counts[TERM].items() if one != viewer)
    return replace(pooled, people=people, people_at=pooled.step_at) if pooled else None


def with_free_sessions(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    """Tells totals of sessions beside months that are told as if there were none."""
    pooled = publish(steps, viewer=viewer, by=by)
    months = [column.block for column in pooled.columns] if pooled else []
    told = [follow(steps, month, viewer, Alone(block=month))[-1] for month in months]
    columns = tuple(one.column(month) for one, month in zip(told, months, strict=True) if one)
    return replace(pooled, columns=columns) if pooled else None


def with_first_sessions_anew(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    """Tells the total of a session anew when another one has come to its month."""
    pooled = publish(steps, viewer=viewer, by=by)
    if not pooled:
        return None
    anew = [follow(steps, one.block, viewer, AllTogether(block=one.block))[-1] for one in pooled.sessions]
    sessions = tuple(
        now.column(one.block) if now and one.as_of else one for one, now in zip(pooled.sessions, anew, strict=True)
    )
    return replace(pooled, sessions=sessions)


def with_all_totals(steps: Sequence[Step], by: PooledBy) -> Totals | None:
    """A report that anybody may subtract their own number from."""
    totals, pooled = publish_totals(steps, by=by), publish(steps, viewer=None, by=by)
    if not totals or not pooled:
        return None
    by_block = {column.block: sum(_others(steps[-1], column, None).values()) for column in pooled.columns}
    return replace(totals, by_block=by_block)


def with_free_audiences(steps: Sequence[Step], by: PooledBy) -> Totals | None:
    """Tells the people of each audience at every step."""
    totals, newest = publish_totals(steps, by=by), steps[-1]
    audiences = {
        str(block.audience): sum(cells.values())
        for block, cells in newest.counts.items()
        if block.audience and any(cells.values())
    }
    return replace(totals, audiences=audiences, audiences_at=newest.at) if totals else None


def no_report(_steps: Sequence[Step], _by: PooledBy) -> None:
    """So that a mistake is found by what it shows itself."""


def _others(step: Step, column: Column, viewer: int | None) -> dict[int, int]:
    return {one: step.counts[column.block].get(one, 0) for one in sorted(column.university_ids) if one != viewer}


def _less_own(column: Column, step: Step, viewer: int | None) -> Column:
    """What is left when the viewer takes the own number out."""
    own = step.counts[column.block].get(viewer, 0) if viewer is not None and viewer in column.university_ids else 0
    group = column.group
    if group and viewer in group.university_ids:
        others = group.university_ids - {viewer}
        group = Group(university_ids=others, people=None if group.people is None else group.people - own)
    return Column(
        block=column.block,
        shown={one: people for one, people in column.shown.items() if one != viewer},
        group=group,
        total=None if column.total is None else column.total - own,
    )
