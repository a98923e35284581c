"""What each session should look like in one Moodle course, and which calls make it so. Pure: reads no clock.

Our marker is the link to the session page with this installation's id. Only events that carry it and were made by our
own account are ever touched.
"""

import hashlib
import html
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from lms.moodle_events import CalendarEvent, EventDraft
from series.mirrors import Mirror
from series.sessions import Session, Status


@dataclass(frozen=True, kw_only=True)
class WantedEvent:
    """A session as an event. While the mirror has this `fingerprint`, no call is needed."""

    session_id: UUID
    draft: EventDraft
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Update:
    """Change the event, or make it anew if somebody has deleted it."""

    event_id: int
    wanted: WantedEvent


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one course needs, as far as we know without a look. `look_for`: whose event is found by our marker, or made.
    `delete`: mirrors whose event should go; one without `event_id` is to be looked for first."""

    create: tuple[WantedEvent, ...]
    look_for: tuple[WantedEvent, ...]
    update: tuple[Update, ...]
    delete: tuple[Mirror, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.create or self.look_for or self.update or self.delete)

    @property
    def session_ids(self) -> frozenset[UUID]:
        wanted = (*self.create, *self.look_for, *(update.wanted for update in self.update))
        return frozenset((*(one.session_id for one in wanted), *(mirror.session_id for mirror in self.delete)))

    @property
    def known_ids(self) -> frozenset[int]:
        """Of the events that it changes or deletes."""
        doomed = (mirror.event_id for mirror in self.delete if mirror.event_id is not None)
        return frozenset((*(update.event_id for update in self.update), *doomed))


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where the events go and what their links say. `public_url` without a slash at the end."""

    course_id: int
    public_url: str
    installation_id: str


def plan(sessions: Iterable[Session], mirrors: Iterable[Mirror], *, target: Target, now: datetime) -> Plan:
    """The calls that make the course's calendar right; an empty plan when nothing changed.

    A session that is over or cancelled and was never mirrored needs no event. The event of a cancelled one goes when
    its date, in the series' zone, has passed; that of a session which is no longer ours to show goes at once.
    """
    unseen = {mirror.session_id: mirror for mirror in mirrors}
    create: list[WantedEvent] = []
    look_for: list[WantedEvent] = []
    update: list[Update] = []
    delete: list[Mirror] = []
    for session in sorted(sessions, key=lambda session: (session.start_at, session.session_id)):
        mirror = unseen.pop(session.session_id, None)
        if mirror is None and not is_due(session, now):
            continue
        wanted = wanted_event(session, target=target)
        if mirror is None:
            create.append(wanted)
        elif is_to_go(session, now):
            delete.append(mirror)
        elif mirror.event_id is None:
            look_for.append(wanted)
        elif mirror.fingerprint != wanted.fingerprint:
            update.append(Update(event_id=mirror.event_id, wanted=wanted))
    delete += unseen.values()
    return Plan(create=tuple(create), look_for=tuple(look_for), update=tuple(update), delete=tuple(delete))


def is_due(session: Session, now: datetime) -> bool:
    """Whether it is made in a course that does not have it."""
    return session.status is not Status.CANCELLED and session.end_at > now


def is_to_go(session: Session, now: datetime) -> bool:
    """Cancelled, and students have had the time to see it: its date, in the series' zone, has passed."""
    zone = ZoneInfo(session.zone)
    has_passed = now.astimezone(zone).date() > session.end_at.astimezone(zone).date()
    return session.status is Status.CANCELLED and has_passed


def find_marked(
    events: Iterable[CalendarEvent], *, installation_id: str, own_user_ids: Collection[int]
) -> dict[UUID, list[CalendarEvent]]:
    """Events by session that carry our marker AND were made by an account of ours, the oldest first.

    The host of the link does not matter: the events stay ours when the tool moves to another address.
    """
    marker = re.compile(
        rf"""href=["'][^"'\s]*/s/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})\?i={re.escape(installation_id)}["']""",
        re.IGNORECASE,
    )
    marked: dict[UUID, list[CalendarEvent]] = {}
    for event in sorted(events, key=lambda event: event.event_id):
        found = marker.search(html.unescape(event.description)) if event.user_id in own_user_ids else None
        if found:
            marked.setdefault(UUID(found[1]), []).append(event)
    return marked


def wanted_event(session: Session, *, target: Target) -> WantedEvent:
    """The event that stands for the session: the same for the same session, whenever it is asked for."""
    start_at = session.start_at.astimezone(UTC).replace(second=0, microsecond=0)
    draft = EventDraft(
        course_id=target.course_id,
        name=f"CANCELLED: {session.title}" if session.status is Status.CANCELLED else session.title,
        description=_description(session, target),
        start_at=start_at,
        duration_minutes=-(-(session.end_at - start_at) // timedelta(minutes=1)),  # rounded up
    )
    return WantedEvent(session_id=session.session_id, draft=draft, fingerprint=_fingerprint(draft))


def _description(session: Session, target: Target) -> str:
    lines = []
    if session.status is Status.CANCELLED:
        lines.append("<strong>This session is cancelled.</strong>")
    lines.append(html.escape(_when(session)))
    if session.moved_from_at is not None:
        moved_from = session.moved_from_at.astimezone(ZoneInfo(session.zone))
        lines.append(html.escape(f"Moved from {_date(moved_from)}, {moved_from:%H:%M} ({session.zone})"))
    if session.hosting_university:
        lines.append(f"Hosting university: {html.escape(session.hosting_university)}")
    if session.speakers:
        lines.append(f"Guest speakers: {html.escape(session.speakers)}")
    lines.append(f'<a href="{html.escape(marker_link(session.session_id, target))}">Session page</a>')
    return "".join(f"<p>{line}</p>" for line in lines)


def marker_link(session_id: UUID, target: Target) -> str:
    return f"{target.public_url}/s/{session_id}?i={target.installation_id}"


def _when(session: Session) -> str:
    zone = ZoneInfo(session.zone)
    start, end = session.start_at.astimezone(zone), session.end_at.astimezone(zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_date(end)}, {end:%H:%M}"
    return f"{_date(start)}, {start:%H:%M} to {until} ({session.zone})"


def _date(local: datetime) -> str:
    return f"{local:%A}, {local.day} {local:%B %Y}"


def _fingerprint(draft: EventDraft) -> str:
    parts = (draft.name, draft.description, draft.start_at.isoformat(), str(draft.duration_minutes))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
