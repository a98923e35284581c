"""What stands of a session when facts come and go, and the plan has changed meanwhile."""

from datetime import timedelta

from series.left_standing import after_adding, after_change, after_withdrawal
from series.rule import Demand, Evidence, Kind, Outcome, SessionRule
from tests.conftest import NOW

LATER = NOW + timedelta(minutes=1)
NOTHING, LIVE = Outcome(), Outcome(completed_at=NOW)
RECORDED = Outcome(completed_at=LATER, by_recording=True)
RULE = SessionRule(ways=((Demand(kind=Kind.LIVE),), (Demand(kind=Kind.RECORDING),)))
PRESENCE = Evidence(evidence_id=1, kind=Kind.LIVE, observed_at=NOW)


def test_what_the_facts_explain_is_what_they_make() -> None:
    earlier = Outcome(completed_at=NOW - timedelta(minutes=1))
    assert after_adding(NOTHING, NOTHING, LIVE) == LIVE
    assert after_adding(LIVE, LIVE, earlier) == earlier
    assert after_withdrawal(LIVE, LIVE, RECORDED, [PRESENCE], rule=RULE, withdrawn=Kind.RECORDING) == RECORDED
    assert after_withdrawal(LIVE, LIVE, NOTHING, [PRESENCE], rule=RULE, withdrawn=Kind.RECORDING) == NOTHING


def test_what_a_change_of_plan_has_left_standing_stands_beside_new_facts() -> None:
    assert after_adding(LIVE, NOTHING, RECORDED) == LIVE
    assert after_change(LIVE, RECORDED) == LIVE
    assert after_change(LIVE, NOTHING) == LIVE


def test_it_is_more_than_a_recording_once_it_is_completed_in_another_way() -> None:
    again = Outcome(completed_at=LATER + timedelta(minutes=1))
    assert after_adding(RECORDED, NOTHING, again) == Outcome(completed_at=LATER)


def test_it_goes_with_the_fact_of_its_own_moment_and_no_other() -> None:
    assert after_withdrawal(LIVE, RECORDED, NOTHING, [PRESENCE], rule=RULE, withdrawn=Kind.RECORDING) == LIVE
    assert after_withdrawal(LIVE, NOTHING, NOTHING, [PRESENCE], rule=RULE, withdrawn=Kind.RECORDING) == LIVE
    assert after_withdrawal(LIVE, NOTHING, NOTHING, [], rule=RULE, withdrawn=Kind.RECORDING) == NOTHING


def test_a_change_of_plan_completes_what_the_facts_now_complete() -> None:
    assert after_change(NOTHING, LIVE) == LIVE
    assert after_withdrawal(NOTHING, LIVE, LIVE, [PRESENCE], rule=RULE, withdrawn=Kind.RECORDING) == LIVE


def test_it_goes_with_a_demand_that_no_way_can_do_without() -> None:
    both = SessionRule(ways=((Demand(kind=Kind.LIVE, at_least=75), Demand(kind=Kind.REFLECTION)),))
    reflection = Evidence(evidence_id=2, kind=Kind.REFLECTION, observed_at=NOW)
    assert after_withdrawal(LIVE, NOTHING, NOTHING, [reflection], rule=both, withdrawn=Kind.LIVE) == NOTHING
    excused = after_withdrawal(LIVE, NOTHING, NOTHING, [reflection], rule=both, withdrawn=Kind.EXCUSED)
    assert excused == LIVE
