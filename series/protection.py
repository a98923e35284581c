"""Which numbers of other universities are shown, and which are hidden so that nobody learns of a few people.

Pure: every view, export and chart shows what `publish` gives and nothing else. The promise, against one viewer who
keeps all they were ever shown: what a hidden number below k may be contains 0 to k - 1, and what any other hidden
number may be is at least k wide. docs/protection.md says why it holds and what is assumed; tests/attack tries to break
it.
"""

from collections.abc import Mapping, Sequence

from series.pooled import TERM, Block, Column, Pooled, PooledBy, Step, Totals
from series.protected_audiences import tell_audiences
from series.protected_blocks import AllTogether, Alone, Rule, everybody, follow
from series.protected_months import WithSessions, as_their_months, late_in, plan_month
from series.protected_people import History, Play, plays_when_told

MOSTLY = 0.5  # sessions by universities are the columns where no more of them than this would be below k


def pooled_by(steps: Sequence[Step]) -> PooledBy | None:
    """Which columns a series has, by the first step that counts anybody; None before. Decided once and kept: changing
    between them would show one person in two tables."""
    for step in steps:
        blocks = _blocks(step, PooledBy.SESSION)
        cells = [step.counts[block].get(one, 0) for block in blocks for one in everybody(step)]
        if any(cells):
            small = sum(people < step.smallest_group for people in cells)
            return PooledBy.MONTH if small > MOSTLY * len(cells) else PooledBy.SESSION
    return None


def publish(steps: Sequence[Step], *, viewer: int | None, by: PooledBy) -> Pooled | None:
    """What `viewer` (a university's id; None: who belongs to none) is told by the newest of `steps`, oldest first; None
    before the first one. The earlier ones decide with: what was hidden together stays together."""
    if not steps:
        return None
    newest = steps[-1]
    histories = _histories(steps, by, viewer)
    told = _columns(histories[viewer])
    columns = [column for block, column in told.items() if _is_column(block, by)]
    people_step = _people_step(steps, plays_when_told(steps, histories))
    return Pooled(
        step_at=newest.at,
        smallest_group=newest.smallest_group,
        by=by,
        columns=tuple(columns),
        rows=_rows(columns),
        people=_people(people_step, viewer),
        people_at=people_step.at if people_step else None,
        sessions=tuple(column for block, column in told.items() if not _is_column(block, by)),
    )


def publish_totals(steps: Sequence[Step], *, by: PooledBy) -> Totals | None:
    """What a report tells everybody by the newest of `steps`: nothing that any viewer is not told anyway, once the own
    university is subtracted. None before the first step."""
    if not steps:
        return None
    newest = steps[-1]
    histories = _histories(steps, by, None)
    told = {viewer: _columns(history) for viewer, history in histories.items()}
    plays = plays_when_told(steps, histories)
    people_step = _people_step(steps, plays)
    audiences = tell_audiences(steps, plays, list(histories))
    return Totals(
        step_at=newest.at,
        smallest_group=newest.smallest_group,
        by=by,
        by_block={block: _total(block, told, newest) for block in told[None]},
        people=_people(people_step, None),
        people_at=people_step.at if people_step else None,
        audiences=audiences[0] if audiences else None,
        audiences_at=audiences[1].at if audiences else None,
    )


def _histories(steps: Sequence[Step], by: PooledBy, viewer: int | None) -> dict[int | None, History]:
    """What everybody was told, `viewer` too where nobody of theirs is counted."""
    rules = _rules(steps, by)
    viewers = {None, viewer, *everybody(steps[-1])}
    histories: dict[int | None, History] = {
        one: {block: follow(steps, block, one, rule) for block, rule in rules.items()} for one in viewers
    }
    return as_their_months(steps, histories) if by is PooledBy.MONTH else histories


def _rules(steps: Sequence[Step], by: PooledBy) -> dict[Block, Rule]:
    sessions, months = (_blocks(steps[-1], one) for one in (PooledBy.SESSION, PooledBy.MONTH))
    if by is PooledBy.SESSION:
        return {block: Alone(block=block) for block in sessions}
    months_of = steps[-1].months
    late = {month: late_in(steps, month) for month in {*months, *months_of.values()}}
    together: dict[Block, Rule] = {
        block: AllTogether(block=block, late=late[months_of[block]] if block in months_of else frozenset())
        for block in sessions
    }
    return together | {
        block: WithSessions(block=block, plans=plan_month(steps, block, late[block]), late=late[block])
        for block in months
    }


def _columns(history: History) -> dict[Block, Column]:
    """Of what is told of each block."""
    return {block: told[-1].column(block) for block, told in history.items() if told[-1] is not None}


def _people_step(steps: Sequence[Step], plays: Sequence[Play | None]) -> Step | None:
    """The last one at which distinct people were told."""
    return next((step for step, play in reversed(list(zip(steps, plays, strict=True))) if play is not None), None)


def _people(step: Step | None, viewer: int | None) -> int | None:
    return sum(people for one, people in step.counts[TERM].items() if one != viewer) if step else None


def _total(block: Block, told: Mapping[int | None, Mapping[Block, Column]], newest: Step) -> int | None:
    """Of all; None where a viewer is not told the total of all others, or one of other universities."""
    all_of_them = told[None][block]
    if any(columns[block].as_of for columns in told.values()):  # their own numbers were others then
        return None
    for viewer, columns in told.items():
        own = newest.counts[block].get(viewer, 0) if viewer in all_of_them.university_ids and viewer is not None else 0
        if all_of_them.total is None or columns[block].total != all_of_them.total - own:
            return None
    return all_of_them.total


def _blocks(step: Step, by: PooledBy) -> list[Block]:
    return [block for block in step.counts if _is_column(block, by)]


def _is_column(block: Block, by: PooledBy) -> bool:
    return (block.session_id if by is PooledBy.SESSION else block.month) is not None


def _rows(columns: Sequence[Column]) -> dict[int, int]:
    """No margin covers a hidden cell."""
    universities = set().union(*(column.shown for column in columns)) if columns else set()
    return {
        one: sum(column.shown[one] for column in columns)
        for one in universities
        if all(one in column.shown for column in columns)
    }


def own_university(
    people: Mapping[Block, int],
    *,
    in_course: Mapping[Block, int],
    begun: Sequence[Sequence[Block]],
    smallest_group: int,
) -> dict[Block, int | None]:
    """Of the viewer's university, of which the viewer knows the own course; None where fewer than k are in its other
    courses. `begun`: each session that has begun, with the blocks that it belongs to: where it is hidden, they are,
    since no sum covers a hidden cell. Not asked where there is no other course."""
    told = {block: number if number - in_course[block] >= smallest_group else None for block, number in people.items()}
    covering = {whole for session, *wholes in begun if told[session] is None for whole in wholes}
    return {block: None if block in covering else number for block, number in told.items()}
