"""Months of which the sessions are told as well: each rule by one example, of six universities of one month."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from series.pooled import TERM, Block, Pooled, PooledBy, Step
from series.protection import publish, publish_totals

MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
FIRST, SECOND = (Block(session_id=UUID(int=one)) for one in (1, 2))
MONTH = Block(month="2026-11")
MONTHS = {FIRST: MONTH, SECOND: MONTH}
HALF_COME_AGAIN = 12, 12  # of 18 in the month, in each of two sessions
ALL_COME_AGAIN = 18, 18


def step(*sessions: int, month: int = 18, week: int = 0, universities: int = 6) -> Step:
    """Of each university the same numbers."""
    ids = range(1, universities + 1)
    counts = {block: dict.fromkeys(ids, people) for block, people in zip((FIRST, SECOND), sessions, strict=False)}
    if month:
        counts[MONTH] = dict.fromkeys(ids, month)
    return Step(at=MONDAY + timedelta(weeks=week), smallest_group=5, counts=counts, months=MONTHS)


def told(*steps: Step) -> Pooled:
    pooled = publish(steps, viewer=1, by=PooledBy.MONTH)
    assert pooled is not None
    return pooled


def test_sessions_are_told_as_all_others_together() -> None:
    pooled = told(step(*HALF_COME_AGAIN))
    assert [(one.block, dict(one.shown), one.total) for one in pooled.sessions] == [(FIRST, {}, 60), (SECOND, {}, 60)]
    assert [dict(column.shown) for column in pooled.columns] == [dict.fromkeys(range(2, 7), 18)]


def test_a_session_is_told_before_its_month_is_over() -> None:
    pooled = told(step(12, month=0))
    assert (pooled.columns, [one.total for one in pooled.sessions]) == ((), [60])


def test_dpo_08_where_everybody_always_comes_the_month_is_told_together_only() -> None:
    """Else 18 in the month and 90 in the session would be 18 of each in the session."""
    pooled = told(step(*ALL_COME_AGAIN))
    assert [(dict(one.shown), one.total) for one in pooled.columns] == [({}, 90)]
    assert [one.total for one in pooled.sessions] == [90, 90]


def test_dpo_08_a_month_without_room_stays_as_it_was_told() -> None:
    first, then = step(*HALF_COME_AGAIN), step(18, 18, week=1)
    pooled = told(first, then)
    assert [(one.shown[2], one.as_of) for one in pooled.columns] == [(18, MONDAY)]
    assert [(one.total, one.as_of) for one in pooled.sessions] == [(90, None), (90, None)]


def test_a_month_is_told_anew_when_there_is_room_again() -> None:
    pooled = told(step(*HALF_COME_AGAIN), step(18, 18, week=1), step(18, 18, month=27, week=2))
    assert [(one.shown[2], one.as_of) for one in pooled.columns] == [(27, None)]


def test_the_only_session_of_a_month_is_told_as_the_month_is() -> None:
    pooled = told(step(12, month=12))
    assert dict(pooled.columns[0].shown) == dict.fromkeys(range(2, 7), 12)
    assert [one.total for one in pooled.sessions] == [60]


def test_dpo_08_a_session_stays_as_it_was_told_when_another_comes_to_its_month() -> None:
    """Else the new total, less what was shown of the month, would be what university 2 has left of twelve."""
    alone = step(12, month=12)
    fallen = step(12, 12, month=18, week=1)
    fallen = replace(fallen, counts={**fallen.counts, FIRST: fallen.counts[FIRST] | {2: 3}})
    pooled = told(alone, fallen)
    assert [dict(one.shown) for one in told(alone).columns] == [dict.fromkeys(range(2, 7), 12)]
    assert [(one.block, one.total, one.as_of) for one in pooled.sessions] == [(FIRST, 60, MONDAY), (SECOND, 60, None)]
    assert [(one.shown[2], one.as_of) for one in pooled.columns] == [(12, MONDAY)]
    told_to_all = publish_totals([alone, fallen], by=PooledBy.MONTH)
    assert told_to_all is not None
    assert told_to_all.by_block[FIRST] is None


def test_dpo_08_no_total_of_a_session_tells_what_its_month_hid() -> None:
    fallen = {one: 3 if one == 2 else 12 for one in range(1, 7)}
    alone = step(12, month=12, week=1)
    alone = replace(alone, counts=dict.fromkeys((FIRST, MONTH), fallen))
    then = step(12, 12, week=2)
    then = replace(then, counts={**then.counts, FIRST: fallen})
    assert [one.total for one in told(step(12, month=12), alone).columns] == [None]
    assert [one.total for one in told(step(12, month=12), alone, then).sessions] == [None, 60]


def test_dpo_08_where_the_other_session_was_called_off_nobody_of_the_month_is_shown_alone() -> None:
    """Else 53 now, less five times twelve that cannot have been more before, would be 4 of university 2 in the 52."""
    before = {one: 4 if one == 2 else 12 for one in range(1, 7)}
    first = replace(step(12, month=0), counts={FIRST: before})
    then = replace(step(12, month=12, week=1), counts=dict.fromkeys((FIRST, MONTH), before | {2: 5}))
    pooled = told(first, then)
    assert [(dict(one.shown), one.total) for one in (*pooled.columns, *pooled.sessions)] == [({}, 53), ({}, 53)]


def test_dpo_08_a_university_that_left_meanwhile_stays_in_both_totals() -> None:
    before = {one: 3 if one == 2 else 12 for one in range(1, 7)}
    first = replace(step(12, month=0), counts={FIRST: before, TERM: before})
    month = {one: people for one, people in before.items() if one != 2}
    then = replace(step(12, month=12, week=1), counts={FIRST: before, TERM: before, MONTH: month})
    pooled = told(first, then)
    assert [one.total for one in (*pooled.columns, *pooled.sessions)] == [51, 51]


def test_dpo_08_who_comes_in_the_middle_of_a_month_is_counted_from_the_next_on() -> None:
    first = replace(step(12, month=0), counts={FIRST: dict.fromkeys(range(1, 6), 12)})
    pooled = told(first, step(*HALF_COME_AGAIN, week=1))
    assert [one.total for one in pooled.sessions] == [48, 48]
    assert [sorted(one.university_ids) for one in (*pooled.columns, *pooled.sessions)] == [[2, 3, 4, 5]] * 3


def test_dpo_08_who_is_not_counted_in_a_month_makes_no_room_in_it() -> None:
    """Else the two people more that the late one could have had in the second session would let all be shown alone."""
    first = replace(step(15, month=0), counts={FIRST: dict.fromkeys(range(1, 5), 15)})
    then = step(15, 16, week=1, universities=5)
    assert [dict(one.shown) for one in told(first, then).columns] == [{}]


THREE_OF_ONE = {one: int(one < 4) for one in range(1, 7)}


def test_a_session_of_a_month_that_shows_nobody_alone_is_told_anew() -> None:
    few = replace(step(1, month=1), counts=dict.fromkeys((FIRST, MONTH), THREE_OF_ONE))
    pooled = told(few, step(12, 12, week=1))
    assert [(one.total, one.as_of) for one in pooled.sessions] == [(60, None), (60, None)]


def test_a_report_tells_sessions_and_months() -> None:
    totals = publish_totals([step(*HALF_COME_AGAIN)], by=PooledBy.MONTH)
    assert totals is not None
    assert totals.by_block == {FIRST: 72, SECOND: 72, MONTH: 108}


def of_audiences(*pre_service: int) -> Step:
    """22 people of each university in the series; those who are not before service are in service."""
    one = step(16, 16)
    before = dict(enumerate(pre_service, start=1))
    after = {university: 22 - people for university, people in before.items()}
    of_both = {TERM: dict.fromkeys(before, 22), Block(audience="pre_service"): before}
    counts = {**one.counts, **of_both, Block(audience="in_service"): after}
    return Step(at=one.at, smallest_group=5, counts=counts, months=one.months)


def test_people_are_told_by_audience_where_each_has_play() -> None:
    totals = publish_totals([of_audiences(12, 12, 12, 20, 20, 20)], by=PooledBy.MONTH)
    assert totals is not None
    assert (totals.audiences, totals.audiences_at) == ({"pre_service": 96, "in_service": 36}, MONDAY)


def test_dpo_08_an_audience_of_two_universities_hides_all_of_them() -> None:
    """Each of the two would know the other's."""
    totals = publish_totals([of_audiences(12, 12, 22, 22, 22, 22)], by=PooledBy.MONTH)
    assert totals is not None
    assert (totals.people, totals.audiences) == (132, None)
