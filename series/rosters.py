"""Who is in a course, by its LMS's roster: what a new reading changes, and when it is held back instead.

Nobody's evidence, completion or score depends on this: whoever has left is shown as no longer in the course.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

BRAKE_FROM = 10  # people
BRAKE_PERCENT = 30


@dataclass(frozen=True, kw_only=True)
class RosterMember:
    """One person of a course by their `sub`; names are never kept. `gone_at`: no longer in the course since then."""

    sub: str
    is_learner: bool
    is_suspended: bool = False
    gone_at: datetime | None = None

    @property
    def is_there(self) -> bool:
        """In the course, and able to come."""
        return self.gone_at is None and not self.is_suspended


@dataclass(frozen=True, kw_only=True)
class RosterChanges:
    """What a reading says anew, by `sub`. `of`: how many were there before it; `gone` counts only those. `fewer`: who
    of them is gone, suspended or no learner any more."""

    new: frozenset[str]
    back: frozenset[str]
    suspended: frozenset[str]
    gone: frozenset[str]
    fewer: frozenset[str]
    of: int
    is_empty: bool  # the reading names nobody

    @property
    def is_held(self) -> bool:
        """Whether a person must say yes first. A first reading has nobody who could be gone.

        An empty list is held in small courses too: no course loses its last person while its activity is open, but an
        LMS that no longer lets us see people may answer so.
        """
        if self.is_empty and self.gone:
            return True
        return self.of >= BRAKE_FROM and len(self.fewer) * 100 > self.of * BRAKE_PERCENT


def compare(
    stored: Iterable[RosterMember], listed: Iterable[RosterMember], *, kept: Collection[str] = ()
) -> RosterChanges:
    """`kept`: of whom a person has said that they are still in the course, whatever the LMS lists."""
    before, now = _by_sub(stored), _by_sub(listed)
    fewer = frozenset(sub for sub in before.keys() - set(kept) if _is_less(before[sub], now.get(sub)))
    was_there = {sub for sub, member in before.items() if member.is_there}
    return RosterChanges(
        new=frozenset(now.keys() - before.keys()),
        back=frozenset(sub for sub in now.keys() & before.keys() if before[sub].gone_at is not None),
        suspended=frozenset(
            sub
            for sub in now
            if now[sub].is_suspended and not _is_suspended(before, sub) and (sub in fewer or sub not in was_there)
        ),
        gone=fewer - now.keys(),
        fewer=fewer,
        of=len(was_there),
        is_empty=not now,
    )


def apply(
    stored: Iterable[RosterMember], listed: Iterable[RosterMember], *, kept: Collection[str] = (), now: datetime
) -> tuple[RosterMember, ...]:
    """The roster after the reading; nobody is forgotten. To apply the same again changes nothing."""
    before = _by_sub(stored)
    fresh = {
        sub: before[sub] if sub in kept and sub in before and _is_less(before[sub], member) else _there(member)
        for sub, member in _by_sub(listed).items()
    }
    missing = [
        member if member.sub in kept else replace(member, gone_at=member.gone_at or now)
        for sub, member in before.items()
        if sub not in fresh
    ]
    return (*fresh.values(), *missing)


def still_kept(stored: Iterable[RosterMember], listed: Iterable[RosterMember], kept: Collection[str]) -> list[str]:
    """Those of `kept` whom the list still does not show as they are `stored`."""
    before, now = _by_sub(stored), _by_sub(listed)
    return sorted(sub for sub in set(kept) if sub not in now or (sub in before and _is_less(before[sub], now[sub])))


def held_in_words(changes: RosterChanges) -> str:
    where = "gone from the list that the LMS sends"
    if changes.fewer != changes.gone:
        where += ", suspended in it or no longer students"
    return f"{len(changes.fewer)} of {changes.of} people are {where}; nothing was changed until somebody says yes."


def _is_less(before: RosterMember, now: RosterMember | None) -> bool:
    """Somebody who was there is gone, suspended, or no learner any more."""
    if not before.is_there:
        return False
    return now is None or now.is_suspended or (before.is_learner and not now.is_learner)


def _there(member: RosterMember) -> RosterMember:
    return replace(member, gone_at=None)


def _by_sub(members: Iterable[RosterMember]) -> Mapping[str, RosterMember]:
    return {member.sub: member for member in members}


def _is_suspended(members: Mapping[str, RosterMember], sub: str) -> bool:
    return sub in members and members[sub].is_suspended
