"""A course's own number of sessions for its own grade: what may be set, and what it changes. Pure functions."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from series.rule import Rule
from series.sessions import Session
from series.standing import CourseCount, SessionRecord, Standing, standing


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How many people have which part of the full grade, in percent, before and after; the most first."""

    before: Mapping[int, int]
    after: Mapping[int, int]

    @property
    def shares(self) -> list[int]:
        return sorted({*self.before, *self.after}, reverse=True)


class CountProblem(StrEnum):
    """Why a course's own number cannot be set, in words."""

    SESSION_GONE = "One of the chosen sessions is not in this series any more: please choose once more."
    NOTHING_CHOSEN = "Please choose at least one session."
    NOTHING_DEMANDED = "At least one session has to be completed."
    MORE_THAN_CHOSEN = "Fewer sessions are chosen than are demanded: please demand fewer, or choose more of them."
    HARDER = (
        "One of these sessions has started, so people rely on what was said: fewer sessions may be demanded now,"
        " and more of them counted, but not the other way round."
    )


def problem_of_count(count: CourseCount, sessions: Collection[Session]) -> CountProblem | None:
    """What is wrong with it, or None."""
    there_are = len(_chosen(count, sessions))
    if count.session_ids is not None and there_are < len(count.session_ids):
        return CountProblem.SESSION_GONE
    if not there_are:
        return CountProblem.NOTHING_CHOSEN
    if count.required < 1:
        return CountProblem.NOTHING_DEMANDED
    if count.required > there_are:
        return CountProblem.MORE_THAN_CHOSEN
    return None


def has_begun(count: CourseCount, sessions: Iterable[Session], now: datetime) -> bool:
    """Whether one of the sessions that it counts has started."""
    return any(session.start_at <= now for session in _chosen(count, sessions))


def is_harder_count(new: CourseCount, old: CourseCount, sessions: Sequence[Session]) -> bool:
    """Whether somebody may have less by the new one: more is demanded, or a session is missing from it."""
    missing = {one.session_id for one in _chosen(old, sessions)} - {one.session_id for one in _chosen(new, sessions)}
    return bool(missing) or new.required > old.required or _demanded(new, sessions) > _demanded(old, sessions)


def effect_of(
    people: Iterable[Sequence[SessionRecord]], rule: Rule, now: datetime, old: CourseCount | None, new: CourseCount
) -> Effect:
    """`people`: the records of each."""
    records = list(people)
    return Effect(
        before=Counter(share(standing(one, rule, now, old)) for one in records),
        after=Counter(share(standing(one, rule, now, new)) for one in records),
    )


def share(found: Standing) -> int:
    """In whole percent, rounded down: only who has everything has 100."""
    return found.score.given * 100 // found.score.maximum


def _chosen(count: CourseCount, sessions: Iterable[Session]) -> list[Session]:
    return [one for one in sessions if count.session_ids is None or one.session_id in count.session_ids]


def _demanded(count: CourseCount, sessions: Sequence[Session]) -> int:
    """Of the sessions that are left."""
    return min(count.required, sum(1 for one in _chosen(count, sessions) if not one.is_cancelled))
