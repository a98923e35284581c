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
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from series.pooled import TERM, Block, Column, Group, Step


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a viewer knows of a block after a step. `group`: all who were ever hidden; `first`: at the beginning.
    `at_least`: what the sum of `group` cannot be below, by what was told. `is_due`: its sum waits to be told anew.
    `as_of`: the step at which this was told, where it was not told anew since."""

    counts: Mapping[int, int]
    group: frozenset[int]
    first: frozenset[int]
    at_least: int
    is_due: bool
    is_sum_told: bool
    has_begun: bool  # a number was told once; until then nothing binds
    k: int
    as_of: datetime | None = None

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
            as_of=self.as_of,
        )


class Rule(Protocol):
    """Of one block for one viewer; it may remember the steps at which it was asked."""

    @property
    def late(self) -> frozenset[int]:
        """Who is not counted in it, having come after a part of it was told."""

    def begin(self, step: Step, counts: Mapping[int, int]) -> frozenset[int]:
        """Who is hidden together when the block is told first."""

    def may_renew(self, step: Step, shown: frozenset[int]) -> bool:
        """Whether the block is told anew with `shown` alone; else it stays as it was told."""

    def is_settled(self, last: Step, step: Step) -> bool:
        """Whether nothing else has changed that the rule looks at."""


@dataclass(frozen=True, kw_only=True)
class Alone:
    """Each university is shown alone, but for small ones."""

    block: Block
    late: frozenset[int] = frozenset()

    def begin(self, step: Step, counts: Mapping[int, int]) -> frozenset[int]:
        return grouped(self.block, counts, small(counts, step.smallest_group), step.smallest_group)

    def may_renew(self, step: Step, shown: frozenset[int]) -> bool:
        return True

    def is_settled(self, last: Step, step: Step) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class AllTogether(Alone):
    """Only all together are told."""

    def begin(self, step: Step, counts: Mapping[int, int]) -> frozenset[int]:
        return frozenset(counts)


def follow(steps: Sequence[Step], block: Block, viewer: int | None, rule: Rule) -> list[Told | None]:
    """What is told after each step; None before the block is there."""
    told: list[Told | None] = []
    before: Told | None = None
    last: Step | None = None
    for step in steps:
        if block in step.counts and not (before and last and _is_settled(before, block, last, step, rule)):
            after = _next(before, step, others_in(step, block, viewer), rule)
            before = replace(before, as_of=before.as_of or last.at) if after is None and before and last else after
        told.append(before)
        last = step
    return told


def everybody(step: Step) -> frozenset[int]:
    """All universities of which a step counts anybody or nobody, wherever."""
    return frozenset().union(*step.counts.values())


def _is_settled(before: Told, block: Block, last: Step, step: Step, rule: Rule) -> bool:
    """Nothing else is told than at the `last` step."""
    return (
        before.has_begun
        and rule.is_settled(last, step)
        and step.counts[block] == last.counts.get(block)
        and step.smallest_group == last.smallest_group
        and before.counts.keys() <= step.counts[block].keys()
    )


def others_in(step: Step, block: Block, viewer: int | None) -> dict[int, int]:
    """Nobody is a number too: a university that does not stand in the block is hidden among the small ones."""
    known = {**dict.fromkeys(step.counts.get(TERM, ()), 0), **step.counts[block]}
    return {one: people for one, people in known.items() if one != viewer}


def _next(before: Told | None, step: Step, counts: Mapping[int, int], rule: Rule) -> Told | None:
    """None: it stays as it was told `before`."""
    k = step.smallest_group
    if before is None or not before.has_begun:
        counts = {one: people for one, people in counts.items() if one not in rule.late}
        return _begun(rule.begin(step, counts), counts, k)
    # Who became a partner after the block was first told is not counted in it, nor hidden among those who are.
    counts = {one: people for one, people in counts.items() if one in before.counts}
    group = before.group | small(counts, k)
    if not rule.may_renew(step, frozenset(counts.keys() - group)):
        return None
    hidden = group.intersection(counts)
    joined = group - before.group
    at_least = before.at_least + sum(before.counts[one] for one in joined)
    is_due = before.is_due or bool(before.hidden - hidden) or any(counts[one] < before.k for one in joined)
    people = [counts[one] for one in hidden]
    is_sum_told = is_safe(people, k) and (not is_due or sum(people) >= at_least + k)
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


def _begun(group: frozenset[int], counts: Mapping[int, int], k: int) -> Told:
    people = [counts[one] for one in group]
    is_sum_told = is_safe(people, k)
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


def small(counts: Mapping[int, int], k: int) -> frozenset[int]:
    return frozenset(one for one, people in counts.items() if people < k)


def grouped(block: Block, counts: Mapping[int, int], hidden: frozenset[int], k: int) -> frozenset[int]:
    """Who is hidden together: all of `hidden`, one more, and as many more as it takes that a small one could have
    anything below k beside one of k."""
    group = hidden
    rest = sorted(counts.keys() - group, key=lambda one: _turn(block, one))
    if group and rest:
        group |= {rest.pop(0)}
    while group and rest and not is_safe([counts[one] for one in group], 2 * k - 1):
        group |= {rest.pop(0)}
    return group


def _turn(block: Block, university_id: int) -> bytes:
    """Who is taken along first: another one in each block, and no matter how many people it has, since that would tell
    something of the hidden ones."""
    return sha256(f"{block.key} {university_id}".encode()).digest()


def is_safe(counts: Iterable[int], k: int) -> bool:
    """Two, so that a sum is nobody's own number where it is known who was not there."""
    there = [people for people in counts if people]
    return sum(there) >= k and len(there) > 1
