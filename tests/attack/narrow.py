"""The attacker: one viewer who kept all that they were ever shown, and a linear programme over the hidden numbers.

They know their own numbers and the rules of arithmetic: nobody is less than nobody; a university has at least as many
people in the series as in its largest block and at most as many as its blocks have together; and numbers grow from step
to step, except where they see that one fell.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import scipy.optimize
import scipy.sparse

from series.pooled import TERM, Block, Column, Pooled, Step, Totals

NO_UNIVERSITY_HAS_MORE = 1000.0
AT_ONCE = 16  # hidden numbers in one programme: quicker than one after the other, and than all
Cell = tuple[int, Block, int]  # step, block, university


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that one viewer was shown, step by step. `reports`: what stands in the report to the funder. `own`: their own
    university's numbers, which they know. `others`: who takes part; that is public, and so are the `months` of sessions
    and whose courses teach whom (`taught`). `fell`: cells that became smaller; where they went out of sight
    the attacker is told so, which is more than they are shown."""

    pooled: Sequence[Pooled | None]
    reports: Sequence[Totals | None]
    own: Sequence[Mapping[Block, int]]
    others: Sequence[frozenset[int]]
    months: Sequence[Mapping[Block, Block]]
    taught: Mapping[int, Collection[str]]
    fell: frozenset[Cell] = frozenset()


@dataclass
class Programme:
    """Equalities and `at_most` (sum of the cells <= number), over cells that get their place as they are named."""

    places: dict[Cell, int] = field(default_factory=dict)
    equal: list[tuple[dict[int, float], float]] = field(default_factory=list)
    at_most: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def of(self, cell: Cell) -> int:
        return self.places.setdefault(cell, len(self.places))

    def sums_to(self, cells: Sequence[Cell], number: int) -> None:
        self.equal.append(({self.of(cell): 1.0 for cell in cells}, float(number)))

    def is_sum_of(self, whole: Cell, parts: Sequence[Cell]) -> None:
        self.equal.append(({self.of(whole): -1.0} | {self.of(part): 1.0 for part in parts}, 0.0))

    def is_at_most(self, cell: Cell, *others: Cell) -> None:
        self.at_most.append(({self.of(cell): 1.0} | {self.of(other): -1.0 for other in others}, 0.0))

    def intervals(self, cells: Sequence[Cell]) -> dict[Cell, tuple[float, float]] | None:
        """What each of `cells` may be; None when no numbers fit all that was assumed."""
        targets = [self.of(cell) for cell in cells]
        found: dict[Cell, tuple[float, float]] = {}
        for first in range(0, len(targets), AT_ONCE):
            some = targets[first : first + AT_ONCE]
            least, most = self._ends(some, 1.0), self._ends(some, -1.0)
            if least is None or most is None:
                return None
            found |= zip(cells[first : first + AT_ONCE], zip(least, most, strict=True), strict=True)
        return found

    def _ends(self, targets: Sequence[int], sign: float) -> list[float] | None:
        """One programme with a copy of the numbers for each target: far quicker than one after the other."""
        size, copies = len(self.places), len(targets)
        objective = np.zeros(size * copies)
        objective[[copy * size + target for copy, target in enumerate(targets)]] = sign
        every = scipy.sparse.identity(copies, format="csr")
        equal, at_most = self._matrix(self.equal), self._matrix(self.at_most)
        found = scipy.optimize.linprog(
            objective,
            A_eq=scipy.sparse.kron(every, equal, format="csr"),
            b_eq=np.tile([number for _, number in self.equal], copies),
            A_ub=scipy.sparse.kron(every, at_most, format="csr"),
            b_ub=np.tile([number for _, number in self.at_most], copies),
            bounds=(0.0, NO_UNIVERSITY_HAS_MORE),
            method="highs",
        )
        if found.status == 2:
            return None
        assert found.status == 0, found.message
        return [float(found.x[copy * size + target]) for copy, target in enumerate(targets)]

    def _matrix(self, rows: Sequence[tuple[Mapping[int, float], float]]) -> scipy.sparse.csr_matrix:
        matrix = scipy.sparse.lil_matrix((len(rows), len(self.places)))
        for number, (row, _) in enumerate(rows):
            for place, factor in row.items():
                matrix[number, place] = factor
        return matrix.tocsr()


def what_follows(seen: Seen, cells: Sequence[Cell]) -> dict[Cell, tuple[float, float]]:
    """Between what each of `cells` lies. Where what is assumed about growth fits nothing, it is given up."""
    found = _programme(seen, _growing(seen)).intervals(cells) or _programme(seen, []).intervals(cells)
    assert found is not None  # the truth fits what was shown
    return found


def hidden_cells(seen: Seen) -> Iterator[Cell]:
    for number, column in _columns(seen):
        told = _months_told_alone(seen, number, column.block)
        hidden = column.group.university_ids if column.group else frozenset()
        yield from ((number, column.block, one) for one in sorted(hidden - told))


def _months_told_alone(seen: Seen, number: int, session: Block) -> frozenset[int]:
    """Whose number of a session is told as that of its month, which has no other session."""
    months = seen.months[number]
    if session not in months or list(months.values()).count(months[session]) != 1:
        return frozenset()
    pooled = seen.pooled[number]
    shown = [column.shown for column in (pooled.columns if pooled else ()) if column.block == months[session]]
    return frozenset().union(*shown)


def _columns(seen: Seen) -> Iterator[tuple[int, Column]]:
    for number in range(len(seen.pooled)):
        yield from _columns_at(seen, number)


def _columns_at(seen: Seen, number: int) -> Iterator[tuple[int, Column]]:
    """What was told anew at a step."""
    pooled = seen.pooled[number]
    columns = (*pooled.columns, *pooled.sessions) if pooled else ()
    yield from ((number, column) for column in columns if column.as_of is None)


def _programme(seen: Seen, growing: Sequence[tuple[Cell, Cell]]) -> Programme:
    programme = Programme()
    for number, column in _columns(seen):
        _add_column(programme, number, column)
    for number, report in enumerate(seen.reports):
        if report:
            _add_report(programme, seen, number, report)
    _add_people(programme, seen)
    for earlier, later in growing:
        if earlier in programme.places and later in programme.places:
            programme.is_at_most(earlier, later)
    return programme


def _add_column(programme: Programme, number: int, column: Column) -> None:
    for one, people in column.shown.items():
        programme.sums_to([(number, column.block, one)], people)
    if column.group and column.group.people is not None:
        programme.sums_to([(number, column.block, one) for one in column.group.university_ids], column.group.people)
    if column.total is not None:
        programme.sums_to([(number, column.block, one) for one in column.university_ids], column.total)
    for one in column.university_ids:  # so that each cell has a place, whatever is told of it
        programme.of((number, column.block, one))


def _add_report(programme: Programme, seen: Seen, number: int, report: Totals) -> None:
    pooled = seen.pooled[number]
    assert pooled is not None
    for column in (*pooled.columns, *pooled.sessions):
        total = report.by_block.get(column.block)
        if total is not None:
            cells = [(number, column.block, one) for one in column.university_ids]
            own = seen.own[number].get(column.block, 0)
            if column.total is not None and total == column.total:  # the viewer came late, and is not counted in it
                own = 0
            programme.sums_to(cells, total - own)


def _add_people(programme: Programme, seen: Seen) -> None:
    at = {pooled.step_at: number for number, pooled in enumerate(seen.pooled) if pooled}
    told: dict[int, int] = {}
    for pooled, report in zip(seen.pooled, seen.reports, strict=True):
        if pooled and pooled.people is not None and pooled.people_at:
            told[at[pooled.people_at]] = pooled.people
        if report and report.people is not None and report.people_at:
            step = at[report.people_at]
            told[step] = report.people - seen.own[step].get(TERM, 0)
    for step, people in told.items():
        others = sorted(seen.others[step])
        programme.sums_to([(step, TERM, one) for one in others], people)
    _add_audiences(programme, seen, at)
    for step in range(len(seen.pooled)):
        for one in seen.others[step]:
            _bound_people(programme, seen, step, one)


def _add_audiences(programme: Programme, seen: Seen, at: Mapping[datetime, int]) -> None:
    """Who teaches whom is taken to be known: nobody has people of an audience of which their courses are none."""
    told = {at[one.audiences_at]: one.audiences for one in seen.reports if one and one.audiences_at and one.audiences}
    for step, audiences in told.items():
        taught = {one: seen.taught.get(one, ()) for one in seen.others[step]}
        for audience, people in audiences.items():
            block = Block(audience=audience)
            cells = [(step, block, one) for one, those in taught.items() if audience in those]
            programme.sums_to(cells, people - seen.own[step].get(block, 0))
        for one, those in taught.items():
            programme.is_sum_of((step, TERM, one), [(step, Block(audience=audience), one) for audience in those])


def _bound_people(programme: Programme, seen: Seen, step: int, one: int) -> None:
    cells = {block: (step, block, one) for block in _blocks_of(seen, step, one)}
    for cell in cells.values():
        programme.is_at_most(cell, (step, TERM, one))
    months = seen.months[step]
    sessions = [cell for block, cell in cells.items() if block.session_id]
    if len(sessions) == len(months):
        programme.is_at_most((step, TERM, one), *sessions)
    for month in set(months.values()) & cells.keys():
        of_month = [block for block, of in months.items() if of == month]
        for block in cells.keys() & set(of_month):
            programme.is_at_most(cells[block], cells[month])
        if cells.keys() >= set(of_month):
            programme.is_at_most(cells[month], *(cells[block] for block in of_month))


def _blocks_of(seen: Seen, step: int, one: int) -> list[Block]:
    """In which `one` is counted and of which something was told anew."""
    return [column.block for number, column in _columns_at(seen, step) if one in column.university_ids]


def _growing(seen: Seen) -> list[tuple[Cell, Cell]]:
    """Pairs of cells of which the later one is assumed not to be smaller."""
    last: dict[Block, tuple[int, Column]] = {}
    pairs: list[tuple[Cell, Cell]] = []
    for number, column in _columns(seen):
        if column.block in last:
            before, earlier = last[column.block]
            both = earlier.university_ids & column.university_ids
            pairs += (
                ((before, column.block, one), (number, column.block, one))
                for one in both
                if (number, column.block, one) not in seen.fell and not (one in earlier.shown and one in column.shown)
            )
        last[column.block] = (number, column)
    falling = _seen_falling(seen)
    pairs = [pair for pair in pairs if pair[1] not in falling]
    steps = range(1, len(seen.pooled))
    fewer = {(number, one) for number, _, one in seen.fell}  # who has lost somebody may have fewer in the series
    return pairs + [
        ((step - 1, TERM, one), (step, TERM, one))
        for step in steps
        if not _people_fell(seen, step)
        for one in seen.others[step]
        if (step, one) not in fewer
    ]


def _seen_falling(seen: Seen) -> set[Cell]:
    """Hidden cells among which one must have become smaller, by the sums that are told."""
    told: dict[Block, tuple[int, Column]] = {}
    falling: set[Cell] = set()
    for number, column in _columns(seen):
        if column.total is None:
            continue
        if column.block in told:
            before, earlier = told[column.block]
            hidden = column.group.university_ids if column.group else frozenset()
            was = (earlier.total or 0) - sum(people for one, people in earlier.shown.items() if one not in hidden)
            if column.group and (column.group.people or 0) < was:
                falling |= {(step, column.block, one) for step in range(before + 1, number + 1) for one in hidden}
        told[column.block] = (number, column)
    return falling


def _people_fell(seen: Seen, step: int) -> bool:
    before, pooled = seen.pooled[step - 1], seen.pooled[step]
    if not before or not pooled or before.people is None or pooled.people is None:
        return False
    return pooled.people < before.people


def own_numbers(steps: Sequence[Step], viewer: int | None) -> list[Mapping[Block, int]]:
    if viewer is None:
        return [{} for _ in steps]
    return [{block: cells.get(viewer, 0) for block, cells in step.counts.items()} for step in steps]
