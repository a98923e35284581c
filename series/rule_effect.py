"""What another rule would do to a series that is under way. Pure functions; numbers of people, and never who."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from series.rule import Evidence, Rule, SessionRule, judge
from series.standing import SessionRecord, standing


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who has brought evidence: every session as it stands for them, and the facts of those that have not
    started."""

    records: tuple[SessionRecord, ...]
    early: Mapping[UUID, tuple[Evidence, ...]]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How many people have all that the series demands, now and then. No other number: with parts and their sum, and by
    trying one rule after the other, small groups could be worked out."""

    complete_now: int
    complete_then: int


def effect(people: Iterable[Person], old: Rule, new: Rule, *, followers: Collection[UUID], now: datetime) -> Effect:
    """Of `new` in place of `old` for the series; `followers` are the sessions that would follow it."""
    before = after = 0
    for person in people:
        then = [_by(new, record, person) if record.session_id in followers else record for record in person.records]
        before += standing(person.records, old, now).is_complete
        after += standing(then, new, now).is_complete
    return Effect(complete_now=before, complete_then=after)


def _by(rule: SessionRule, record: SessionRecord, person: Person) -> SessionRecord:
    """The record of a session that has not started, by another rule. What was earned stays."""
    outcome = judge(person.early.get(record.session_id, ()), rule, record.span)
    if outcome.completed_at is None and record.outcome.completed_at is not None:
        outcome = record.outcome
    return replace(record, rule=SessionRule(ways=rule.ways), outcome=outcome)
