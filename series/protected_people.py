"""Whether the number of distinct people in the whole series narrows what is hidden in its blocks.

It does where it leaves too little play: a university has at least as many people as its largest block, so that a number
little above the sum of those largest blocks pins them down. It is told where k people could be in a hidden cell or not,
and it would still come out; docs/protection.md has the proof. Decided for all viewers at once, so that a report that
all may read tells none of them more.
"""

from collections.abc import Collection, Mapping, Sequence

from series.pooled import TERM, Block, Step
from series.protected_blocks import Told

Play = Mapping[int, int]  # how many fewer people each university could have, by its id
History = Mapping[Block, Sequence[Told | None]]  # what one viewer was told of each block after each step


def plays_when_told(steps: Sequence[Step], histories: Mapping[int | None, History]) -> list[Play | None]:
    """After each of `steps`: of which play the number is told; None where it is not. `histories`: of every viewer there
    is, the one without a university too."""
    told: list[Play | None] = []
    blocks = set().union(*histories.values())
    before: Mapping[int, int] = {}
    for number, step in enumerate(steps):
        people = step.counts.get(TERM, {})
        play = _play(step, [block for block in blocks if block in step.counts], before) if people else {}
        is_told = bool(people) and all(
            _is_all_new(history, number) and _leaves_play(play, viewer, _hidden_by_block(history, number), people, step)
            for viewer, history in histories.items()
        )
        before = people if is_told else before
        told.append(play if is_told else None)
    return told


def _play(step: Step, blocks: Collection[Block], before: Mapping[int, int]) -> dict[int, int]:
    """How many of its people each university could have fewer of, by what is told: down to its largest block, and down
    to what it had when the number was last told."""
    return {
        one: people - max(before.get(one, 0), *(step.counts[block].get(one, 0) for block in blocks), 0)
        for one, people in step.counts[TERM].items()
    }


def _is_all_new(history: History, number: int) -> bool:
    """No block stands as it was told at an earlier step: play is counted from what it is now."""
    return not any(told.as_of for after in history.values() if (told := after[number]) is not None)


def _hidden_by_block(history: History, number: int) -> dict[Block, frozenset[int]]:
    """Who has been hidden in each block from the beginning."""
    return {block: told.first for block, after in history.items() if (told := after[number]) is not None}


def _leaves_play(
    play: Mapping[int, int],
    viewer: int | None,
    hidden: Mapping[Block, frozenset[int]],
    people: Mapping[int, int],
    step: Step,
) -> bool:
    others = sorted((amount for one, amount in play.items() if one != viewer), reverse=True)
    places = 1
    for one, number in people.items():
        if one != viewer and 0 < number < step.smallest_group:
            needed = _places_for(one, hidden, step)
            if needed is None:
                return False
            places = max(places, needed)
    return sum(others[places:]) >= step.smallest_group * places


def _places_for(small: int, hidden: Mapping[Block, frozenset[int]], step: Step) -> int | None:
    """With how many other universities the few people of a small one could be, were they not its own; None: nowhere."""
    blocks = {block for block in hidden if step.counts[block].get(small)}
    places = 0
    while blocks:
        by_other: dict[int, set[Block]] = {}
        for block in blocks:
            for other in hidden[block] - {small}:
                by_other.setdefault(other, set()).add(block)
        if not by_other:
            return None
        blocks = blocks - max(by_other.values(), key=len)
        places += 1
    return max(places, 1)
