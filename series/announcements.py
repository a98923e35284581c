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
class ReplannedSession:
    """`replanned_at`: when its time or status last changed; None: never. `known_since_at`: when the course came to show
    the series; None: nobody knows."""

    session: Session
    replanned_at: datetime | None
    known_since_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """One row. `began_at`: when posting it was last begun, so that it may be there. `set_by`: who set it aside or had
    it posted, as in the audit; None: the course's wish. `done_at`: when it was posted or set aside."""

    announcement_id: int
    course_id: int
    session_id: UUID
    about: str
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


def change_to_tell(replanned: ReplannedSession, rows: Sequence[Announcement], *, now: datetime) -> Change | None:
    """What the course does not know yet of a session to come. `rows`: of this course and session, in any order."""
    session = replanned.session
    if session.start_at <= now:
        return None
    told = sorted(filter(_is_told, rows), key=lambda row: (row.done_at or row.made_at, row.announcement_id))
    if told:
        return _after(session, told)
    if not _was_seen_before(replanned):
        return None
    if session.is_cancelled:
        return _change(ChangeKind.CANCELLED, session, None, told)
    if session.moved_from_at in {None, session.start_at}:
        return None
    return _change(ChangeKind.MOVED, session, session.moved_from_at, told)


def _is_told(row: Announcement) -> bool:
    return row.state in TOLD


def is_settled(replanned: ReplannedSession, *, now: datetime) -> bool:
    return replanned.replanned_at is not None and replanned.replanned_at + SETTLE <= now


def _was_seen_before(replanned: ReplannedSession) -> bool:
    """Whether the course knew the session as it was before its last change."""
    if replanned.replanned_at is None:
        return False
    return replanned.known_since_at is None or replanned.known_since_at <= replanned.replanned_at


def _after(session: Session, told: Sequence[Announcement]) -> Change | None:
    kind, at = _read(told[-1].about)
    was_at = None if _minute(session.start_at) == at else at
    if session.is_cancelled:
        return None if kind is ChangeKind.CANCELLED else _change(ChangeKind.CANCELLED, session, was_at, told)
    if kind is ChangeKind.CANCELLED:
        return _change(ChangeKind.RESTORED, session, was_at, told)
    return None if was_at is None else _change(ChangeKind.MOVED, session, was_at, told)


def _change(kind: ChangeKind, session: Session, was_at: datetime | None, told: Sequence[Announcement]) -> Change:
    """Moved there, away, and there once more are two changes that must not look the same."""
    base = f"{kind} {_minute(session.start_at):{_INSTANT}}"
    before = sum(row.about.split(" #")[0] == base for row in told)
    return Change(kind=kind, was_at=was_at, corrects=bool(told), about=f"{base} #{before + 1}" if before else base)


def _read(about: str) -> tuple[ChangeKind, datetime]:
    kind, instant, *_ = about.split(" ")
    return ChangeKind(kind), datetime.strptime(instant, _INSTANT).replace(tzinfo=UTC)


def _minute(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(second=0, microsecond=0)
