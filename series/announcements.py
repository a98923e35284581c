"""Which change of a session a course is to be told, once each. Pure: reads no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from series.sessions import Session

SETTLE = timedelta(minutes=5)
"""So long after the session's change it is posted by itself: a slip is not mailed to a thousand students."""
_INSTANT = "%Y-%m-%dT%H:%MZ"


class ChangeKind(StrEnum):
    MOVED = "moved"
    CANCELLED = "cancelled"
    RESTORED = "restored"  # takes place after all


class State(StrEnum):
    DUE = "due"  # the worker is to post it
    POSTED = "posted"
    FAILED = "failed"  # not tried again by itself
    SET_ASIDE = "set_aside"  # a person has told the course
    LEFT = "left"  # older than the course's wish to have such things posted: left to a person


TOLD = frozenset({State.POSTED, State.SET_ASIDE})


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a session was before it first changed in a course's time."""

    is_cancelled: bool
    start_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReplannedSession:
    """`replanned_at`: when its time or status last changed; None: nobody knows. `seen` None: it has not changed since
    the course came to show it."""

    session: Session
    replanned_at: datetime | None
    seen: Seen | None


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """One row. `token`: its mark in the forum. `began_at`: when posting it was last begun, so that it may be there.
    `set_by`: who set it aside or had it posted, as in the audit; None: the course's wish. `done_at`: when it was posted
    or set aside."""

    announcement_id: int
    course_id: int
    session_id: UUID
    about: str
    token: str
    state: State
    attempts: int
    began_at: datetime | None
    next_at: datetime | None
    discussion_id: int | None
    problem: str | None
    set_by: str | None
    made_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """`was_at`: when the course believes the session to begin, if that is another time. `corrects`: the course was told
    something else of this session before. `about`: tells this change from all others of the session."""

    kind: ChangeKind
    was_at: datetime | None
    corrects: bool
    about: str


@dataclass(frozen=True, kw_only=True)
class _Belief:
    """How the course believes a session to be. `is_ours`: an announcement says or may have said so."""

    is_cancelled: bool
    start_at: datetime
    is_ours: bool


def change_to_tell(replanned: ReplannedSession, rows: Sequence[Announcement], *, now: datetime) -> Change | None:
    """What the course does not know yet of a session to come. `rows`: of this course and session, in any order."""
    session = replanned.session
    if session.start_at <= now:
        return None
    spoken = sorted(filter(_may_be_known, rows), key=lambda row: (_spoken_at(row), row.announcement_id))
    belief = _belief(replanned, spoken)
    if belief is None:
        return None
    kind = _kind(belief, session)
    if kind is None:
        return None
    was_at = None if belief.start_at == _minute(session.start_at) else belief.start_at
    corrects = belief.is_ours or any(map(_is_told, spoken))
    return Change(kind=kind, was_at=was_at, corrects=corrects, about=_about(kind, session, spoken))


def _is_told(row: Announcement) -> bool:
    return row.state in TOLD


def is_perhaps_told(row: Announcement) -> bool:
    """Given up, and nobody knows whether it is in the forum."""
    return row.state is State.FAILED and row.began_at is not None


def _may_be_known(row: Announcement) -> bool:
    """LEFT: the course has seen the session so, in its calendar and on our pages, though nobody said a word."""
    return _is_told(row) or is_perhaps_told(row) or row.state is State.LEFT


def _spoken_at(row: Announcement) -> datetime:
    """A posting counts from when it was begun, also if it is found much later."""
    said_at = row.done_at if row.state is State.SET_ASIDE else row.began_at or row.done_at
    return said_at or row.made_at


def _belief(replanned: ReplannedSession, spoken: Sequence[Announcement]) -> _Belief | None:
    """By the last that was told, or that is no longer so: what still is so, and perhaps was not told, is to be told."""
    for row in reversed(spoken):
        kind, at = _read(row.about)
        said = _Belief(is_cancelled=kind is ChangeKind.CANCELLED, start_at=at, is_ours=row.state is not State.LEFT)
        if _is_told(row) or not _is_so(said, replanned.session):
            return said
    seen = replanned.seen
    if seen is None:
        return None
    return _Belief(is_cancelled=seen.is_cancelled, start_at=_minute(seen.start_at), is_ours=False)


def _is_so(belief: _Belief, session: Session) -> bool:
    return (belief.is_cancelled, belief.start_at) == (session.is_cancelled, _minute(session.start_at))


def _kind(belief: _Belief, session: Session) -> ChangeKind | None:
    if session.is_cancelled:
        return None if belief.is_cancelled else ChangeKind.CANCELLED
    if belief.is_cancelled:
        return ChangeKind.RESTORED
    return None if _is_so(belief, session) else ChangeKind.MOVED


def _about(kind: ChangeKind, session: Session, spoken: Sequence[Announcement]) -> str:
    """Moved there, away, and there once more are two changes that must not look the same."""
    base = f"{kind} {_minute(session.start_at):{_INSTANT}}"
    told = [number for number, row in enumerate(spoken) if _is_told(row)]
    over = spoken[: told[-1] + 1] if told else ()
    before = sum(row.about.split(" #")[0] == base for row in over)
    return f"{base} #{before + 1}" if before else base


def is_settled(replanned: ReplannedSession, *, now: datetime) -> bool:
    return replanned.replanned_at is not None and replanned.replanned_at + SETTLE <= now


def _read(about: str) -> tuple[ChangeKind, datetime]:
    kind, instant, *_ = about.split(" ")
    return ChangeKind(kind), datetime.strptime(instant, _INSTANT).replace(tzinfo=UTC)


def _minute(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(second=0, microsecond=0)
