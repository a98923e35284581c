"""What is shown of others: each rule by one example. tests/attack shows that together they keep the promise."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from series.pooled import TERM, Block, Column, Group, PooledBy, Step
from series.protection import own_university, pooled_by, publish, publish_totals

MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SESSION = Block(session_id=UUID(int=1))
OWN, ATHENS, FREIBURG, JAEN, MALTA = range(1, 6)  # in this session, Freiburg is taken along first, then Jaen, Athens


def step(*, week: int = 0, k: int = 5, **counts: int) -> Step:
    """Of one session; own and the other four by name."""
    ids = {"own": OWN, "athens": ATHENS, "freiburg": FREIBURG, "jaen": JAEN, "malta": MALTA}
    of_session = {ids[name]: people for name, people in counts.items()}
    return Step(at=MONDAY + timedelta(weeks=week), smallest_group=k, counts={SESSION: of_session})


def column(*steps: Step, viewer: int | None = OWN) -> Column:
    pooled = publish(steps, viewer=viewer, by=PooledBy.SESSION)
    assert pooled is not None
    return pooled.columns[0]


def together(*university_ids: int, people: int | None) -> Group:
    return Group(university_ids=frozenset(university_ids), people=people)


def test_nothing_is_told_before_the_first_step() -> None:
    assert publish([], viewer=OWN, by=PooledBy.SESSION) is None


def test_groups_of_k_are_shown_and_the_own_university_is_left_out() -> None:
    shown = column(step(own=2, athens=5, freiburg=9))
    assert shown.shown == {ATHENS: 5, FREIBURG: 9}
    assert shown.group is None
    assert shown.total == 14


def test_dpo_08_small_ones_are_told_together_with_one_that_is_not() -> None:
    shown = column(step(own=9, athens=2, freiburg=4, jaen=8, malta=12))
    assert shown.shown == {MALTA: 12}
    assert shown.group == together(ATHENS, FREIBURG, JAEN, people=14)
    assert shown.total == 26


@pytest.mark.parametrize("freiburg", [7, 70])
def test_dpo_08_who_is_taken_along_does_not_depend_on_its_size(freiburg: int) -> None:
    shown = column(step(own=9, athens=2, freiburg=freiburg, jaen=9))
    assert shown.group == together(ATHENS, FREIBURG, people=2 + freiburg)


def test_dpo_08_another_one_is_taken_along_where_the_first_leaves_too_little_play() -> None:
    """Together 8: Athens could not have four of them beside five in Freiburg."""
    shown = column(step(own=9, athens=2, freiburg=6, jaen=8, malta=9))
    assert shown.group == together(ATHENS, FREIBURG, JAEN, people=16)


def test_dpo_08_a_sum_is_never_that_of_one_university() -> None:
    assert column(step(own=9, athens=0, freiburg=7, jaen=8)).group == together(ATHENS, FREIBURG, JAEN, people=15)


def test_dpo_08_too_few_together_have_neither_sum_nor_total() -> None:
    shown = column(step(own=30, athens=1, freiburg=1, jaen=0))
    assert shown.group == together(ATHENS, FREIBURG, JAEN, people=None)
    assert shown.total is None


def test_dpo_08_a_university_that_stands_in_no_row_is_hidden_like_nobody() -> None:
    one = step(own=9, athens=2, freiburg=7, jaen=8)
    with_malta = Step(at=one.at, smallest_group=5, counts={**one.counts, TERM: {MALTA: 3}})
    assert column(with_malta).group == together(ATHENS, FREIBURG, MALTA, people=9)


def test_dpo_08_who_was_hidden_together_stays_together() -> None:
    first = step(athens=2, freiburg=4, jaen=8, malta=9)
    then = column(first, step(week=1, athens=7, freiburg=6, jaen=8, malta=9))
    assert then.group == together(ATHENS, FREIBURG, JAEN, people=21)


def test_dpo_08_a_shown_one_that_falls_below_k_takes_the_sum_with_it() -> None:
    """Else the new sum minus the old one would tell of Malta's four."""
    first = step(athens=2, freiburg=9, jaen=7, malta=5)
    assert column(first).group == together(ATHENS, FREIBURG, people=11)
    then = column(first, step(week=1, athens=2, freiburg=9, jaen=7, malta=4))
    assert then.group == together(ATHENS, FREIBURG, MALTA, people=None)
    assert then.total is None


def test_the_sum_is_told_again_when_it_has_grown_by_k() -> None:
    steps = [step(athens=2, freiburg=9, jaen=7, malta=5), step(week=1, athens=2, freiburg=9, jaen=7, malta=4)]
    assert column(*steps, step(week=2, athens=7, freiburg=9, jaen=7, malta=4)).total is None
    assert column(*steps, step(week=2, athens=7, freiburg=10, jaen=7, malta=4)).total == 28


def test_dpo_08_a_university_that_leaves_takes_the_sum_with_it() -> None:
    """Else the sum before minus the sum after would be its number."""
    first = step(athens=2, freiburg=9, jaen=3, malta=8)
    then = column(first, step(week=1, athens=2, freiburg=9, malta=8))
    assert then.group == together(ATHENS, FREIBURG, people=None)


def test_a_larger_k_hides_more_and_keeps_the_total() -> None:
    then = column(
        step(athens=2, freiburg=4, jaen=8, malta=12), step(week=1, k=10, athens=2, freiburg=4, jaen=8, malta=12)
    )
    assert then.shown == {MALTA: 12}
    assert then.group == together(ATHENS, FREIBURG, JAEN, people=14)


def test_a_sum_that_fell_below_k_is_told_again_when_it_is_k() -> None:
    first, then = step(athens=2, freiburg=3, jaen=0, malta=0), step(week=1, athens=2, freiburg=2, jaen=0, malta=0)
    assert column(first, then).total is None
    assert column(first, then, step(week=2, athens=3, freiburg=2, jaen=0, malta=0)).total == 5


def test_dpo_08_a_university_that_comes_later_is_not_counted_in_what_was_told_before() -> None:
    first = step(athens=2, freiburg=4, jaen=8)
    then = column(first, step(week=1, athens=2, freiburg=4, jaen=8, malta=1))
    assert then == column(first)


def test_nothing_binds_before_a_number_is_told() -> None:
    first = step(athens=1, freiburg=0, jaen=0)
    assert column(first, step(week=1, athens=8, freiburg=9, jaen=7)).group is None


def test_no_row_covers_a_hidden_cell() -> None:
    other = Block(session_id=UUID(int=2))
    both = {SESSION: {ATHENS: 2, FREIBURG: 7, JAEN: 9}, other: {ATHENS: 9, FREIBURG: 7, JAEN: 6}}
    pooled = publish([Step(at=MONDAY, smallest_group=5, counts=both)], viewer=OWN, by=PooledBy.SESSION)
    assert pooled is not None
    assert pooled.rows == {JAEN: 15}


def test_dpo_08_of_the_own_university_no_sum_covers_a_session_of_few_others() -> None:
    first, second, to_come = (Block(session_id=UUID(int=number)) for number in (1, 2, 3))
    november, december = Block(month="2026-11"), Block(month="2026-12")
    people = {first: 9, second: 7, to_come: 0, november: 9, december: 7, TERM: 12}
    in_course = {first: 2, second: 3, to_come: 0, november: 2, december: 3, TERM: 4}
    begun = [(first, november, TERM), (second, december, TERM)]
    told = own_university(people, in_course=in_course, begun=begun, smallest_group=5)
    assert told == {first: 9, second: None, to_come: None, november: 9, december: None, TERM: None}
    told = own_university(people, in_course=in_course, begun=begun[:1], smallest_group=5)
    assert told[TERM] == 12, "a session that has not begun covers nothing"


@pytest.mark.parametrize(("people", "by"), [(9, PooledBy.SESSION), (3, PooledBy.MONTH)])
def test_months_are_the_columns_where_sessions_would_be_mostly_holes(people: int, by: PooledBy) -> None:
    counts: Mapping[str, int] = {"athens": people, "freiburg": people, "jaen": 9, "malta": 0}
    assert pooled_by([step(athens=0), step(**counts)]) is by


def test_columns_are_decided_by_the_first_step_with_people() -> None:
    assert pooled_by([step(athens=0, malta=0)]) is None
    assert pooled_by([step(athens=9), step(week=1, athens=2)]) is PooledBy.SESSION


def with_people(of_session: Step, **people: int) -> Step:
    """And distinct ones in the series."""
    (counts,) = step(**people).counts.values()
    return Step(at=of_session.at, smallest_group=5, counts={**of_session.counts, TERM: counts})


def test_dpo_08_distinct_people_are_told_where_they_leave_play() -> None:
    one = step(own=9, athens=9, freiburg=9, jaen=9, malta=9)
    told = publish([with_people(one, own=9, athens=14, freiburg=14, jaen=14, malta=9)], viewer=OWN, by=PooledBy.SESSION)
    close = publish(
        [with_people(one, own=9, athens=30, freiburg=13, jaen=13, malta=9)], viewer=OWN, by=PooledBy.SESSION
    )
    assert told is not None
    assert (told.people, told.people_at) == (51, MONDAY)
    assert close is not None
    assert (close.people, close.people_at) == (None, None)


def test_dpo_08_distinct_people_stay_as_they_were_told_until_there_is_play_again() -> None:
    first = with_people(step(athens=9, freiburg=9, jaen=9), athens=19, freiburg=19, jaen=19)
    then = with_people(step(week=1, athens=9, freiburg=9, jaen=9), athens=20, freiburg=20, jaen=20)
    pooled = publish([first, then], viewer=OWN, by=PooledBy.SESSION)
    assert pooled is not None
    assert (pooled.people, pooled.people_at) == (57, MONDAY)


def test_dpo_08_a_report_tells_no_total_that_a_university_could_subtract_itself_from() -> None:
    """Own 20, and three others together: too few without it."""
    for own_people, told in ((20, None), (3, None)):
        totals = publish_totals([step(own=own_people, athens=2, freiburg=1, jaen=0)], by=PooledBy.SESSION)
        assert totals is not None
        assert totals.by_block == {SESSION: told}
    totals = publish_totals([step(own=20, athens=8, freiburg=6, jaen=2, malta=4)], by=PooledBy.SESSION)
    assert totals is not None
    assert totals.by_block == {SESSION: 40}
