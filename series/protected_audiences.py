"""People of the whole series by whom their courses teach: told in the report to the funder, all of them or none.

Which university teaches whom may be known, so that the number of one audience may be that of few universities. It is
told at steps at which distinct people are told, and where each audience alone leaves as much play as they must: k of
its people could not be there, and k more could, without those of the university that has most.

When a course says something else than before, its people stand in another audience: the same is asked of those who
have moved alone. Else what one audience has fewer and another one more would be the people of that course, and so of
its university: together with the cells of it that are shown, that narrows those that are hidden.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from series.pooled import TERM, Block, Step
from series.protected_blocks import is_safe
from series.protected_people import Play

Told = Mapping[str, int]


def tell_audiences(
    steps: Sequence[Step], plays: Sequence[Play | None], viewers: Collection[int | None]
) -> tuple[Told, Step] | None:
    """Of all universities together, by audience, and the step at which they were told last; None where they never were.
    `plays`: series.protected_people.plays_when_told; `viewers`: who may subtract their own number."""
    told: tuple[Told, Step] | None = None
    for step, play in zip(steps, plays, strict=True):
        parts = {block: cells for block, cells in step.counts.items() if block.audience and any(cells.values())}
        if play is None or not parts:
            continue
        fresh = {str(block.audience): sum(cells.values()) for block, cells in parts.items()}
        moved = _moved(told[1], step) if told else []
        is_safe_for_all = all(
            all(_is_safe_for(viewer, cells, play, step) for cells in parts.values())
            and all(_is_safe_for(viewer, cells, play, step) for cells in moved if cells.keys() - {viewer})
            for viewer in viewers
        )
        if is_safe_for_all and (told is None or _falls_in_steps(told[0], fresh, step.smallest_group)):
            told = fresh, step
    return told


def _falls_in_steps(before: Told, fresh: Told, k: int) -> bool:
    """None is smaller than before by less than k: a course that has said something else would be found out."""
    return all(fresh.get(one, 0) >= people or fresh.get(one, 0) <= people - k for one, people in before.items())


def _moved(before: Step, step: Step) -> list[Mapping[int, int]]:
    """By how many people an audience has more, or fewer: of the universities of which some have moved there or from
    there, not counting those who have gone altogether."""
    found: dict[tuple[Block, bool], dict[int, int]] = defaultdict(dict)
    audiences = [block for block in {**before.counts, **step.counts} if block.audience]
    for one in step.counts[TERM]:
        changes = {block: _people(step, block, one) - _people(before, block, one) for block in audiences}
        gone = max(_people(before, TERM, one) - _people(step, TERM, one), 0)
        if sum(-change for change in changes.values() if change < 0) > gone:
            for block, change in changes.items():
                if change:
                    found[block, change > 0][one] = abs(change)
    return list(found.values())


def _people(step: Step, block: Block, one: int) -> int:
    return step.counts.get(block, {}).get(one, 0)


def _is_safe_for(viewer: int | None, cells: Mapping[int, int], play: Play, step: Step) -> bool:
    others = {one: people for one, people in cells.items() if people and one != viewer}
    fewer = [min(people, play.get(one, 0)) for one, people in others.items()]
    more = [_came_again(step, one) for one in others]
    k = step.smallest_group
    return is_safe(others.values(), k) and all(sum(some) - max(some, default=0) >= k for some in (fewer, more))


def _came_again(step: Step, one: int) -> int:
    """How many more people it could have in the series, had nobody come to two sessions."""
    sessions = [cells.get(one, 0) for block, cells in step.counts.items() if block.session_id]
    return sum(sessions) - step.counts[TERM].get(one, 0)
