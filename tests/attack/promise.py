"""The promise of section 8 of the design, asked of the attacker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from series.pooled import Block, Pooled, PooledBy, Step, Totals
from series.protected_blocks import everybody
from series.protection import publish, publish_totals
from tests.attack.narrow import Cell, Seen, hidden_cells, own_numbers, what_follows

ALMOST = 1e-6
Publish = Callable[[Sequence[Step], int | None, PooledBy], Pooled | None]
Report = Callable[[Sequence[Step], PooledBy], Totals | None]


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A hidden number that was narrowed too far."""

    step: int
    block: Block
    university_id: int
    people: int
    between: tuple[float, float]


def shown(steps: Sequence[Step], viewer: int | None, by: PooledBy) -> Pooled | None:
    return publish(steps, viewer=viewer, by=by)


def reported(steps: Sequence[Step], by: PooledBy) -> Totals | None:
    return publish_totals(steps, by=by)


def breaches(
    steps: Sequence[Step],
    viewer: int | None,
    by: PooledBy,
    publish: Publish = shown,
    report: Report = reported,
) -> list[Breach]:
    """Against one viewer who kept all that was shown after each of `steps`, by `publish` and `report`."""
    so_far = [steps[: number + 1] for number in range(len(steps))]
    pooled = [publish(some, viewer, by) for some in so_far]
    seen = Seen(
        pooled=pooled,
        reports=[report(some, by) for some in so_far],
        own=own_numbers(steps, viewer),
        others=[everybody(step) - {viewer} for step in steps],
        months=[step.months for step in steps],
        taught=_taught(steps),
        fell=_fell(steps),
    )
    cells = list(hidden_cells(seen))
    found = what_follows(seen, cells) if cells else {}
    return [
        Breach(step=number, block=block, university_id=one, people=people, between=between)
        for (number, block, one), between in found.items()
        if _breaks(people := steps[number].counts[block].get(one, 0), between, steps[number].smallest_group)
    ]


def _breaks(people: int, between: tuple[float, float], k: int) -> bool:
    low, high = between
    if people < k:
        return low > ALMOST or high < k - 1 - ALMOST
    return high - low < k - ALMOST


def _taught(steps: Sequence[Step]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for step in steps:
        for block, cells in step.counts.items():
            for one in [one for one, people in cells.items() if people and block.audience]:
                found.setdefault(one, set()).add(str(block.audience))
    return found


def _fell(steps: Sequence[Step]) -> frozenset[Cell]:
    return frozenset(
        (number, block, one)
        for number in range(1, len(steps))
        for block, cells in steps[number].counts.items()
        for one, people in cells.items()
        if people < steps[number - 1].counts.get(block, {}).get(one, 0)
    )
