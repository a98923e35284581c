"""Guess which sessions the new entries of a calendar stand for, when entries that we knew have gone.

One was deleted and made again, a series was split, all of it was moved, or the source replaced. A person confirms it.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from moodle_sync.read_calendar import Occurrence
from series.sessions import Session

E = TypeVar("E", Occurrence, Session)


def guess_pairs(entries: Sequence[Occurrence], gone: Sequence[Session]) -> list[tuple[Occurrence, UUID]]:
    """Each entry and session at most once: by the same title, start, day or hosting university, where only one of each
    has it; what is then left by its order, if it is as many on both sides and more than one."""
    pairs: list[tuple[Occurrence, UUID]] = []
    left, missing = sorted(entries, key=_starts), sorted(gone, key=_starts)
    for feature in (_title, _starts, _day, _host):
        found = _by_feature(left, missing, feature)
        pairs += [(entry, session.session_id) for entry, session in found]
        left = [entry for entry in left if all(entry is not paired for paired, _ in found)]
        missing = [session for session in missing if all(session is not paired for _, paired in found)]
    planned = [session for session in missing if not session.is_cancelled]
    if len(left) == len(planned) > 1:
        pairs += [(entry, session.session_id) for entry, session in zip(left, planned, strict=True)]
    return pairs


def _by_feature(
    entries: list[Occurrence], gone: list[Session], feature: Callable[[Occurrence | Session], Hashable]
) -> list[tuple[Occurrence, Session]]:
    ones, others = _only(entries, feature), _only(gone, feature)
    return [(entry, others[name]) for name, entry in ones.items() if name in others]


def _only(things: list[E], feature: Callable[[Occurrence | Session], Hashable]) -> dict[Hashable, E]:
    """Those that are alone in having this feature, by it."""
    found: dict[Hashable, list[E]] = {}
    for thing in things:
        found.setdefault(feature(thing), []).append(thing)
    return {name: those[0] for name, those in found.items() if name and len(those) == 1}


def _title(thing: Occurrence | Session) -> Hashable:
    return " ".join(thing.title.split()).casefold()


def _starts(thing: Occurrence | Session) -> datetime:
    return thing.start_at


def _day(thing: Occurrence | Session) -> Hashable:
    return thing.wall_start.date()


def _host(thing: Occurrence | Session) -> Hashable:
    return (thing.hosting_university or "").casefold()
