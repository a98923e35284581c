"""What another rule would do to a series that is under way. Pure functions; numbers of people, and never who."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from series.rule import Evidence, Rule, SessionRule, judge
from series.standing import SessionRecord, Standing, standing


class Share(StrEnum):
    """How far somebody is, from the most to the least."""

    ALL = "all"
    HALF = "half"
    SOME = "some"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who has brought evidence: every session as it stands for them, and the facts of those that have not
    started."""

    records: tuple[SessionRecord, ...]
    early: Mapping[UUID, tuple[Evidence, ...]]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """People by their share, now and then; and how many of them get more. Nobody is lowered in a gradebook, so
    `less` are those who keep more there than the numbers would give."""

    people: int
    now: Mapping[Share, int]
    then: Mapping[Share, int]
    more: int
    less: int


def effect(people: Iterable[Person], old: Rule, new: Rule, *, followers: Collection[UUID], now: datetime) -> Effect:
    """Of `new` in place of `old` for the series; `followers` are the sessions that would follow it."""
    before, after = Counter[Share](), Counter[Share]()
    more = less = 0
    for person in people:
        was = standing(person.records, old, now)
        then = standing(
            [_by(new, record, person) if record.session_id in followers else record for record in person.records],
            new,
            now,
        )
        before[share_of(was)] += 1
        after[share_of(then)] += 1
        more += _is_more(then, was)
        less += _is_more(was, then)
    return Effect(people=before.total(), now=before, then=after, more=more, less=less)


def share_of(found: Standing) -> Share:
    if found.is_complete:
        return Share.ALL
    if found.done == 0:
        return Share.NONE
    return Share.HALF if 2 * found.done >= found.required else Share.SOME


def _by(rule: SessionRule, record: SessionRecord, person: Person) -> SessionRecord:
    """The record of a session that has not started, by another rule. What was earned stays."""
    outcome = judge(person.early.get(record.session_id, ()), rule, record.span)
    if outcome.completed_at is None and record.outcome.completed_at is not None:
        outcome = record.outcome
    return replace(record, rule=SessionRule(ways=rule.ways), outcome=outcome)


def _is_more(one: Standing, other: Standing) -> bool:
    return one.score.given * other.score.maximum > other.score.given * one.score.maximum
