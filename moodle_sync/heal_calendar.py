"""What a look into a course's calendar shows to be otherwise than planned, and what puts it right. Pure.

Compared by effect: what a person sees, after Moodle has cleaned it. Events without our marker, or of an account that
is none of ours, are nobody's business here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lms.moodle_events import CalendarEvent
from moodle_sync.compare_events import differences, fingerprint_of
from moodle_sync.plan_mirrors import Target, WantedEvent, find_marked, is_due, is_to_go, wanted_event
from series.mirrors import Mirror
from series.sessions import Session


@dataclass(frozen=True, kw_only=True)
class KnownCourse:
    """What we know of one course without a look: the sessions that it shows, and the events that we made. `of_others`:
    sessions that another university shows in the very same course, so that their events are not ours to delete."""

    target: Target
    sessions: tuple[Session, ...]
    mirrors: tuple[Mirror, ...]
    of_others: frozenset[UUID] = frozenset()


class Why(StrEnum):
    """As the counts of a run call it."""

    ADOPTED = "adopted"  # we did not know that it is there
    UPDATED = "updated"  # the series has changed
    REPAIRED = "repaired"  # somebody, or a late call, has changed it in Moodle


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Make the event what it should be. `differences`: in words, of what a person can see."""

    event: CalendarEvent
    wanted: WantedEvent
    why: Why
    differences: tuple[str, ...]
    began_at: datetime | None  # a creation that may still have its effect

    @property
    def mirror(self) -> Mirror:
        """Once it is done."""
        return Mirror(
            session_id=self.wanted.session_id,
            event_id=self.event.event_id,
            fingerprint=self.wanted.fingerprint,
            began_at=self.began_at,
        )


@dataclass(kw_only=True)
class Healing:
    """`right`: events that are as they should be, and that we did not know. `delete`, `doubles`: events. `forget`:
    sessions that have no event any more. `waiting`: until when events are not made (again), because a call that was
    given up may still make them. `rewritten`: events of ours that have lost our marker."""

    create: list[WantedEvent] = field(default_factory=list)
    right: list[Mirror] = field(default_factory=list)
    repair: list[Repair] = field(default_factory=list)
    delete: list[int] = field(default_factory=list)
    doubles: list[int] = field(default_factory=list)
    forget: list[UUID] = field(default_factory=list)
    waiting: list[datetime] = field(default_factory=list)
    rewritten: list[CalendarEvent] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.create or self.right or self.repair or self.delete or self.doubles or self.forget)


def heal(
    known: KnownCourse,
    there: Iterable[CalendarEvent],
    *,
    own_user_ids: Collection[int],
    now: datetime,
    only: Collection[UUID] | None = None,
) -> Healing:
    """What makes the calendar equal to the plan. `there`: all events that may be ours, wherever somebody has moved
    them; those of other courses are left out: after a restore of the site, they may have ids that we know. `only`: of
    these sessions; else of all, and of whatever carries our marker."""
    healer = _Healer(known, there, own_user_ids, now)
    sessions = {session.session_id: session for session in known.sessions}
    chosen = {*sessions, *healer.mirrors, *healer.marked} if only is None else only
    starts = {session_id: session.start_at for session_id, session in sessions.items()}
    for session_id in sorted(chosen, key=lambda session_id: (starts.get(session_id, now), session_id)):
        healer.look_at(session_id, sessions.get(session_id))
    return healer.healing


class _Healer:
    def __init__(
        self, known: KnownCourse, there: Iterable[CalendarEvent], own_user_ids: Collection[int], now: datetime
    ) -> None:
        events = {event.event_id: event for event in there if event.course_id == known.target.course_id}
        self._target = known.target
        self._of_others = known.of_others
        self._now = now
        self._own = {event_id: event for event_id, event in events.items() if event.user_id in own_user_ids}
        self.mirrors = {mirror.session_id: mirror for mirror in known.mirrors}
        self.marked = find_marked(
            events.values(), installation_id=known.target.installation_id, own_user_ids=own_user_ids
        )
        self._marked_ids = {event.event_id for found in self.marked.values() for event in found}
        self.healing = Healing()

    def look_at(self, session_id: UUID, session: Session | None) -> None:
        """`session`: None when the course does not show it."""
        mirror, found = self.mirrors.get(session_id), self.marked.get(session_id, [])
        ids = [event.event_id for event in found]
        known_id = mirror.event_id if mirror else None
        if known_id is not None and known_id in self._own and known_id not in self._marked_ids:
            self.healing.rewritten.append(self._own[known_id])
        if session is None or is_to_go(session, self._now):
            if session_id not in self._of_others:
                self.healing.delete += ids
            self._forget(mirror)
        elif not found:
            self._miss(session, mirror)
        else:
            kept = next((event for event in found if event.event_id == known_id), found[0])
            self.healing.doubles += [event_id for event_id in ids if event_id != kept.event_id]
            self._compare(session, mirror, kept)

    def _forget(self, mirror: Mirror | None) -> None:
        if mirror is None:
            return
        if late_until := mirror.late_until(self._now):
            self.healing.waiting.append(late_until)
        else:
            self.healing.forget.append(mirror.session_id)

    def _miss(self, session: Session, mirror: Mirror | None) -> None:
        if mirror is not None and (late_until := mirror.late_until(self._now)):
            self.healing.waiting.append(late_until)
        elif is_due(session, self._now):
            self.healing.create.append(wanted_event(session, target=self._target))
        elif mirror is not None:
            self.healing.forget.append(mirror.session_id)

    def _compare(self, session: Session, mirror: Mirror | None, event: CalendarEvent) -> None:
        wanted = wanted_event(session, target=self._target)
        is_known = mirror is not None and mirror.event_id == event.event_id
        is_replanned = mirror is not None and mirror.fingerprint != wanted.fingerprint
        is_past = session.end_at <= self._now and not session.is_cancelled
        is_let_be = mirror is not None and mirror.shown_as == fingerprint_of(event)
        seen = () if is_past or is_let_be else differences(session, wanted.draft, event)
        why = Why.UPDATED if is_replanned else Why.REPAIRED
        repair = Repair(
            event=event,
            wanted=wanted,
            why=why if is_known else Why.ADOPTED,
            differences=seen,
            began_at=mirror.began_at if mirror else None,
        )
        if seen or is_replanned:
            self.healing.repair.append(repair)
        elif not is_known:
            shown_as = mirror.shown_as if mirror else None
            self.healing.right.append(replace(repair.mirror, shown_as=shown_as))
