"""Numbers that become smaller when people object, are erased or move: told in steps of k.

If one person's going made the numbers of exactly their sessions smaller by one, whoever knew of their going would
know where they had been. So the numbers of a university stay as they were, in all blocks, until one of them has fallen
by k or more; then all are told as they are. They are up to k - 1 too high in the meantime. Held together, so that they
still fit: nobody has more people in a session than in its month, nor in a month than in the series.
"""

from collections.abc import Mapping

from series.pooled import NOT_SAID, TERM, Block

Counts = dict[Block, dict[int, int]]
Known = Mapping[Block, Mapping[int, int]]


def fall_in_steps(fresh: Known, *, before: Known, months: Mapping[Block, Block], k: int) -> Counts:
    """What is counted now, as it may be told after `before`, which was told at the last step; of the same blocks and
    universities as `fresh`. `months`: the month of each session."""
    found: Counts = {block: dict(cells) for block, cells in fresh.items()}
    audiences = [block for block in found if block.audience is not None]
    blocks = [block for block in found if block.audience is None]
    for one in {one for cells in found.values() for one in cells}:
        old = {block: before[block][one] for block in blocks if one in before.get(block, {})}
        if any(people - found[block].get(one, 0) >= k for block, people in old.items()):
            continue
        for block, people in old.items():
            found[block][one] = max(people, found[block].get(one, 0))
        for session, month in months.items():  # one that is told for the first time may have lost somebody already
            if one in found.get(session, {}) and one in found.get(month, {}):
                found[month][one] = max(found[month][one], found[session][one])
        _fill_audiences(found, before, audiences, one)
    return found


def _fill_audiences(found: Counts, before: Known, audiences: list[Block], one: int) -> None:
    """Who has gone is counted on where they were, so that the audiences together are the people of the series."""
    missing = found.get(TERM, {}).get(one, 0) - sum(found[block].get(one, 0) for block in audiences)
    if missing <= 0 or not audiences:
        return

    def fallen(block: Block) -> tuple[int, bool, str]:
        old = before.get(block, {}).get(one, 0)
        return old - found[block].get(one, 0), block.audience == NOT_SAID, block.key

    most = max(audiences, key=fallen)
    found[most][one] = found[most].get(one, 0) + missing
