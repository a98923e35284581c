"""People of the whole series by whom their courses teach: told in the report to the funder, all of them or none.

Which university teaches whom may be known, so that the number of one audience may be that of few universities. It is
told at steps at which distinct people are told, and where each audience alone leaves as much play as they must: k of
its people could not be there, and k more could, without those of the university that has most.
"""

from collections.abc import Collection, Mapping, Sequence

from series.pooled import TERM, Step
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
        is_safe_for_all = all(_is_safe_for(viewer, cells, play, step) for viewer in viewers for cells in parts.values())
        if is_safe_for_all and (told is None or _falls_in_steps(told[0], fresh, step.smallest_group)):
            told = fresh, step
    return told


def _falls_in_steps(before: Told, fresh: Told, k: int) -> bool:
    """None is smaller than before by less than k: a course that has said something else would be found out."""
    return all(fresh.get(one, 0) >= people or fresh.get(one, 0) <= people - k for one, people in before.items())


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
