"""Numbers become smaller in steps of k, and fit each other."""

from uuid import UUID

from hypothesis import given
from hypothesis.strategies import DataObject, data, integers, sets

from series.pooled import NOT_SAID, TERM, Block
from series.protected_falls import Counts, fall_in_steps

FIRST, SECOND = (Block(session_id=UUID(int=one)) for one in (1, 2))
MONTH = Block(month="2026-11")
MONTHS = {FIRST: MONTH, SECOND: MONTH}
PRE, IN, UNSAID = (Block(audience=one) for one in ("pre_service", "in_service", NOT_SAID))
MALTA, VILNIUS = 1, 2
BEFORE: Counts = {FIRST: {MALTA: 9, VILNIUS: 6}, SECOND: {MALTA: 8, VILNIUS: 7}, TERM: {MALTA: 12, VILNIUS: 9}}


def told(fresh: Counts, before: Counts = BEFORE) -> Counts:
    return fall_in_steps(fresh, before=before, months=MONTHS, k=5)


def test_what_grows_is_told_as_it_is() -> None:
    fresh = {FIRST: {MALTA: 10, VILNIUS: 6}, SECOND: {MALTA: 8, VILNIUS: 9}, TERM: {MALTA: 13, VILNIUS: 11}}
    assert told(fresh) == fresh


def test_dpo_13_one_who_has_gone_leaves_no_dip() -> None:
    fresh = {FIRST: {MALTA: 8, VILNIUS: 6}, SECOND: {MALTA: 7, VILNIUS: 7}, TERM: {MALTA: 11, VILNIUS: 9}}
    assert told(fresh) == BEFORE


def test_dpo_13_what_fell_by_k_is_told_and_what_fell_by_fewer_stays() -> None:
    """Else the sum of the hidden, falling by four where Malta is among them, would tell that Malta had four there."""
    fresh = {FIRST: {MALTA: 4, VILNIUS: 5}, SECOND: {MALTA: 7, VILNIUS: 7}, TERM: {MALTA: 7, VILNIUS: 8}}
    assert told(fresh) == {
        FIRST: {MALTA: 4, VILNIUS: 6},
        SECOND: {MALTA: 8, VILNIUS: 7},
        TERM: {MALTA: 12, VILNIUS: 9},
    }


def test_a_session_does_not_fall_where_its_month_would_have_more_than_its_sessions() -> None:
    """Four have gone, and somebody was counted wrongly in the first session."""
    before: Counts = {FIRST: {MALTA: 20}, SECOND: {MALTA: 4}, MONTH: {MALTA: 20}, TERM: {MALTA: 20}}
    fresh: Counts = {FIRST: {MALTA: 15}, SECOND: {MALTA: 4}, MONTH: {MALTA: 16}, TERM: {MALTA: 16}}
    assert told(fresh, before) == before


@given(data())
def test_numbers_fit_whatever_happens(draw: DataObject) -> None:
    """Of one university with two sessions; its people come, and go for good."""
    people = sets(integers(0, 14))
    before: Counts = {}
    for _ in range(5):
        first, second = draw.draw(people), draw.draw(people)
        fresh = {FIRST: first, SECOND: second, MONTH: first | second, TERM: first | second}
        counts = told({block: {MALTA: len(those)} for block, those in fresh.items()}, before)
        number = {block: cells[MALTA] for block, cells in counts.items()}
        assert max(number[FIRST], number[SECOND]) <= number[MONTH] <= number[TERM] <= number[FIRST] + number[SECOND]
        for block, those in fresh.items():
            fell = before.get(block, {}).get(MALTA, 0) - number[block]
            assert fell <= 0 or fell >= 5
            assert number[block] >= len(those)
        before = counts


def test_a_new_month_has_no_fewer_people_than_its_sessions_are_told_to_have() -> None:
    fresh = {**BEFORE, FIRST: {MALTA: 8, VILNIUS: 6}, MONTH: {MALTA: 8, VILNIUS: 9}}
    assert told(fresh)[MONTH] == {MALTA: 9, VILNIUS: 9}


def test_a_university_that_left_is_not_brought_back() -> None:
    fresh = {block: {MALTA: people[MALTA]} for block, people in BEFORE.items()}
    assert told(fresh) == fresh


def test_audiences_together_are_the_people_of_the_series() -> None:
    """Who has gone is counted on where they were."""
    before: Counts = {TERM: {MALTA: 12}, PRE: {MALTA: 7}, IN: {MALTA: 5}, UNSAID: {MALTA: 0}}
    fresh: Counts = {TERM: {MALTA: 11}, PRE: {MALTA: 6}, IN: {MALTA: 5}, UNSAID: {MALTA: 0}}
    assert told(fresh, before) == before
    moved: Counts = {TERM: {MALTA: 12}, PRE: {MALTA: 4}, IN: {MALTA: 8}, UNSAID: {MALTA: 0}}
    assert told(moved, before) == moved
