"""What completes a session and what score a course hears of: functions of a set, which only a retraction lowers."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from series.rule import Evidence, Kind, Rule, completed_at, score_of_series, score_of_session
from tests.conftest import NOW

RULE = Rule(any_of=(Kind.CODE, Kind.APPROVAL), required=10)
KINDS = st.sampled_from(Kind)
COUNTS = st.integers(min_value=0, max_value=40)


@st.composite
def evidence_of_one_session(draw: st.DrawFn, *, retractions: bool = True) -> list[Evidence]:
    """Facts with ids of their own; some withdraw an earlier one, or one that is not there."""
    facts: list[Evidence] = []
    for number in range(1, draw(st.integers(min_value=1, max_value=8)) + 1):
        withdraws = draw(st.none() | st.integers(min_value=1, max_value=9)) if retractions else None
        facts.append(
            Evidence(
                evidence_id=number,
                kind=draw(KINDS),
                observed_at=NOW + timedelta(minutes=draw(st.integers(min_value=-1000, max_value=1000))),
                retracts_evidence_id=None if withdraws == number else withdraws,
            )
        )
    return facts


def fact(evidence_id: int = 1, kind: Kind = Kind.CODE, *, minute: int = 0, retracts: int | None = None) -> Evidence:
    return Evidence(
        evidence_id=evidence_id,
        kind=kind,
        observed_at=NOW + timedelta(minutes=minute),
        retracts_evidence_id=retracts,
    )


# A session


@given(facts=evidence_of_one_session(), seed=st.integers())
def test_the_order_of_the_evidence_never_matters(facts: list[Evidence], seed: int) -> None:
    shuffled = random.Random(seed).sample(facts, len(facts))
    assert completed_at(shuffled, RULE) == completed_at(facts, RULE)


@given(facts=evidence_of_one_session(), again=st.lists(st.integers(min_value=0, max_value=7)))
def test_repetition_of_the_evidence_never_matters(facts: list[Evidence], again: list[int]) -> None:
    repeated = facts + [facts[number % len(facts)] for number in again]
    assert completed_at(repeated, RULE) == completed_at(facts, RULE)


@given(facts=evidence_of_one_session(), more=evidence_of_one_session(retractions=False))
def test_without_a_retraction_nobody_is_lowered(facts: list[Evidence], more: list[Evidence]) -> None:
    before = completed_at(facts, RULE)
    new = [fact(100 + one.evidence_id, one.kind, minute=one.evidence_id) for one in more]
    after = completed_at(facts + new, RULE)
    assert before is None or (after is not None and after <= before)


@given(facts=evidence_of_one_session(retractions=False))
def test_the_retraction_of_every_fact_leaves_nothing(facts: list[Evidence]) -> None:
    retractions = [fact(100 + one.evidence_id, Kind.APPROVAL, retracts=one.evidence_id) for one in facts]
    assert completed_at(facts + retractions, RULE) is None


def test_without_evidence_a_session_is_not_completed() -> None:
    assert completed_at([], RULE) is None


def test_a_session_is_completed_when_the_first_fact_that_counts_was_observed() -> None:
    facts = [fact(1, minute=5), fact(2, Kind.APPROVAL, minute=3), fact(3, Kind.LIVE, minute=1)]
    assert completed_at(facts, RULE) == NOW + timedelta(minutes=3)


def test_evidence_of_another_kind_than_the_rule_names_completes_nothing() -> None:
    others = [fact(number, kind) for number, kind in enumerate(Kind) if kind not in RULE.any_of]
    assert others
    assert completed_at(others, RULE) is None


def test_a_retraction_lowers_what_rested_on_the_withdrawn_fact_alone() -> None:
    assert completed_at([fact(1), fact(2, retracts=1)], RULE) is None


def test_a_retraction_of_one_fact_leaves_what_the_others_prove() -> None:
    facts = [fact(1, minute=1), fact(2, Kind.APPROVAL, minute=9), fact(3, retracts=1)]
    assert completed_at(facts, RULE) == NOW + timedelta(minutes=9)


def test_a_retraction_is_no_evidence_itself() -> None:
    assert completed_at([fact(1, Kind.APPROVAL, retracts=99)], RULE) is None


def test_a_session_scores_one_of_one() -> None:
    done, not_done = score_of_session(is_complete=True), score_of_session(is_complete=False)
    assert (done.given, done.maximum) == (1, 1)
    assert (not_done.given, not_done.maximum) == (0, 1)


# The series: k of n


def score(completed: int, held: int, required: int = 10) -> tuple[int, int]:
    found = score_of_series(completed=completed, held=held, rule=Rule(required=required))
    return found.given, found.maximum


def test_the_series_scores_k_of_the_required_ones() -> None:
    assert score(completed=3, held=13) == (3, 10)


def test_more_than_required_is_full_and_no_more() -> None:
    assert score(completed=12, held=13) == (10, 10)


def test_a_cancellation_that_leaves_enough_sessions_changes_nothing() -> None:
    assert score(completed=3, held=12) == score(completed=3, held=13)


def test_when_fewer_are_left_than_required_all_that_are_left_are_enough() -> None:
    assert score(completed=8, held=9) == (8, 9)
    assert score(completed=9, held=9) == (9, 9)


def test_a_completion_of_a_session_that_was_cancelled_later_still_counts() -> None:
    assert score(completed=9, held=8) == (8, 8)


def test_a_series_without_sessions_has_a_maximum_that_a_gradebook_takes() -> None:
    assert score(completed=0, held=0) == (0, 1)


@given(completed=COUNTS, held=COUNTS, required=COUNTS)
def test_a_score_lies_between_nothing_and_its_maximum(completed: int, held: int, required: int) -> None:
    given_, maximum = score(completed, held, required)
    assert 0 <= given_ <= maximum
    assert maximum >= 1


@given(completed=COUNTS, held=COUNTS, required=COUNTS)
def test_a_further_completion_never_lowers_the_score(completed: int, held: int, required: int) -> None:
    assert score(completed + 1, held, required) >= score(completed, held, required)


@given(completed=COUNTS, held=COUNTS, required=COUNTS)
def test_a_cancellation_never_lowers_the_share(completed: int, held: int, required: int) -> None:
    given_, maximum = score(completed, held + 1, required)
    given_after, maximum_after = score(completed, held, required)
    assert given_after / maximum_after >= given_ / maximum
