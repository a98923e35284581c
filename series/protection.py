"""Which numbers of other universities are shown, and which are hidden so that nobody learns of a few people.

Pure: every view, export and chart shows what `publish` gives and nothing else. The promise, against one viewer who
keeps all they were ever shown: what a hidden number below k may be contains 0 to k - 1, and what any other hidden
number may be is at least k wide. docs/protection.md says why it holds and what is assumed; tests/attack tries to break
it.
"""

from collections.abc import Sequence

from series.pooled import TERM, Block, Column, Pooled, PooledBy, Step
from series.protected_blocks import everybody, follow

MOSTLY = 0.5  # sessions by universities are the columns where no more of them than this would be below k


def pooled_by(steps: Sequence[Step]) -> PooledBy | None:
    """Which columns a series has, by the first step that counts anybody; None before. Decided once and kept: changing
    between them would show one person in two tables."""
    for step in steps:
        blocks = _blocks(step, PooledBy.SESSION)
        cells = [step.counts[block].get(one, 0) for block in blocks for one in everybody(step)]
        if any(cells):
            small = sum(people < step.smallest_group for people in cells)
            return PooledBy.MONTH if small > MOSTLY * len(cells) else PooledBy.SESSION
    return None


def publish(steps: Sequence[Step], *, viewer: int | None, by: PooledBy) -> Pooled | None:
    """What `viewer` (a university's id; None: who belongs to none) is told by the newest of `steps`, oldest first; None
    before the first one. The earlier ones decide with: what was hidden together stays together."""
    if not steps:
        return None
    newest = steps[-1]
    columns = []
    for block in _blocks(newest, by):
        told = follow(steps, block, viewer)[-1]
        assert told is not None  # the newest step counts it
        columns.append(told.column(block))
    return Pooled(
        step_at=newest.at,
        smallest_group=newest.smallest_group,
        by=by,
        columns=tuple(columns),
        rows=_rows(columns),
        people=None,
    )


def _blocks(step: Step, by: PooledBy) -> list[Block]:
    return [block for block in step.counts if block != TERM and (block.month is not None) == (by is PooledBy.MONTH)]


def _rows(columns: Sequence[Column]) -> dict[int, int]:
    """No margin covers a hidden cell."""
    universities = set().union(*(column.shown for column in columns)) if columns else set()
    return {
        one: sum(column.shown[one] for column in columns)
        for one in universities
        if all(one in column.shown for column in columns)
    }
