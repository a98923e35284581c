"""What another rule would do to a series that is under way."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from series.rule import CHECK_IN, CONFIRMED, Demand, Evidence, Kind, Outcome, Rule, Span
from series.rule_effect import Effect, Person, effect
from series.standing import SessionRecord
from tests.conftest import NOW

CODE_ONLY = Rule(ways=(CHECK_IN,), required=4)
WITH_CONFIRMATION = Rule(ways=(CHECK_IN, CONFIRMED), required=4)
DONE, RECORDED = Outcome(completed_at=NOW), Outcome(completed_at=NOW, by_recording=True)
AHEAD = UUID(int=9)


def record(number: int, outcome: Outcome, *, days: int = -1) -> SessionRecord:
    start_at = NOW + timedelta(days=days)
    return SessionRecord(
        session_id=UUID(int=number),
        span=Span(start_at=start_at, end_at=start_at + timedelta(hours=2)),
        is_cancelled=False,
        rule=CODE_ONLY,
        outcome=outcome,
    )


def person(*outcomes: Outcome, early: tuple[Evidence, ...] = ()) -> Person:
    """With eight sessions that are over, of which these are done, and one ahead."""
    outcomes = (*outcomes, *[Outcome()] * (8 - len(outcomes)))
    records = [record(number, outcome) for number, outcome in enumerate(outcomes)]
    return Person(records=(*records, record(AHEAD.int, Outcome(), days=1)), early={AHEAD: early})


def of(*people: Person, new: Rule, old: Rule = CODE_ONLY, followers: tuple[UUID, ...] = (AHEAD,)) -> Effect:
    return effect(people, old, new, followers=followers, now=NOW)


def numbers(found: Effect) -> tuple[int, int]:
    return found.complete_now, found.complete_then


def test_a_lower_number_completes_the_series_for_those_who_have_it() -> None:
    found = of(person(DONE, DONE, DONE), person(DONE), person(), new=Rule(ways=(CHECK_IN,), required=3))
    assert numbers(found) == (0, 1)


def test_by_a_higher_number_more_is_missing() -> None:
    assert numbers(of(person(*[DONE] * 4), person(*[DONE] * 8), new=Rule(ways=(CHECK_IN,), required=8))) == (2, 1)


def test_another_limit_on_recordings_counts_more_of_them() -> None:
    recording = (Demand(kind=Kind.RECORDING),)
    old, new = (Rule(ways=(CHECK_IN, recording), required=2, at_most_by_recording=limit) for limit in (1, 2))
    assert numbers(of(person(RECORDED, RECORDED), old=old, new=new, followers=())) == (0, 1)


CONFIRMATION = Evidence(evidence_id=1, kind=Kind.APPROVAL, observed_at=NOW)


def test_what_is_known_of_a_session_ahead_is_judged_by_the_new_rule() -> None:
    someone = person(DONE, DONE, DONE, early=(CONFIRMATION,))
    assert numbers(of(someone, new=WITH_CONFIRMATION)) == (0, 1)
    assert numbers(of(someone, new=WITH_CONFIRMATION, followers=())) == (0, 0), "it keeps a rule of its own"


def test_what_was_withdrawn_is_no_gain() -> None:
    retraction = replace(CONFIRMATION, evidence_id=2, retracts_evidence_id=1)
    someone = person(DONE, DONE, DONE, early=(CONFIRMATION, retraction))
    assert numbers(of(someone, new=WITH_CONFIRMATION)) == (0, 0)


def test_what_was_earned_stays_by_a_rule_that_would_not_give_it() -> None:
    earned = replace(person(), records=(record(AHEAD.int, DONE, days=1), record(1, DONE, days=-1)))
    assert numbers(of(earned, new=Rule(ways=(CHECK_IN,), required=4), old=WITH_CONFIRMATION)) == (1, 1)
