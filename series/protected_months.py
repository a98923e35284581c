"""One month of which the sessions are told as well, each as all others together.

Those totals narrow what a university may have had in a session: no more than in the month, and in all sessions together
no fewer. If nearly everybody comes every time, the totals are used up, and each session is found out. So a university
is shown alone in the month only if the rest could have come otherwise, by k people without any one university: k more
in each session, k fewer, or in another session instead; docs/protection.md has the proof. Otherwise the month is told
as all others together. Where that fails later on, the month stays as it was told before.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from series.pooled import Block, Step
from series.protected_blocks import grouped, small


@dataclass(frozen=True, kw_only=True)
class Room:
    """In what one university could have been otherwise in the sessions of a month, in people, at all steps at which the
    month was told: how many were there in each session at least and at most, how many `more` could have been, and how
    many came `again`, of whom each could have missed one."""

    there: Mapping[Block, int]
    at_most: Mapping[Block, int]
    more: Mapping[Block, int]
    again: int

    def can_miss(self, session: Block, k: int, *, by_coming_to: Block | None = None) -> bool:
        """Whether all of a session could have missed it, or k of them: had they come to another one instead."""
        instead = self.more.get(by_coming_to, 0) if by_coming_to else 0
        return self.again + instead >= min(k, self.at_most.get(session, 0))


@dataclass(kw_only=True)
class WithSessions:
    """The rule of one month for one viewer. `counted`: in the total of which session who is counted. It remembers how
    little room there was when the month was told."""

    block: Block
    counted: Mapping[Block, Collection[int]]
    rooms: dict[int, Room] = field(default_factory=dict)

    def begin(self, step: Step, counts: Mapping[int, int]) -> frozenset[int]:
        k = step.smallest_group
        self.rooms = {one: self._room(step, one) for one in counts}
        sessions = step.sessions_in(self.block)
        hidden = small(counts, k)
        if len(sessions) > 1:
            if not _can_all_move(self.rooms, sessions, k):
                return frozenset(counts)
            hidden |= {one for one in counts if not _can_move(self.rooms, sessions, one, k)}
        return grouped(self.block, counts, hidden, k)

    def may_renew(self, step: Step, shown: frozenset[int]) -> bool:
        k, sessions = step.smallest_group, step.sessions_in(self.block)
        rooms = {one: _less(room, self._room(step, one)) for one, room in self.rooms.items()}
        if shown and len(sessions) > 1:
            can_move = all(_can_move(rooms, sessions, one, k) for one in shown)
            if not (can_move and _can_all_move(rooms, sessions, k)):
                return False
        self.rooms = rooms
        return True

    def is_settled(self, last: Step, step: Step) -> bool:
        sessions = step.sessions_in(self.block)
        same = all(step.counts[one] == last.counts.get(one) for one in sessions)
        return same and sessions == last.sessions_in(self.block)

    def _room(self, step: Step, one: int) -> Room:
        sessions = [session for session in step.sessions_in(self.block) if one in self.counted.get(session, {one})]
        people = step.counts[self.block].get(one, 0)
        there = {session: step.counts[session].get(one, 0) for session in sessions}
        return Room(
            there=there,
            at_most=there,
            more={session: people - number for session, number in there.items()},
            again=max(sum(there.values()) - people, 0),
        )


def _can_all_move(rooms: Mapping[int, Room], sessions: Iterable[Block], k: int) -> bool:
    """Into each session k more could have come, and k of it could have missed it."""
    return all(
        _all_but_most(room.more.get(session, 0) for room in rooms.values()) >= k
        and _all_but_most(min(room.there.get(session, 0), room.again) for room in rooms.values()) >= k
        for session in sessions
    )


def _can_move(rooms: Mapping[int, Room], sessions: Collection[Block], one: int, k: int) -> bool:
    """Whether the people of `one` could have missed any session: because they came again, or came to another one
    instead, as others did the other way round."""
    room = rooms[one]
    return all(
        room.can_miss(session, k)
        or any(
            room.can_miss(session, k, by_coming_to=other) and _can_swap(rooms, session, other) >= k
            for other in sessions
            if other != session
        )
        for session in sessions
    )


def _can_swap(rooms: Mapping[int, Room], session: Block, other: Block) -> int:
    """How many of `other` could have come to `session` instead."""
    return _all_but_most(min(room.more.get(session, 0), room.there.get(other, 0)) for room in rooms.values())


def _all_but_most(people: Iterable[int]) -> int:
    numbers = list(people)
    return sum(numbers) - max(numbers, default=0)


def _less(before: Room, now: Room) -> Room:
    """What there was at both steps."""
    return Room(
        there={session: min(before.there.get(session, people), people) for session, people in now.there.items()},
        at_most={session: max(before.at_most.get(session, 0), people) for session, people in now.there.items()},
        more={session: min(before.more.get(session, people), people) for session, people in now.more.items()},
        again=min(before.again, now.again),
    )
