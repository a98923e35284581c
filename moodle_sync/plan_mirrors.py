"""What each session should look like in one Moodle course, and which calls make it so. Pure: reads no clock.

Our marker is the link to the session page with this installation's id. Only events that carry it and were made by our
own account are ever touched.
"""

import hashlib
import html
import re
from collections.abc import Iterable
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
    """Change the event. If somebody deleted it: create it or, when `create_if_missing` is false, forget the mirror."""

    event_id: int
    wanted: WantedEvent
    create_if_missing: bool


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """Look for the event by our marker: update it if it is there; if not, create it or, when `create_if_missing` is
    false, forget the mirror."""

    wanted: WantedEvent
    create_if_missing: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The calls that one course needs. `delete`: mirrors whose event should go; one without `event_id` is to be looked
    for by our marker first."""

    create: tuple[WantedEvent, ...]
    adopt: tuple[Adoption, ...]
    update: tuple[Update, ...]
    delete: tuple[Mirror, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.create or self.adopt or self.update or self.delete)


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
    adopt: list[Adoption] = []
    update: list[Update] = []
    delete: list[Mirror] = []
    for session in sorted(sessions, key=lambda session: (session.start_at, session.session_id)):
        mirror = unseen.pop(session.session_id, None)
        is_due = session.status is not Status.CANCELLED and session.end_at > now
        if mirror is None and not is_due:
            continue
        wanted = wanted_event(session, target=target)
        if mirror is None:
            create.append(wanted)
        elif session.status is Status.CANCELLED and _date_has_passed(session, now):
            delete.append(mirror)
        elif mirror.event_id is None:
            adopt.append(Adoption(wanted=wanted, create_if_missing=is_due))
        elif mirror.fingerprint != wanted.fingerprint:
            update.append(Update(event_id=mirror.event_id, wanted=wanted, create_if_missing=is_due))
    delete += unseen.values()
    return Plan(create=tuple(create), adopt=tuple(adopt), update=tuple(update), delete=tuple(delete))


def find_marked(
    events: Iterable[CalendarEvent], *, installation_id: str, user_id: int
) -> dict[UUID, list[CalendarEvent]]:
    """Events by session that carry our marker AND were made by our own account (`user_id`), the oldest first.

    The host of the link does not matter: the events stay ours when the tool moves to another address.
    """
    marker = re.compile(
        rf"""href=["'][^"'\s]*/s/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})\?i={re.escape(installation_id)}["']""",
        re.IGNORECASE,
    )
    marked: dict[UUID, list[CalendarEvent]] = {}
    for event in sorted(events, key=lambda event: event.event_id):
        found = marker.search(html.unescape(event.description)) if event.user_id == user_id else None
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
    link = html.escape(f"{target.public_url}/s/{session.session_id}?i={target.installation_id}")
    lines.append(f'<a href="{link}">Session page</a>')
    return "".join(f"<p>{line}</p>" for line in lines)


def _when(session: Session) -> str:
    zone = ZoneInfo(session.zone)
    start, end = session.start_at.astimezone(zone), session.end_at.astimezone(zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_date(end)}, {end:%H:%M}"
    return f"{_date(start)}, {start:%H:%M} to {until} ({session.zone})"


def _date(local: datetime) -> str:
    return f"{local:%A}, {local.day} {local:%B %Y}"


def _date_has_passed(session: Session, now: datetime) -> bool:
    zone = ZoneInfo(session.zone)
    return now.astimezone(zone).date() > session.end_at.astimezone(zone).date()


def _fingerprint(draft: EventDraft) -> str:
    parts = (draft.name, draft.description, draft.start_at.isoformat(), str(draft.duration_minutes))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
