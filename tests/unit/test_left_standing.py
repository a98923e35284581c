"""What stands of a session when facts come and go, and the plan has changed meanwhile."""

from datetime import timedelta

from series.left_standing import after_adding, after_change, after_withdrawal
from series.rule import Evidence, Kind, Outcome
from tests.conftest import NOW

LATER = NOW + timedelta(minutes=1)
NOTHING, LIVE = Outcome(), Outcome(completed_at=NOW)
RECORDED = Outcome(completed_at=LATER, by_recording=True)
PRESENCE = Evidence(evidence_id=1, kind=Kind.LIVE, observed_at=NOW)


def test_what_the_facts_explain_is_what_they_make() -> None:
    earlier = Outcome(completed_at=NOW - timedelta(minutes=1))
    assert after_adding(NOTHING, NOTHING, LIVE) == LIVE
    assert after_adding(LIVE, LIVE, earlier) == earlier
    assert after_withdrawal(LIVE, LIVE, RECORDED, [PRESENCE]) == RECORDED
    assert after_withdrawal(LIVE, LIVE, NOTHING, [PRESENCE]) == NOTHING


def test_what_a_change_of_plan_has_left_standing_stands_beside_new_facts() -> None:
    assert after_adding(LIVE, NOTHING, RECORDED) == LIVE
    assert after_change(LIVE, RECORDED) == LIVE
    assert after_change(LIVE, NOTHING) == LIVE


def test_it_is_more_than_a_recording_once_it_is_completed_in_another_way() -> None:
    again = Outcome(completed_at=LATER + timedelta(minutes=1))
    assert after_adding(RECORDED, NOTHING, again) == Outcome(completed_at=LATER)


def test_it_goes_with_the_fact_of_its_own_moment_and_no_other() -> None:
    assert after_withdrawal(LIVE, RECORDED, NOTHING, [PRESENCE]) == LIVE
    assert after_withdrawal(LIVE, NOTHING, NOTHING, [PRESENCE]) == LIVE
    assert after_withdrawal(LIVE, NOTHING, NOTHING, []) == NOTHING


def test_a_change_of_plan_completes_what_the_facts_now_complete() -> None:
    assert after_change(NOTHING, LIVE) == LIVE
    assert after_withdrawal(NOTHING, LIVE, LIVE, [PRESENCE]) == LIVE
