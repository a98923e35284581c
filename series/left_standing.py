"""What stands of a session after facts came or went, where its plan or rule has changed meanwhile. Pure functions.

What was earned stays, unless what it rests on is withdrawn. `stored`: what stands so far; the others: what `judge`
makes of the facts by the rule and the span of now.
"""

from collections.abc import Collection
from dataclasses import replace

from series.rule import Evidence, Kind, Outcome, SessionRule


def after_adding(stored: Outcome, before: Outcome, after: Outcome) -> Outcome:
    """`before`, `after`: without and with what was added."""
    if stored.completed_at is None or _is_same(stored, before):
        return after
    return _at_least(stored, after)


def after_withdrawal(
    stored: Outcome,
    before: Outcome,
    after: Outcome,
    left: Collection[Evidence],
    *,
    rule: SessionRule,
    withdrawn: Kind,
) -> Outcome:
    """`before`, `after`: with and without the fact of the kind `withdrawn`; `left`: the facts that still count.

    A completion is as old as one of the facts that made it, by whatever rule: so it can stand without the others as
    long as there is one of that moment. But not when a kind that the rule demands is gone, and no way has all of its
    kinds any more, whatever amounts and windows have become.
    """
    if stored.completed_at is None or _is_same(stored, before):
        return after
    kinds = {fact.kind for fact in left}
    rests_on_it = rule.counts(withdrawn) and not any(all(demand.kind in kinds for demand in way) for way in rule.ways)
    if rests_on_it or all(fact.observed_at != stored.completed_at for fact in left):
        return after
    return _at_least(stored, after)


def after_change(stored: Outcome, judged: Outcome) -> Outcome:
    """After anything else: another plan, another rule, facts of a person who was known twice."""
    if stored.completed_at is None or judged.completed_at is None:
        return judged if stored.completed_at is None else stored
    return replace(_at_least(stored, judged), completed_at=min(stored.completed_at, judged.completed_at))


def _is_same(one: Outcome, other: Outcome) -> bool:
    return (one.completed_at, one.by_recording) == (other.completed_at, other.by_recording)


def _at_least(stored: Outcome, judged: Outcome) -> Outcome:
    """More than by its recording, if it is completed in another way as well."""
    if judged.completed_at is None:
        return stored
    return replace(stored, by_recording=stored.by_recording and judged.by_recording)
