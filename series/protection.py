"""Which numbers of other universities are shown, and which are hidden so that nobody learns of a few people.

Pure: every view, export and chart shows what `publish` gives and nothing else. The promise, against one viewer who
keeps all they were ever shown: what a hidden number below k may be contains 0 to k - 1, and what any other hidden
number may be is at least k wide.
"""

from collections.abc import Mapping, Sequence

from series.pooled import TERM, Block, Column, Group, Pooled, PooledBy, Step


def publish(steps: Sequence[Step], *, viewer: int | None, by: PooledBy) -> Pooled | None:
    """What `viewer` (a university's id; None: who belongs to none) is told by the newest of `steps`, oldest first; None
    before the first one. The earlier ones decide with: what was hidden together stays together."""
    if not steps:
        return None
    newest = steps[-1]
    blocks = [block for block in newest.counts if block != TERM and (block.month is not None) == (by is PooledBy.MONTH)]
    columns = tuple(_column(steps, block, viewer) for block in blocks)
    return Pooled(
        step_at=newest.at,
        smallest_group=newest.smallest_group,
        by=by,
        columns=columns,
        rows=_rows(columns),
        people=None,
    )


def _column(steps: Sequence[Step], block: Block, viewer: int | None) -> Column:
    group: frozenset[int] = frozenset()
    for step in steps:
        if block in step.counts:
            group = _grouped(_others(step.counts[block], viewer), group, step.smallest_group)
    counts = _others(steps[-1].counts[block], viewer)
    together = sum(counts[one] for one in group)
    is_told = together >= steps[-1].smallest_group
    return Column(
        block=block,
        shown={one: people for one, people in counts.items() if one not in group},
        group=Group(university_ids=group, people=together if is_told else None) if group else None,
        total=sum(counts.values()) if is_told or not group else None,
    )


def _others(counts: Mapping[int, int], viewer: int | None) -> dict[int, int]:
    return {one: people for one, people in counts.items() if one != viewer}


def _grouped(counts: Mapping[int, int], before: frozenset[int], k: int) -> frozenset[int]:
    """Who is hidden together: all below k, whoever was hidden before, and as many more, the smallest first, as it takes
    that they are k together and two of them not nobody."""
    group = before | {one for one, people in counts.items() if people < k}
    rest = sorted(counts.keys() - group, key=lambda one: (counts[one], one))
    while group and rest and not _is_safe([counts.get(one, 0) for one in group], k):
        group |= {rest.pop(0)}
    return group


def _is_safe(counts: Sequence[int], k: int) -> bool:
    return sum(counts) >= k and sum(people > 0 for people in counts) > 1


def _rows(columns: Sequence[Column]) -> dict[int, int]:
    """No margin covers a hidden cell."""
    universities = set().union(*(column.shown for column in columns)) if columns else set()
    return {
        one: sum(column.shown[one] for column in columns)
        for one in universities
        if all(one in column.shown for column in columns)
    }
