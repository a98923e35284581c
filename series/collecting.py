"""What a Moodle says of who has completed what, against what is known of it: what is new, what is taken back, and when
that is so much that a person must say yes first. Pure functions.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

BRAKE_FROM = 5  # people; more than these
BRAKE_PERCENT = 30
BRAKE_FOR_ALL = 3  # people; from these on, where it is all of them
BRAKE_WITHIN = timedelta(days=1)
WAITS_AFTER_THE_END = timedelta(days=60)  # of a series, for somebody whom nobody knows here
REMOVED = "The activity was taken from the list of those that count, together with what it gave."
ACCESS_OVERLAP = timedelta(minutes=3)  # Moodle writes a visit down once a minute, by its own clock
CLOCKS_DIFFER = timedelta(minutes=5)  # Moodle's and ours, at most
_ALMOST = 1e-4  # gradebooks keep five decimals


class Source(StrEnum):
    """From where a fact about a course's activity comes: the source of its evidence."""

    ACTIVITY = "activity"  # one that counts for a session
    OVERRIDE = "override"  # a teacher has set the completion of our own activity
    GRADE = "grade"  # a teacher has typed a grade over ours


Key = tuple[int, Source]
"""A thing that may complete a session for somebody. The number is a course module's, of a grade our placement's."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What Moodle says of one person and one thing. `changed_at`: since when, in Moodle's time; None: it does not say.
    `by`: user id there of the teacher who has set it."""

    key: Key
    session_id: UUID
    is_complete: bool
    changed_at: datetime | None
    by: str | None = None

    @property
    def changed_s(self) -> int:
        """0 where it is not known."""
        return 0 if self.changed_at is None else int(self.changed_at.timestamp())


@dataclass(frozen=True, kw_only=True)
class Known:
    """What Moodle last said. `evidence_id`: what came of it; None where nobody knows yet whom it is about, and where it
    was taken back. `by`: as of Said."""

    session_id: UUID
    is_complete: bool
    changed_at: datetime
    evidence_id: int | None
    by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Of one person. `forgotten`: what has waited for them to become known, and is no longer so. `standing`: what is
    complete as it was."""

    completed: tuple[Said, ...] = ()
    taken_back: tuple[Said, ...] = ()
    forgotten: tuple[Said, ...] = ()
    standing: tuple[Said, ...] = ()


def changes_of(said: Iterable[Said], known: Mapping[Key, Known]) -> Changes:
    """What is not said changes nothing: who is no longer enrolled, and what can no longer be seen, loses nothing. Nor
    does it when a thing is complete anew: a better grade, a mark set once more."""
    completed, taken_back, forgotten, standing = (list[Said]() for _ in range(4))
    for one in said:
        before = known.get(one.key)
        was_complete = before is not None and before.is_complete and before.session_id == one.session_id
        if one.is_complete:
            (standing if was_complete else completed).append(one)
        elif was_complete and before is not None:
            (forgotten if before.evidence_id is None else taken_back).append(one)
    return Changes(
        completed=tuple(completed),
        taken_back=tuple(taken_back),
        forgotten=tuple(forgotten),
        standing=tuple(standing),
    )


def is_held(people: int, *, of: int) -> bool:
    """Whether so many would lose something within a day, of those whom the course's activities have given anything,
    that it may be a mistake: completion reset, or an activity made anew."""
    return (people >= BRAKE_FOR_ALL and people == of) or (people > BRAKE_FROM and people * 100 > of * BRAKE_PERCENT)


def moved_since(last_access_at: datetime | None, previous_at: datetime) -> bool:
    """Whether somebody may have done something since the last reading began."""
    return last_access_at is not None and last_access_at >= previous_at - ACCESS_OVERLAP


@dataclass(frozen=True, kw_only=True)
class SentScore:
    """A score of ours that has left for a gradebook's cell, as part of the full grade. `score_at`: its time for the
    gradebook, which takes nothing older. `delivered_at` None: it may have arrived, or still will."""

    part: float
    score_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Graded:
    """What a gradebook holds for one person, as part of the full grade; and since when, if it says so."""

    part: float
    changed_at: datetime | None


def possible_echoes(sent: Collection[SentScore], *, read_at: datetime) -> list[SentScore]:
    """What of it a gradebook may hold that was read then: what had arrived last, and all that came later, or may have.
    What had arrived before has been replaced: if it is there again, somebody else has put it there."""
    arrived = [one.score_at for one in sent if one.delivered_at is not None and one.delivered_at <= read_at]
    return [one for one in sent if not arrived or one.score_at >= max(arrived)]


def is_echo(graded: Graded, sent: Iterable[SentScore]) -> bool:
    """Whether it is one of these."""
    return any(_is_same(graded.part, one.part) for one in sent)


def said_by_grade(
    graded: Graded, sent: Collection[SentScore], known: Known | None, *, placement_id: int, session_id: UUID
) -> Said | None:
    """What a teacher has said with the grade of one session: that it is complete, or no longer; None where they have
    said nothing, or it is what we have sent. `sent`: possible_echoes.

    Once a teacher's grade stands, only what we have sent since then can be our echo: theirs had taken its place. And a
    full grade that is older than what has arrived since is no news: the gradebook has kept it, whatever we sent.
    """
    is_full = graded.part >= 1 - _ALMOST
    stands = known is not None and known.is_complete
    if stands and known is not None:
        sent = [one for one in sent if one.delivered_at is None or one.delivered_at >= known.changed_at]
    if (stands == is_full) or is_echo(graded, sent) or (is_full and _is_stale(graded, sent)):
        return None
    return Said(
        key=(placement_id, Source.GRADE), session_id=session_id, is_complete=is_full, changed_at=graded.changed_at
    )


def _is_stale(graded: Graded, sent: Iterable[SentScore]) -> bool:
    """By two clocks."""
    at = graded.changed_at
    return at is not None and any(one.delivered_at is not None and at < one.score_at - CLOCKS_DIFFER for one in sent)


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) < _ALMOST


def held_in_words(people: int) -> str:
    who = "1 person" if people == 1 else f"{people} people"
    return (
        f"Moodle takes back what {who} had completed, which may be a mistake; nothing was taken back until an"
        " instructor says yes on the course's page."
    )
