"""Where a participant stands: k of n, and what can still be done."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.rule import CHECK_IN, CONFIRMED, Demand, Kind, Outcome, Rule, SessionRule, Span, is_harder
from series.standing import CourseCount, SessionRecord, Standing, standing
from tests.conftest import NOW

RECORDING = (Demand(kind=Kind.RECORDING, within_days=14),)
REFLECTION = (Demand(kind=Kind.REFLECTION, within_days=7),)
LIVE_ONLY = SessionRule(ways=(CHECK_IN, CONFIRMED))
OR_RECORDING = SessionRule(ways=(CHECK_IN, RECORDING))
COMPLETED, RECORDED, EXCUSED = (
    Outcome(completed_at=NOW),
    Outcome(completed_at=NOW, by_recording=True),
    Outcome(is_excused=True),
)
NONE = Outcome()


def record(
    number: int = 0,
    outcome: Outcome = NONE,
    *,
    days: int = 1,
    is_cancelled: bool = False,
    rule: SessionRule = LIVE_ONLY,
) -> SessionRecord:
    """A session that begins `days` after NOW."""
    start_at = NOW + timedelta(days=days)
    return SessionRecord(
        session_id=UUID(int=number),
        span=Span(start_at=start_at, end_at=start_at + timedelta(hours=2)),
        is_cancelled=is_cancelled,
        rule=rule,
        outcome=outcome,
    )


def stands(*records: SessionRecord, required: int = 10, limit: int | None = None, now: datetime = NOW) -> Standing:
    return standing(records, Rule(required=required, at_most_by_recording=limit), now)


def score(completed: int, open_: int, required: int = 10, **others: int) -> tuple[int, int]:
    """Of one who completed so many; `open_` more are to come, and `others` by their names are as well there."""
    records = [record(outcome=COMPLETED)] * completed + [record()] * open_
    records += [record(is_cancelled=True)] * others.get("cancelled", 0)
    records += [record(outcome=EXCUSED)] * others.get("excused", 0)
    records += [record(outcome=COMPLETED, is_cancelled=True)] * others.get("completed_then_cancelled", 0)
    found = stands(*records, required=required).score
    return found.given, found.maximum


def test_the_series_scores_k_of_the_required_ones() -> None:
    assert score(3, 10) == (3, 10)


def test_more_than_required_is_full_and_no_more() -> None:
    assert score(12, 1) == (10, 10)


def test_a_cancellation_that_leaves_enough_sessions_changes_nothing() -> None:
    assert score(3, 9, cancelled=1) == score(3, 10)


def test_when_fewer_are_left_than_required_all_that_are_left_are_enough() -> None:
    assert score(8, 1, cancelled=4) == (8, 9)
    assert score(9, 0, cancelled=4) == (9, 9)


def test_an_excused_session_is_not_missing() -> None:
    assert score(8, 1, excused=4) == (8, 9)


def test_a_completion_of_a_session_that_was_cancelled_later_still_counts() -> None:
    assert score(8, 0, completed_then_cancelled=1) == (8, 8)


def test_a_series_without_sessions_has_a_maximum_that_a_gradebook_takes() -> None:
    assert score(0, 0) == (0, 1)


OUTCOMES = st.sampled_from([NONE, COMPLETED, RECORDED, EXCUSED])
RECORDS = st.lists(
    st.builds(
        record,
        outcome=OUTCOMES,
        days=st.integers(-40, 40),
        is_cancelled=st.booleans(),
        rule=st.sampled_from([LIVE_ONLY, OR_RECORDING]),
    ),
    max_size=15,
)
RULES = st.builds(Rule, required=st.integers(1, 15), at_most_by_recording=st.none() | st.integers(0, 15))


def share(found: Standing) -> float:
    return found.score.given / found.score.maximum


@given(records=RECORDS, rule=RULES)
def test_a_score_lies_between_nothing_and_its_maximum(records: list[SessionRecord], rule: Rule) -> None:
    found = standing(records, rule, NOW)
    assert 0 <= found.score.given <= found.score.maximum
    assert found.score.maximum >= 1


@given(records=RECORDS, rule=RULES, at=st.integers(0, 14), outcome=st.sampled_from([COMPLETED, RECORDED, EXCUSED]))
def test_no_outcome_that_is_gained_lowers_the_share(
    records: list[SessionRecord], rule: Rule, at: int, outcome: Outcome
) -> None:
    before = share(standing([*records, record()], rule, NOW))
    assert share(standing([*records, record(outcome=outcome)], rule, NOW)) >= before


@given(records=RECORDS, rule=RULES)
def test_a_stronger_way_than_the_recording_never_lowers_the_share(records: list[SessionRecord], rule: Rule) -> None:
    before = share(standing([*records, record(outcome=RECORDED)], rule, NOW))
    assert share(standing([*records, record(outcome=COMPLETED)], rule, NOW)) >= before


@given(records=RECORDS, rule=RULES, outcome=OUTCOMES)
def test_a_cancellation_never_lowers_the_share(records: list[SessionRecord], rule: Rule, outcome: Outcome) -> None:
    before = share(standing([*records, record(outcome=outcome)], rule, NOW))
    assert share(standing([*records, record(outcome=outcome, is_cancelled=True)], rule, NOW)) >= before


@given(records=RECORDS, old=RULES, new=RULES)
def test_a_rule_that_is_not_harder_never_lowers_the_share(records: list[SessionRecord], old: Rule, new: Rule) -> None:
    if not is_harder(new, old):
        assert share(standing(records, new, NOW)) >= share(standing(records, old, NOW))


# Recordings


def test_only_so_many_recordings_count() -> None:
    found = stands(*[record(outcome=RECORDED)] * 5, record(outcome=COMPLETED), limit=3)
    assert (found.done, found.recordings_unused) == (4, 2)


def test_without_a_limit_all_recordings_count() -> None:
    assert stands(*[record(outcome=RECORDED)] * 5).done == 5


# What can still be done


@pytest.mark.parametrize(
    ("days", "rule", "expected"),
    [
        (1, LIVE_ONLY, (1, 0, 0)),
        (-1, LIVE_ONLY, (0, 0, 0)),
        (-1, OR_RECORDING, (0, 1, 0)),
        (-15, OR_RECORDING, (0, 0, 0)),
        (1, OR_RECORDING, (1, 0, 0)),
        (-1, SessionRule(ways=(CHECK_IN, RECORDING, REFLECTION)), (0, 0, 1)),
        (-8, SessionRule(ways=(CHECK_IN, RECORDING, REFLECTION)), (0, 1, 0)),
        (-1, SessionRule(ways=((*CHECK_IN, *REFLECTION),)), (0, 0, 0)),
        (-1, SessionRule(ways=((Demand(kind=Kind.LMS),),)), (0, 0, 1)),
        (1, SessionRule(ways=(CONFIRMED,)), (0, 0, 0)),
        (1, SessionRule(ways=(REFLECTION,)), (0, 0, 1)),
    ],
)
def test_what_is_still_possible_follows_from_rule_and_clock(
    days: int, rule: SessionRule, expected: tuple[int, int, int]
) -> None:
    found = stands(record(days=days, rule=rule))
    assert (found.live, found.recording, found.afterwards) == expected


def test_a_session_that_runs_can_still_be_completed_live() -> None:
    assert stands(record(days=0)).live == 1


def test_recordings_beyond_the_limit_are_not_promised() -> None:
    past = [record(days=-1, rule=OR_RECORDING)] * 4
    found = stands(*past, record(outcome=RECORDED), limit=3)
    assert found.recording == 2


def test_a_recording_that_does_not_count_can_give_way_to_another_way() -> None:
    rule = SessionRule(ways=(RECORDING, REFLECTION))
    found = stands(record(outcome=RECORDED, days=-1, rule=rule), limit=0, required=1)
    assert (found.done, found.afterwards, found.can_be_reached) == (0, 1, True)
    assert stands(record(outcome=RECORDED, days=-1, rule=rule), limit=1, required=1).afterwards == 0


@pytest.mark.parametrize("one", [record(is_cancelled=True), record(outcome=EXCUSED), record(outcome=COMPLETED)])
def test_what_is_cancelled_excused_or_done_is_not_to_be_done(one: SessionRecord) -> None:
    found = stands(one)
    assert (found.live, found.recording, found.afterwards) == (0, 0, 0)


def test_what_is_out_of_reach_is_said() -> None:
    gone = [record(days=-1)] * 8
    assert stands(*gone, record(), record(), required=2).can_be_reached
    assert not stands(*gone, record(), record(), required=3).can_be_reached


# A course's own count


def test_a_course_counts_some_of_the_sessions_for_its_own_grade() -> None:
    records = [record(number, COMPLETED if number in {1, 2, 12} else NONE) for number in range(1, 14)]
    count = CourseCount(required=6, session_ids=frozenset(UUID(int=number) for number in range(1, 12)))
    found = standing(records, Rule(required=10), NOW, count)
    assert (found.score.given, found.score.maximum) == (2, 6)


def test_a_course_without_a_choice_counts_all_sessions() -> None:
    records = [record(number, COMPLETED) for number in range(3)]
    assert standing(records, Rule(required=10), NOW, CourseCount(required=2)).score.maximum == 2
