"""Numbers become smaller in steps of k, all of a university at once."""

from uuid import UUID

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


def test_when_k_have_gone_from_one_block_all_of_the_university_are_told_as_they_are() -> None:
    fresh = {FIRST: {MALTA: 4, VILNIUS: 5}, SECOND: {MALTA: 7, VILNIUS: 7}, TERM: {MALTA: 8, VILNIUS: 8}}
    assert told(fresh) == {
        FIRST: {MALTA: 4, VILNIUS: 6},
        SECOND: {MALTA: 7, VILNIUS: 7},
        TERM: {MALTA: 8, VILNIUS: 9},
    }


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
