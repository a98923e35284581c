"""One month of which the sessions are told as well, each as all others together.

Those totals narrow what a university may have had in a session: no more than in the month, and in all sessions together
no fewer. If nearly everybody comes every time, the totals are used up, and each session is found out. So a university
is shown alone in the month only if the rest could have come otherwise, by k people without any two universities (the
viewer's, and the one that has most): k more in each session, k fewer, or in another session instead;
docs/protection.md has the proof. Otherwise the month is told as all others together. Where that fails later on, the
month stays as it was told before. Decided for all viewers at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from series.pooled import TERM, Block, Step
from series.protected_blocks import Told, everybody, grouped, small
from series.protected_people import History


@dataclass(frozen=True, kw_only=True)
class Room:
    """In what one university could have been otherwise in the sessions of a month, in people by session, at all steps
    at which the month was told: how many were there at least (`there`) and at most, how many `more` could have been,
    and how many came `again`, of whom each could have missed one. Who had left when a session was first told is not in
    its total, and cannot have taken anybody's place there."""

    there: tuple[int, ...]
    at_most: tuple[int, ...]
    more: tuple[int, ...]
    again: int

    def can_miss(self, session: int, k: int, *, instead: int | None = None) -> bool:
        """Whether all of a session could have missed it, or k of them; `instead`: had they come to that one."""
        places = self.more[instead] if instead is not None else 0
        return self.again + places >= min(k, self.at_most[session])


@dataclass(frozen=True, kw_only=True)
class Plan:
    """At one step. `is_together`: only all others together are told, then and later; `stuck`: who is not shown alone;
    `is_new`: it may be told anew; `is_settled`: nothing has changed since the step before."""

    is_together: bool
    stuck: frozenset[int]
    is_new: bool
    is_settled: bool = False


@dataclass(frozen=True, kw_only=True)
class WithSessions:
    """The rule of one month; `plans`: by the moment of the step; `late`: who is not counted in one of its sessions, and
    so not in the month either, since the totals of both would tell of them."""

    block: Block
    plans: Mapping[datetime, Plan]
    late: frozenset[int]

    def begin(self, step: Step, counts: Mapping[int, int]) -> frozenset[int]:
        plan, k = self.plans[step.at], step.smallest_group
        if plan.is_together or not plan.is_new:
            return frozenset(counts)
        return grouped(self.block, counts, small(counts, k) | plan.stuck.intersection(counts), k)

    def may_renew(self, step: Step, shown: frozenset[int]) -> bool:
        return self.plans[step.at].is_new or not shown

    def is_settled(self, last: Step, step: Step) -> bool:
        return self.plans[step.at].is_settled


def as_their_months(steps: Sequence[Step], histories: Mapping[int | None, History]) -> dict[int | None, History]:
    """What each viewer was told, where a month has one session: both are told alike. If another one comes to the month
    afterwards, the first one stays as it was told last, beside whom the month has shown: its new total, less these,
    would tell who came late, or what somebody has left of whom people have gone. Where the session was told before the
    month was, nobody of the month is shown alone: less these, the total of before would be what a small one had then.
    """
    only = [_only_sessions(step) for step in steps]
    alike = {month for alone in only for month in alone if _is_later(steps, month)}
    return {
        viewer: {
            block: _as_its_month(steps, only, block, history)
            if block.session_id
            else _as_its_session(only, block, history)
            if block in alike
            else told
            for block, told in history.items()
        }
        for viewer, history in histories.items()
    }


def _only_sessions(step: Step) -> dict[Block, Block]:
    """Of each month that has one session, that one."""
    return {month: sessions[0] for month in step.counts if len(sessions := step.sessions_in(month)) == 1}


def _as_its_session(only: Sequence[Mapping[Block, Block]], month: Block, history: History) -> list[Told | None]:
    return [
        history[alone[month]][number] if month in alone else told
        for number, (alone, told) in enumerate(zip(only, history[month], strict=True))
    ]


def _as_its_month(
    steps: Sequence[Step], only: Sequence[Mapping[Block, Block]], session: Block, history: History
) -> list[Told | None]:
    after: list[Told | None] = []
    kept: Told | None = None
    for number, step in enumerate(steps):
        month = step.months.get(session)
        of_month = history[month][number] if month and only[number].get(month) == session else None
        everybody = frozenset(of_month.counts) if of_month else frozenset()
        if month and of_month and (kept or of_month.hidden != everybody):
            is_told = of_month.column(month).total is not None
            as_month = replace(of_month, group=everybody, first=everybody, is_sum_told=is_told)
            kept = replace(as_month, as_of=of_month.as_of or step.at)
            after.append(as_month)
        else:
            after.append(kept or history[session][number])
    return after


def _is_later(steps: Sequence[Step], month: Block) -> bool:
    """Whether it was told after a session of it, since another one was still to come."""
    return any(month not in step.counts and step.sessions_in(month) for step in steps)


def late_in(steps: Sequence[Step], month: Block) -> frozenset[int]:
    """Who came after one of its sessions was told: they are counted from the next month on, in no session of this one
    either, since distinct people are at least as many as in a session, and at most as in all of them."""
    first = _first_told(steps, steps[-1].sessions_in(month))
    there = (step.counts.get(TERM, {}).keys() | step.counts[one].keys() for one, step in first.items())
    return frozenset(one for those in there for one in everybody(steps[-1]) - those)


def _first_told(steps: Sequence[Step], sessions: Sequence[Block]) -> dict[Block, Step]:
    return {one: next(step for step in steps if one in step.counts) for one in sessions}


def plan_month(steps: Sequence[Step], month: Block, late: frozenset[int]) -> dict[datetime, Plan]:
    """By the moment of each step at which the month is there. `late`: as of `late_in`."""
    is_later = _is_later(steps, month)
    plans: dict[datetime, Plan] = {}
    rooms: dict[int, Room] = {}
    first: Plan | None = None
    last: Step | None = None
    for step in steps:
        if month not in step.counts:
            continue
        if first and last and _is_same(month, last, step) and last.smallest_group == step.smallest_group:
            plans[step.at] = replace(plans[last.at], is_settled=True)
        else:
            now = _rooms(steps, step, month, late)
            fresh = {one: _less(rooms[one], room) if one in rooms else room for one, room in now.items()}
            plans[step.at] = plan = _plan(fresh, step.smallest_group, first, is_later=is_later)
            first = first or plan
            rooms = fresh if plan.is_new else rooms
        last = step
    return plans


def _is_same(month: Block, last: Step, step: Step) -> bool:
    sessions = step.sessions_in(month)
    return sessions == last.sessions_in(month) and all(
        step.counts[one] == last.counts.get(one) for one in (month, *sessions)
    )


def _rooms(steps: Sequence[Step], step: Step, month: Block, late: frozenset[int]) -> dict[int, Room]:
    sessions = step.sessions_in(month)
    counted = [first.counts[one] for one, first in _first_told(steps, sessions).items()]
    there = step.counts[month].keys() - late
    return {one: _room(step, month, sessions, [one in those for those in counted], one) for one in sorted(there)}


def _room(step: Step, month: Block, sessions: Sequence[Block], is_counted: Sequence[bool], one: int) -> Room:
    people = step.counts[month][one]
    at_most = tuple(step.counts[session].get(one, 0) for session in sessions)
    there = tuple(number if counts else 0 for number, counts in zip(at_most, is_counted, strict=True))
    return Room(
        there=there,
        at_most=at_most,
        more=tuple(people - number if counts else 0 for number, counts in zip(at_most, is_counted, strict=True)),
        again=max(sum(there) - people, 0),
    )


def _less(before: Room, now: Room) -> Room:
    """What there was at both steps: none where a session came to the month later."""
    if len(before.there) != len(now.there):
        none = (0,) * len(now.there)
        return Room(there=none, at_most=now.at_most, more=none, again=0)
    return Room(
        there=tuple(map(min, before.there, now.there)),
        at_most=tuple(map(max, before.at_most, now.at_most)),
        more=tuple(map(min, before.more, now.more)),
        again=min(before.again, now.again),
    )


def _plan(rooms: Mapping[int, Room], k: int, first: Plan | None, *, is_later: bool) -> Plan:
    sessions = range(max((len(room.there) for room in rooms.values()), default=0))
    if len(sessions) < 2:  # it is told as the month is
        is_together = first.is_together if first else is_later
        return Plan(is_together=is_together, stuck=frozenset(), is_new=True)
    if not _can_all_move(rooms.values(), sessions, k):
        return Plan(is_together=first is None or first.is_together, stuck=frozenset(), is_new=False)
    stuck = frozenset(one for one, room in rooms.items() if not _can_move(room, rooms.values(), sessions, k))
    is_new = first is None or (not first.is_together and stuck <= first.stuck)
    return Plan(is_together=first is not None and first.is_together, stuck=stuck, is_new=is_new)


def _can_all_move(rooms: Iterable[Room], sessions: range, k: int) -> bool:
    """Into each session k more could have come, and k of it could have missed it."""
    return all(
        _others(room.more[session] for room in rooms) >= k
        and _others(min(room.there[session], room.again) for room in rooms) >= k
        for session in sessions
    )


def _can_move(room: Room, rooms: Iterable[Room], sessions: range, k: int) -> bool:
    """Whether the people of `room` could have missed any session: because they came again, or came to another one
    instead, as others did the other way round."""
    return all(
        room.can_miss(session, k)
        or any(
            room.can_miss(session, k, instead=other)
            and _others(min(one.more[session], one.there[other]) for one in rooms) >= k
            for other in sessions
            if other != session
        )
        for session in sessions
    )


def _others(people: Iterable[int]) -> int:
    """Of all but two, whichever they are."""
    return sum(sorted(people)[:-2])
