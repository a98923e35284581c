"""Numbers that become smaller when people object, are erased or move: told in steps of k.

If one person's going made the numbers of exactly their sessions smaller by one, whoever knew of their going would
know where they had been. So each number of a university stays as it was told until it has fallen by k or more; it is up
to k - 1 too high in the meantime. And a fall is told only if the numbers still fit afterwards: nobody has more people
in a session than in its month, nor in a month than in the series, nor in the month than in its sessions together.
"""

from collections.abc import Iterator, Mapping

from series.pooled import NOT_SAID, TERM, Block

Counts = dict[Block, dict[int, int]]
Known = Mapping[Block, Mapping[int, int]]
Numbers = dict[Block, int]  # of one university


def fall_in_steps(fresh: Known, *, before: Known, months: Mapping[Block, Block], k: int) -> Counts:
    """What is counted now, as it may be told after `before`, which was told at the last step; of the same blocks and
    universities as `fresh`. `months`: the month of each session."""
    found: Counts = {block: dict(cells) for block, cells in fresh.items()}
    audiences = [block for block in found if block.audience is not None]
    for one in {one for cells in found.values() for one in cells}:
        now = {block: cells[one] for block, cells in found.items() if one in cells and block.audience is None}
        old = {block: before[block][one] for block in now if one in before.get(block, {})}
        for block, people in _told(now, old, months, k).items():
            found[block][one] = people
        _fill_audiences(found, before, audiences, one)
    return found


def _told(now: Numbers, old: Numbers, months: Mapping[Block, Block], k: int) -> Numbers:
    held: set[Block] = set()
    while True:
        told = {block: old[block] if block in held else people for block, people in now.items()}
        _lift(told, months)
        falls_by_few = {block for block, people in old.items() if people - k < told[block] < people}
        misfits = {block for block in _too_small(told, months) if told[block] < old.get(block, 0)}
        if not falls_by_few and not misfits:
            return told
        held |= falls_by_few | misfits


def _lift(told: Numbers, months: Mapping[Block, Block]) -> None:
    """A month to its largest session, and the series to its largest block."""
    for session, month in months.items():
        if session in told and month in told:
            told[month] = max(told[month], told[session])
    if TERM in told:
        told[TERM] = max(told.values())


def _too_small(told: Numbers, months: Mapping[Block, Block]) -> Iterator[Block]:
    """Sessions that have fewer people together than their month, or than the series."""
    of_month: dict[Block, list[Block]] = {TERM: []}
    for session, month in months.items():
        if session in told:
            of_month.setdefault(month, []).append(session)
            of_month[TERM].append(session)
    for whole, sessions in of_month.items():
        if sessions and told.get(whole, 0) > sum(told[one] for one in sessions):
            yield from sessions


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
