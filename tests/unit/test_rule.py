"""What completes a session and what score a course hears of: functions of a set, which only a retraction lowers."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.rule import (
    CHECK_IN,
    CONFIRMED,
    Demand,
    Evidence,
    Kind,
    Outcome,
    Rule,
    SessionRule,
    Span,
    Way,
    judge,
    needless_ways,
    problem_of,
    score_of_session,
)
from tests.conftest import NOW

RULE = SessionRule(ways=(CHECK_IN, CONFIRMED))
SPAN = Span(start_at=NOW, end_at=NOW + timedelta(hours=2))
KINDS = st.sampled_from(Kind)


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
                amount=draw(st.none() | st.integers(min_value=0, max_value=130)),
                observed_at=NOW + timedelta(minutes=draw(st.integers(min_value=-1000, max_value=1000))),
                retracts_evidence_id=None if withdraws == number else withdraws,
            )
        )
    return facts


def _demand(kind: Kind, at_least: int, within_days: int) -> Demand:
    measured = kind in {Kind.LIVE, Kind.RECORDING, Kind.REFLECTION}
    ends = kind in {Kind.RECORDING, Kind.REFLECTION}
    return Demand(kind=kind, at_least=at_least if measured else None, within_days=within_days if ends else None)


DEMANDS = st.builds(
    _demand,
    st.sampled_from([kind for kind in Kind if kind is not Kind.EXCUSED]),
    st.integers(1, 100),
    st.integers(1, 3),
)
RULES = st.builds(
    SessionRule, ways=st.lists(st.lists(DEMANDS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)
)


def completed_at(facts: list[Evidence], rule: SessionRule) -> datetime | None:
    return judge(facts, rule, SPAN).completed_at


def fact(
    evidence_id: int = 1,
    kind: Kind = Kind.CODE,
    *,
    minute: int = 0,
    amount: int | None = None,
    retracts: int | None = None,
) -> Evidence:
    return Evidence(
        evidence_id=evidence_id,
        kind=kind,
        amount=amount,
        observed_at=NOW + timedelta(minutes=minute),
        retracts_evidence_id=retracts,
    )


# A session


@given(facts=evidence_of_one_session(), rule=RULES, seed=st.integers())
def test_the_order_of_the_evidence_never_matters(facts: list[Evidence], rule: SessionRule, seed: int) -> None:
    shuffled = random.Random(seed).sample(facts, len(facts))
    assert judge(shuffled, rule, SPAN) == judge(facts, rule, SPAN)


@given(facts=evidence_of_one_session(), rule=RULES, again=st.lists(st.integers(min_value=0, max_value=7)))
def test_repetition_of_the_evidence_never_matters(facts: list[Evidence], rule: SessionRule, again: list[int]) -> None:
    repeated = facts + [facts[number % len(facts)] for number in again]
    assert judge(repeated, rule, SPAN) == judge(facts, rule, SPAN)


@given(facts=evidence_of_one_session(), rule=RULES, more=evidence_of_one_session(retractions=False))
def test_without_a_retraction_nobody_is_lowered(facts: list[Evidence], rule: SessionRule, more: list[Evidence]) -> None:
    before = judge(facts, rule, SPAN)
    after = judge(facts + [replace(one, evidence_id=100 + one.evidence_id) for one in more], rule, SPAN)
    if before.completed_at is not None:
        assert after.completed_at is not None
        assert after.completed_at <= before.completed_at
        assert before.by_recording or not after.by_recording
    if before.is_excused:
        assert after.is_excused or after.completed_at is not None


@given(facts=evidence_of_one_session(retractions=False), rule=RULES)
def test_the_retraction_of_every_fact_leaves_nothing(facts: list[Evidence], rule: SessionRule) -> None:
    retractions = [fact(100 + one.evidence_id, Kind.APPROVAL, retracts=one.evidence_id) for one in facts]
    assert judge(facts + retractions, rule, SPAN) == Outcome()


def test_without_evidence_a_session_is_not_completed() -> None:
    assert completed_at([], RULE) is None


def test_a_session_is_completed_when_the_first_fact_that_counts_was_observed() -> None:
    facts = [fact(1, minute=5), fact(2, Kind.APPROVAL, minute=3), fact(3, Kind.LIVE, minute=1)]
    assert completed_at(facts, RULE) == NOW + timedelta(minutes=3)


def test_evidence_of_another_kind_than_the_rule_names_completes_nothing() -> None:
    others = [fact(number, kind) for number, kind in enumerate(Kind) if not RULE.counts(kind)]
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


# All of, thresholds, windows


BOTH = SessionRule(ways=((Demand(kind=Kind.CODE), Demand(kind=Kind.LIVE, at_least=75)),))


def test_a_way_of_two_demands_is_met_when_the_later_one_is() -> None:
    assert completed_at([fact(1, minute=10)], BOTH) is None
    assert completed_at([fact(2, Kind.LIVE, minute=90, amount=90)], BOTH) is None
    both = [fact(1, minute=10), fact(2, Kind.LIVE, minute=90, amount=90)]
    assert completed_at(both, BOTH) == NOW + timedelta(minutes=90)


@pytest.mark.parametrize(("minutes", "is_enough"), [(89, False), (90, True), (200, True)])
def test_presence_counts_as_a_share_of_the_session(minutes: int, *, is_enough: bool) -> None:
    rule = SessionRule(ways=((Demand(kind=Kind.LIVE, at_least=75),),))
    assert (completed_at([fact(kind=Kind.LIVE, amount=minutes)], rule) is not None) is is_enough


def test_evidence_without_an_amount_meets_no_threshold() -> None:
    rule = SessionRule(ways=((Demand(kind=Kind.REFLECTION, at_least=1),),))
    assert completed_at([fact(kind=Kind.REFLECTION)], rule) is None


@pytest.mark.parametrize(
    ("after_the_end", "counts"), [(timedelta(days=14), True), (timedelta(days=14, seconds=1), False)]
)
def test_a_recording_counts_until_its_window_closes(after_the_end: timedelta, *, counts: bool) -> None:
    rule = SessionRule(ways=((Demand(kind=Kind.RECORDING, within_days=14),),))
    watched = replace(fact(kind=Kind.RECORDING), observed_at=SPAN.end_at + after_the_end)
    assert (completed_at([watched], rule) is not None) is counts


def test_a_session_is_completed_by_its_recording_when_by_nothing_else() -> None:
    rule = SessionRule(ways=(CHECK_IN, (Demand(kind=Kind.RECORDING),)))
    watched = fact(1, Kind.RECORDING, minute=500)
    assert judge([watched], rule, SPAN).by_recording
    assert not judge([watched, fact(2, minute=5)], rule, SPAN).by_recording


def test_who_came_and_watched_has_not_completed_by_the_recording_alone() -> None:
    both = SessionRule(ways=((Demand(kind=Kind.CODE), Demand(kind=Kind.RECORDING)),))
    found = judge([fact(1), fact(2, Kind.RECORDING)], both, SPAN)
    assert found.completed_at is not None
    assert not found.by_recording


def test_who_is_excused_has_not_completed_and_who_came_is_not_excused() -> None:
    excused = fact(1, Kind.EXCUSED)
    assert judge([excused], RULE, SPAN) == Outcome(is_excused=True)
    assert not judge([excused, fact(2)], RULE, SPAN).is_excused
    assert judge([excused, fact(2, Kind.EXCUSED, retracts=1)], RULE, SPAN) == Outcome()


# Rules that no evidence could meet


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (SessionRule(ways=()), "At least one"),
        (SessionRule(ways=((),)), "At least one"),
        (SessionRule(ways=(CHECK_IN,) * 9), "at most 8"),
        (SessionRule(ways=((Demand(kind=Kind.EXCUSED),),)), "excused"),
        (SessionRule(ways=((Demand(kind=Kind.CODE, at_least=5),),)), "no amount"),
        (SessionRule(ways=((Demand(kind=Kind.LIVE, within_days=5),),)), "no end"),
        (SessionRule(ways=((Demand(kind=Kind.RECORDING, at_least=101),),)), "at most 100"),
        (SessionRule(ways=((Demand(kind=Kind.LIVE, at_least=0),),)), "An amount is 1 to"),
        (SessionRule(ways=((Demand(kind=Kind.RECORDING, within_days=0),),)), "days is 1 to 365"),
        (Rule(required=0), "is 1 to 100"),
        (Rule(required=101), "is 1 to 100"),
        (Rule(at_most_by_recording=-1), "is 0 to 100"),
    ],
)
def test_an_impossible_rule_is_refused_in_words(rule: SessionRule, says: str) -> None:
    assert says in str(problem_of(rule))


@given(rule=RULES)
def test_any_other_rule_can_be_met(rule: SessionRule) -> None:
    assert problem_of(rule) is None
    everything = [fact(number, kind, amount=10_000) for number, kind in enumerate(Kind)]
    assert judge(everything, rule, SPAN).completed_at is not None


# Ways that add nothing

LIVE_75, LIVE_50 = (Demand(kind=Kind.LIVE, at_least=n) for n in (75, 50))


@pytest.mark.parametrize(
    ("ways", "needless"),
    [
        ((CHECK_IN, (*CHECK_IN, LIVE_75)), ((*CHECK_IN, LIVE_75),)),
        (((LIVE_75,), (LIVE_50,)), ((LIVE_75,),)),
        ((CHECK_IN, CHECK_IN), (CHECK_IN,)),
        (((*CHECK_IN, LIVE_50), (LIVE_75,)), ()),
        (((Demand(kind=Kind.RECORDING, within_days=3),), (Demand(kind=Kind.RECORDING, at_least=80),)), ()),
        (
            ((Demand(kind=Kind.RECORDING, within_days=3),), (Demand(kind=Kind.RECORDING),)),
            ((Demand(kind=Kind.RECORDING, within_days=3),),),
        ),
    ],
)
def test_a_way_that_goes_through_another_one_is_needless(ways: tuple[Way, ...], needless: tuple[Way, ...]) -> None:
    assert tuple(needless_ways(SessionRule(ways=ways))) == needless


@given(facts=evidence_of_one_session(), rule=RULES)
def test_without_its_needless_ways_a_rule_says_the_same(facts: list[Evidence], rule: SessionRule) -> None:
    each_once = SessionRule(ways=tuple(dict.fromkeys(rule.ways)))
    needless = needless_ways(each_once)
    left = SessionRule(ways=tuple(way for way in each_once.ways if way not in needless))
    assert judge(facts, left, SPAN) == judge(facts, rule, SPAN)
