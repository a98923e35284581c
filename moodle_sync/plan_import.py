"""Pair what a calendar says with the sessions that we have. Pure: what is new, what changed, what to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from moodle_sync.pair_sessions import guess_pairs
from moodle_sync.read_calendar import Occurrence, Problem
from series.hand_edits import with_hand_edits
from series.join_links import JoinPlaces, host_in
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
    join_places: JoinPlaces = field(default_factory=JoinPlaces)


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
    pairs = _pair(occurrences, known, now=now, read_until=read_until, may_guess=may_guess)
    found = _Found(known=known, now=now)
    for occurrence in sorted(occurrences, key=lambda each: pairs.differs(each, known)):
        if _key(occurrence) not in pairs.over:
            found.take(occurrence, pairs.session_of(occurrence))
    for session in pairs.gone:
        if not (
            session.is_cancelled or session.session_id in pairs.guessed.values() or Field.STATUS in session.by_hand
        ):
            found.take_gone(session, is_complete=is_complete)
    return ImportPlan(
        new=tuple(found.new),
        changed=tuple(found.changed),
        rekeyed=(*pairs.moved.items(), *pairs.guessed.items(), *pairs.over.items()),
        paired=tuple(pairs.guessed.values()),
        problems=tuple(found.problems),
    )


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Which session each entry stands for. `over`: entries of sessions that were held, which stay as they are; `gone`:
    sessions to come without an entry, also those that are `guessed`."""

    known: Mapping[Key, UUID]
    moved: Mapping[Key, UUID]
    guessed: Mapping[Key, UUID]
    over: Mapping[Key, UUID]
    gone: list[Session]

    def session_of(self, occurrence: Occurrence) -> UUID | None:
        key = _key(occurrence)
        return self.known.get(key) or self.moved.get(key) or self.guessed.get(key)

    def differs(self, occurrence: Occurrence, known: Known) -> bool:
        """False, which comes first, for the entry that says what we have: of two for one session it is that one."""
        session_id = self.session_of(occurrence)
        session = known.sessions[session_id] if session_id else None
        return session is None or (occurrence.start_at, occurrence.cancelled) != (
            session.start_at,
            session.is_cancelled,
        )


@dataclass(kw_only=True)
class _Found:
    """What the plan is made of; grows entry by entry."""

    known: Known
    now: datetime
    new: list[NewSession] = field(default_factory=list)
    changed: list[Session] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    given: set[UUID] = field(default_factory=set)

    def take(self, occurrence: Occurrence, session_id: UUID | None) -> None:
        host = _host(occurrence, self.known.universities, self.problems)
        if session_id is not None and session_id in self.given:
            self.problems.append(_problem(occurrence, "is a second entry for one session", "left out"))
        elif session_id is not None:
            self.given.add(session_id)
            self._take_known(occurrence, self.known.sessions[session_id], host)
        elif occurrence.start_at <= self.now and self.known.sessions:
            self.problems.append(_problem(occurrence, "is new in the calendar and has begun already", "left out"))
        else:
            made = self._with_allowed_link(_new(occurrence, self.known.series_id, host), None)
            self.new.append(NewSession(session=made, key=_key(occurrence)))

    def _take_known(self, occurrence: Occurrence, session: Session, host: University | None) -> None:
        fresh = _counted(session, self._with_allowed_link(_refreshed(session, occurrence, host), session))
        if fresh == session:
            return
        if session.start_at <= self.now:
            fact = "was changed in the calendar after it had begun"
        elif fresh.start_at <= self.now:
            fact = "was moved into the past"
        else:
            self.changed.append(fresh)
            return
        self.problems.append(_problem(occurrence, fact, "left as it was"))

    def _with_allowed_link(self, fresh: Session, session: Session | None) -> Session:
        """A link to where no meeting of this series may be is not taken over: the one that there was stays."""
        before = session.join_url if session else None
        is_taken = fresh.join_url in (None, before) or self.known.join_places.allow(fresh.join_url or "")
        if session is not None and session.start_at <= self.now:  # too late for any change, and so for words about it
            join_url = fresh.join_url if is_taken else before
            return replace(fresh, join_url=join_url, refused_join_host=session.refused_join_host)
        if is_taken:
            return replace(fresh, refused_join_host=None)
        refused = host_in(fresh.join_url) or ""
        done = "the old link stays" if before else "left without a link"
        fact = f"has a join link to {refused}, where no meeting of this series may be"
        self.problems.append(Problem(event=fresh.title, line=None, fact=fact, done=done))
        return replace(fresh, join_url=before, refused_join_host=refused)

    def take_gone(self, session: Session, *, is_complete: bool) -> None:
        if is_complete:
            self.changed.append(replace(session, status=Status.CANCELLED, sequence=session.sequence + 1))
        else:
            self.problems.append(_kept(session))


def _pair(
    occurrences: tuple[Occurrence, ...],
    known: Known,
    *,
    now: datetime,
    read_until: datetime | None,
    may_guess: bool,
) -> _Pairs:
    ids = {key: known.aliases[key] for occurrence in occurrences if (key := _key(occurrence)) in known.aliases}
    moved = {key: id_ for key, id_ in _moved_single_events(occurrences, known, now).items() if key not in ids}
    seen = {*ids.values(), *moved.values()}
    gone = [one for one in _gone(known, seen, now) if read_until is None or one.end_at < read_until]
    unknown = [each for each in occurrences if _key(each) not in ids and _key(each) not in moved]
    ahead = [each for each in unknown if each.start_at > now]
    return _Pairs(
        known=ids,
        moved=moved,
        guessed={_key(each): session_id for each, session_id in guess_pairs(ahead, gone)} if may_guess else {},
        over=_held_already(known, seen, unknown, now),
        gone=gone,
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
        copied_from_id=session.copied_from_id,
    )
    fresh = replace(fresh, **{name: getattr(session, name) for name in occurrence.silent_on})
    return with_hand_edits(session, fresh)


def _counted(session: Session, fresh: Session) -> Session:
    """With the sequence that the feeds show, which grows with what matters to a calendar."""
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
        if session.session_id not in seen and session.start_at > now and not session.is_own
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
