"""How much of the table of sessions and universities is shown, and whether anything of the rest can be worked out."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from series.pooled import Column, Pooled, PooledBy, Step
from series.protection import pooled_by, publish, publish_totals
from tests.attack.kinds import mode_of, nth_series
from tests.attack.made_series import Made, make_series
from tests.attack.promise import breaches

WHOLE = Made(universities=13, sessions=13)
KINDS = {
    "Poisson(5.4)": WHOLE,  # the attendance of reference/privacy.md 5.3: 70 people of 13 universities
    "Poisson(5.4), nine in ten come back": replace(WHOLE, regulars=0.9),
    "skewed": replace(WHOLE, skewed=True),
}
VIEWER = 1


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of one kind of series with one k, in percent: cells shown alone, sessions with a total, and series that tell
    their distinct people, and these by audience."""

    kind: str
    k: int
    by: PooledBy
    cells: float
    totals: float
    people: float
    audiences: float
    chosen: float  # series that have their columns by `by`

    def words(self) -> str:
        return (
            f"{self.kind:38}{self.k:>4}{self.by.value:>10}{self.cells:>9.0f} %{self.totals:>9.0f} %"
            f"{self.people:>9.0f} %{self.audiences:>9.0f} %{self.chosen:>9.0f} %"
        )


def shares(*, series: int) -> Iterator[Shares]:
    for kind, made in KINDS.items():
        for k in (3, 5, 10):
            all_steps = [make_series(replace(made, k=k), Random(number)) for number in range(series)]
            for by in PooledBy:
                shown = [pooled for steps in all_steps if (pooled := publish(steps, viewer=VIEWER, by=by))]
                yield Shares(
                    kind=kind,
                    k=k,
                    by=by,
                    cells=100 * statistics.mean(pooled.share_shown for pooled in shown),
                    totals=100 * statistics.mean(one.total is not None for some in shown for one in _sessions(some)),
                    people=100 * statistics.mean(pooled.people is not None for pooled in shown),
                    audiences=100 * statistics.mean(_tells_audiences(steps, by) for steps in all_steps),
                    chosen=100 * statistics.mean(pooled_by(steps) is by for steps in all_steps),
                )


def _sessions(pooled: Pooled) -> tuple[Column, ...]:
    return pooled.sessions if pooled.by is PooledBy.MONTH else pooled.columns


def _tells_audiences(steps: Sequence[Step], by: PooledBy) -> bool:
    totals = publish_totals(steps, by=by)
    return totals is not None and totals.audiences is not None


def print_shares(*, series: int) -> None:
    print(f"13 universities, 13 weekly sessions; what one of them is shown of the others; {series} series each\n")
    print(
        f"{'attendance':38}{'k':>4}{'by':>10}{'cells':>11}{'totals':>11}{'people':>11}{'audiences':>11}{'chosen':>11}"
    )
    for row in shares(series=series):
        print(row.words())


def attack(*, series: int) -> bool:
    """Whether the promise held in all of them."""
    begun, cells = time.perf_counter(), 0
    broken = []
    for number in range(series):
        steps, viewer = nth_series(number)
        by = mode_of(number)
        cells += sum(len(people) for step in steps for people in step.counts.values())
        broken += [(number, breach) for breach in breaches(steps, viewer, by)]
    took_s = time.perf_counter() - begun
    print(f"the attack: {series} series of {cells} numbers in {took_s:.0f} s, {len(broken)} narrowed too far")
    for number, breach in broken[:5]:
        print(f"  series {number}: {breach}")
    return not broken
