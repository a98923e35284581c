"""Pair what a calendar says with the sessions that we have. Pure: what is new, what changed, what to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from moodle_sync.pair_sessions import guess_pairs
from moodle_sync.read_calendar import Occurrence, Problem
from series.hand_edits import with_hand_edits
from series.people import University
from series.plans import Key, NewSession, Plan
from series.sessions import Field, Session, Status


@dataclass(frozen=True, kw_only=True)
class ImportPlan(Plan):
    """And what to look at."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What we have: the sessions of one series, the calendar entries that they were seen as, the universities."""

    series_id: UUID
    sessions: Mapping[UUID, Session]
    aliases: Mapping[Key, UUID]
    universities: tuple[University, ...]


def plan_import(
    occurrences: tuple[Occurrence, ...],
    known: Known,
    *,
    now: datetime,
    read_until: datetime | None = None,
    is_complete: bool = True,
    may_guess: bool = True,
) -> ImportPlan:
    """Sessions that have started are never changed.

    A session whose entry is gone is cancelled, if everything in the calendar could be read (`is_complete`), up to
    `read_until`; else it is kept and reported. With `may_guess`, new entries are first taken for those that are gone
    (`paired`).
    """
    ids = {key: known.aliases[key] for occurrence in occurrences if (key := _key(occurrence)) in known.aliases}
    moved = {key: id_ for key, id_ in _moved_single_events(occurrences, known, now).items() if key not in ids}
    seen = {*ids.values(), *moved.values()}
    gone = [one for one in _gone(known, seen, now) if read_until is None or one.end_at < read_until]
    unknown = [o for o in occurrences if _key(o) not in ids and _key(o) not in moved]
    ahead = [o for o in unknown if o.start_at > now]
    guessed = {_key(o): id_ for o, id_ in guess_pairs(ahead, gone)} if may_guess and is_complete else {}
    held = _held_already(known, seen, unknown, now)
    new: list[NewSession] = []
    changed: list[Session] = []
    problems: list[Problem] = []
    for occurrence in occurrences:
        key = _key(occurrence)
        session_id = ids.get(key) or moved.get(key) or guessed.get(key)
        if key in held:
            continue
        host = _host(occurrence, known.universities, problems)
        if session_id is None and occurrence.start_at <= now and known.sessions:
            problems.append(_problem(occurrence, "is new in the calendar and has begun already", "left out"))
            continue
        if session_id is None:
            new.append(NewSession(session=_new(occurrence, known.series_id, host), key=key))
            continue
        session = known.sessions[session_id]
        fresh = _refreshed(session, occurrence, host)
        if fresh == session:
            continue
        if session.start_at <= now:
            problems.append(_problem(occurrence, "was changed in the calendar after it had begun", "left as it was"))
        else:
            changed.append(fresh)
    for session in gone:
        if session.is_cancelled or session.session_id in guessed.values() or Field.STATUS in session.by_hand:
            continue
        if is_complete:
            changed.append(replace(session, status=Status.CANCELLED, sequence=session.sequence + 1))
        else:
            problems.append(_kept(session))
    return ImportPlan(
        new=tuple(new),
        changed=tuple(changed),
        rekeyed=(*moved.items(), *guessed.items(), *held.items()),
        paired=tuple(guessed.values()),
        problems=tuple(problems),
    )


def _held_already(known: Known, seen: set[UUID], unknown: list[Occurrence], now: datetime) -> dict[Key, UUID]:
    """Entries of another source, or with another UID, of sessions that are over: those stay as they were held."""
    over = [one for one in known.sessions.values() if one.start_at <= now and one.session_id not in seen]
    pairs = guess_pairs([occurrence for occurrence in unknown if occurrence.start_at <= now], over)
    return {_key(occurrence): session_id for occurrence, session_id in pairs}


def _key(occurrence: Occurrence) -> Key:
    return occurrence.source_uid, occurrence.original_start_at


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
        co_hosts=occurrence.co_hosts,
        speakers=occurrence.speakers,
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
    fresh = with_hand_edits(session, fresh)
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


def _gone(known: Known, seen: set[UUID], now: datetime) -> list[Session]:
    """Sessions to come that have no entry in the calendar (any more), but for those that a person has made."""
    return [
        session
        for session in known.sessions.values()
        if session.session_id not in seen and session.start_at > now and set(session.by_hand) != set(Field)
    ]


def _kept(session: Session) -> Problem:
    return Problem(
        event=session.title,
        line=None,
        fact="is not in the calendar, of which something could not be read",
        done="kept as it was",
    )


def _title(occurrence: Occurrence) -> str:
    return occurrence.title[:255] or "Untitled session"


def _problem(occurrence: Occurrence, fact: str, done: str) -> Problem:
    return Problem(event=_title(occurrence), line=None, fact=fact, done=done)
