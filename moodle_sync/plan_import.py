"""Pair what a calendar says with the sessions that we have. Pure: what is new, what changed, what to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from moodle_sync.read_calendar import Occurrence, Problem
from series.people import University
from series.sessions import Session, Status

Key = tuple[str, datetime]  # UID and original start


@dataclass(frozen=True, kw_only=True)
class NewSession:
    session: Session
    key: Key


@dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """Nothing in it means that the calendar says what we have. `rekeyed`: single events that were moved in the source,
    which gives them another original start."""

    new: tuple[NewSession, ...]
    changed: tuple[Session, ...]
    rekeyed: tuple[tuple[Key, UUID], ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What we have: the sessions of one series, the calendar entries that they were seen as, the universities."""

    series_id: UUID
    sessions: Mapping[UUID, Session]
    aliases: Mapping[Key, UUID]
    universities: tuple[University, ...]


def plan_import(occurrences: tuple[Occurrence, ...], known: Known, *, now: datetime) -> ImportPlan:
    """Sessions that have started are never changed; one that vanished from the calendar is kept and reported."""
    new: list[NewSession] = []
    changed: list[Session] = []
    rekeyed: list[tuple[Key, UUID]] = []
    problems: list[Problem] = []
    moved = _moved_single_events(occurrences, known, now)
    seen: set[UUID] = set()
    for occurrence in occurrences:
        key = (occurrence.source_uid, occurrence.original_start_at)
        session_id = known.aliases.get(key)
        if session_id is None and key in moved:
            session_id = moved[key]
            rekeyed.append((key, session_id))
        host = _host(occurrence, known.universities, problems)
        if session_id is None:
            new.append(NewSession(session=_new(occurrence, known.series_id, host), key=key))
            continue
        seen.add(session_id)
        session = known.sessions[session_id]
        fresh = _refreshed(session, occurrence, host)
        if fresh == session:
            continue
        if session.start_at <= now:
            problems.append(_problem(occurrence, "was changed in the calendar after it had begun", "left as it was"))
        else:
            changed.append(fresh)
    problems += _vanished(known, seen, now)
    return ImportPlan(new=tuple(new), changed=tuple(changed), rekeyed=tuple(rekeyed), problems=tuple(problems))


def _moved_single_events(occurrences: tuple[Occurrence, ...], known: Known, now: datetime) -> dict[Key, UUID]:
    """A single event's original start is its start: when its organiser moves it, only the UID stays the same. One that
    was held and now lies ahead was not moved but is used again."""
    now_there = Counter(occurrence.source_uid for occurrence in occurrences)
    before: dict[str, set[UUID]] = {}
    for (uid, _), session_id in known.aliases.items():
        before.setdefault(uid, set()).add(session_id)
    paired = {
        (o.source_uid, o.original_start_at): (next(iter(before[o.source_uid])), o.start_at)
        for o in occurrences
        if now_there[o.source_uid] == 1 and len(before.get(o.source_uid, ())) == 1
    }
    return {
        key: session_id
        for key, (session_id, start_at) in paired.items()
        if not known.sessions[session_id].start_at <= now < start_at
    }


def _host(occurrence: Occurrence, universities: tuple[University, ...], problems: list[Problem]) -> University | None:
    name = occurrence.hosting_university
    if name is None:
        return None
    found = next((u for u in universities if name.casefold() in {u.name.casefold(), u.slug.casefold()}), None)
    if found is None:
        problems.append(_problem(occurrence, f"names the unknown hosting university {name[:80]}", "read without it"))
    return found


def _new(occurrence: Occurrence, series_id: UUID, host: University | None) -> Session:
    moved = occurrence.start_at != occurrence.original_start_at
    return Session(
        session_id=uuid4(),
        series_id=series_id,
        title=_title(occurrence),
        description=occurrence.description,
        hosting_university=host.name if host else None,
        hosting_university_id=host.university_id if host else None,
        join_url=occurrence.join_url,
        start_at=occurrence.start_at,
        end_at=occurrence.end_at,
        wall_start=occurrence.wall_start,
        zone=occurrence.zone,
        status=Status.CANCELLED if occurrence.cancelled else Status.PLANNED,
        moved_from_at=occurrence.original_start_at if moved else None,
        sequence=0,
    )


def _refreshed(session: Session, occurrence: Occurrence, host: University | None) -> Session:
    fresh = replace(
        _new(occurrence, session.series_id, host),
        session_id=session.session_id,
        moved_from_at=_moved_from(session, occurrence),
        sequence=session.sequence,
    )
    matters = (fresh.start_at, fresh.end_at, fresh.status, fresh.join_url)
    if matters != (session.start_at, session.end_at, session.status, session.join_url):
        fresh = replace(fresh, sequence=session.sequence + 1)
    return fresh


def _moved_from(session: Session, occurrence: Occurrence) -> datetime | None:
    """When it would have been: for a date of a series its original start, else where it was before."""
    if occurrence.start_at == session.start_at:
        return session.moved_from_at
    original = session.moved_from_at or session.start_at
    return None if occurrence.start_at == original else original


def _vanished(known: Known, seen: set[UUID], now: datetime) -> list[Problem]:
    return [
        Problem(
            event=session.title,
            line=None,
            fact="is no longer in the calendar",
            done="kept; to cancel it, mark it as cancelled in the calendar",
        )
        for session in known.sessions.values()
        if session.session_id not in seen and not session.is_cancelled and session.start_at > now
    ]


def _title(occurrence: Occurrence) -> str:
    return occurrence.title[:255] or "Untitled session"


def _problem(occurrence: Occurrence, fact: str, done: str) -> Problem:
    return Problem(event=_title(occurrence), line=None, fact=fact, done=done)
