"""One block of a series (a session, a month), step by step, for one viewer: who is hidden together, and what is told.

Within a step: everybody below k is hidden, and always another one with them, whatever its size. Were it only taken
along where the small ones need it, whoever knows the rule would know that five hidden universities with 19 people have
three or four each. The sum of the hidden is told where it is k or more and of two universities at least.

From step to step: who is hidden stays hidden, so that two partitions never give a cell by subtraction. When one that
was shown falls below k, because people of it have objected, it joins the hidden, and their sum is told anew only once
it is k above what was known of them before: otherwise the old numbers would be subtracted from the new sum. The same
when a university has left. A larger k hides more from then on; what was told cannot be unsaid.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from series.pooled import TERM, Block, Column, Group, Step


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a viewer knows of a block after a step. `group`: all who were ever hidden; `first`: at the beginning.
    `at_least`: what the sum of `group` cannot be below, by what was told. `is_due`: its sum waits to be told anew."""

    counts: Mapping[int, int]
    group: frozenset[int]
    first: frozenset[int]
    at_least: int
    is_due: bool
    is_sum_told: bool
    has_begun: bool  # a number was told once; until then nothing binds
    k: int

    @property
    def hidden(self) -> frozenset[int]:
        return self.group.intersection(self.counts)

    def column(self, block: Block) -> Column:
        hidden = self.hidden
        people = sum(self.counts[one] for one in hidden) if self.is_sum_told else None
        is_total_told = self.is_sum_told or not hidden
        return Column(
            block=block,
            shown={one: people for one, people in self.counts.items() if one not in hidden},
            group=Group(university_ids=hidden, people=people) if hidden else None,
            total=sum(self.counts.values()) if is_total_told else None,
        )


def follow(steps: Sequence[Step], block: Block, viewer: int | None) -> list[Told | None]:
    """What is told after each step; None before the block is there."""
    told: list[Told | None] = []
    before: Told | None = None
    last: Step | None = None
    for step in steps:
        if block in step.counts and not (before and last and _is_settled(before, block, last, step)):
            before = _next(block, before, _others(step, block, viewer), step.smallest_group)
        told.append(before)
        last = step
    return told


def everybody(step: Step) -> frozenset[int]:
    """All universities of which a step counts anybody or nobody, wherever."""
    return frozenset().union(*step.counts.values())


def _is_settled(before: Told, block: Block, last: Step, step: Step) -> bool:
    """Nothing else is told than at the `last` step."""
    return (
        before.has_begun
        and step.counts[block] == last.counts.get(block)
        and step.smallest_group == last.smallest_group
        and before.counts.keys() <= step.counts[block].keys()
    )


def _others(step: Step, block: Block, viewer: int | None) -> dict[int, int]:
    """Nobody is a number too: a university that does not stand in the block is hidden among the small ones."""
    known = {**dict.fromkeys(step.counts.get(TERM, ()), 0), **step.counts[block]}
    return {one: people for one, people in known.items() if one != viewer}


def _next(block: Block, before: Told | None, counts: Mapping[int, int], k: int) -> Told:
    if before is None or not before.has_begun:
        return _begun(block, counts, k)
    # Who became a partner after the block was first told is not counted in it, nor hidden among those who are.
    counts = {one: people for one, people in counts.items() if one in before.counts}
    group = before.group | _small(counts, k)
    hidden = group.intersection(counts)
    joined = group - before.group
    at_least = before.at_least + sum(before.counts[one] for one in joined)
    is_due = before.is_due or bool(before.hidden - hidden) or any(counts[one] < before.k for one in joined)
    people = [counts[one] for one in hidden]
    is_sum_told = _is_safe(people, k) and (not is_due or sum(people) >= at_least + k)
    return Told(
        counts=counts,
        group=group,
        first=before.first,
        at_least=sum(people) if is_sum_told else at_least,
        is_due=is_due and not is_sum_told,
        is_sum_told=is_sum_told,
        has_begun=True,
        k=k,
    )


def _begun(block: Block, counts: Mapping[int, int], k: int) -> Told:
    group = _grouped(block, counts, k)
    people = [counts[one] for one in group]
    is_sum_told = _is_safe(people, k)
    return Told(
        counts=counts,
        group=group,
        first=group,
        at_least=sum(people) if is_sum_told else 0,
        is_due=False,
        is_sum_told=is_sum_told,
        has_begun=is_sum_told or len(group) < len(counts),
        k=k,
    )


def _small(counts: Mapping[int, int], k: int) -> frozenset[int]:
    return frozenset(one for one, people in counts.items() if people < k)


def _grouped(block: Block, counts: Mapping[int, int], k: int) -> frozenset[int]:
    """Who is hidden together: all below k, one more, and as many more as it takes that a small one could have anything
    below k beside one of k."""
    group = _small(counts, k)
    rest = sorted(counts.keys() - group, key=lambda one: _turn(block, one))
    if group and rest:
        group |= {rest.pop(0)}
    while group and rest and not _is_safe([counts[one] for one in group], 2 * k - 1):
        group |= {rest.pop(0)}
    return group


def _turn(block: Block, university_id: int) -> bytes:
    """Who is taken along first: another one in each block, and no matter how many people it has, since that would tell
    something of the hidden ones."""
    return sha256(f"{block.key} {university_id}".encode()).digest()


def _is_safe(counts: Iterable[int], k: int) -> bool:
    """Two, so that a sum is nobody's own number where it is known who was not there."""
    there = [people for people in counts if people]
    return sum(there) >= k and len(there) > 1
