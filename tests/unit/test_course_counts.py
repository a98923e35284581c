"""A course's own number: what may be set, what is harder, and whom it would change."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from series.course_counts import effect_of, has_begun, is_harder_count, problem_of_count, share
from series.rule import Outcome, Rule, Span
from series.sessions import Status
from series.standing import CourseCount, SessionRecord, Standing
from tests.conftest import NOW
from tests.examples import weekly

SESSIONS = weekly(4)
FIRST, SECOND, THIRD, FOURTH = (one.session_id for one in SESSIONS)
TWO_OF_THREE = CourseCount(required=2, session_ids=frozenset({FIRST, SECOND, THIRD}))


def of(required: int, *ids: UUID) -> CourseCount:
    return CourseCount(required=required, session_ids=frozenset(ids) if ids else None)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (of(1), None),
        (of(4), None),
        (of(5), "Fewer sessions are chosen"),
        (of(0), "At least one"),
        (of(2, FIRST), "Fewer sessions are chosen"),
        (of(1, UUID(int=1)), "not in this series"),
        (CourseCount(required=1, session_ids=frozenset()), "choose at least one"),
    ],
)
def test_a_number_that_nobody_could_reach_is_refused(count: CourseCount, words: str | None) -> None:
    problem = problem_of_count(count, SESSIONS)
    assert (problem is None) if words is None else (problem is not None and words in problem)


@pytest.mark.parametrize(
    ("new", "is_harder"),
    [
        (TWO_OF_THREE, False),
        (of(1, FIRST, SECOND, THIRD), False),
        (of(2, FIRST, SECOND, THIRD, FOURTH), False),
        (of(2), False),
        (of(3, FIRST, SECOND, THIRD), True),
        (of(3), True),
        (of(2, FIRST, SECOND), True),
        (of(1, FIRST, SECOND, FOURTH), True),
    ],
)
def test_more_demanded_or_a_session_less_is_harder(new: CourseCount, *, is_harder: bool) -> None:
    assert is_harder_count(new, TWO_OF_THREE, SESSIONS) is is_harder


def test_to_count_more_sessions_is_harder_where_cancelled_ones_had_lowered_the_demand() -> None:
    cancelled = [replace(one, status=Status.CANCELLED) for one in SESSIONS[:2]]
    assert is_harder_count(of(2), TWO_OF_THREE, [*cancelled, *SESSIONS[2:]])


def test_it_has_begun_when_one_of_its_sessions_has() -> None:
    before = SESSIONS[1].start_at - timedelta(seconds=1)
    assert has_begun(of(1, FIRST, THIRD), SESSIONS, before)
    assert not has_begun(of(1, SECOND, THIRD), SESSIONS, before)
    assert has_begun(of(1, SECOND, THIRD), SESSIONS, SESSIONS[1].start_at)


def records(*completed: UUID) -> list[SessionRecord]:
    return [
        SessionRecord(
            session_id=one.session_id,
            span=Span(start_at=one.start_at, end_at=one.end_at),
            is_cancelled=False,
            rule=Rule(),
            outcome=Outcome(completed_at=NOW if one.session_id in completed else None),
        )
        for one in SESSIONS
    ]


def test_the_effect_counts_people_by_their_share() -> None:
    people = [records(), records(FOURTH), records(FIRST, FOURTH)]
    effect = effect_of(people, Rule(required=4), NOW, None, TWO_OF_THREE)
    assert effect.shares == [50, 25, 0]
    assert (effect.before, effect.after) == ({0: 1, 25: 1, 50: 1}, {0: 2, 50: 1})


def test_only_who_has_everything_has_a_hundred_percent() -> None:
    assert share(Standing(done=199, required=200, live=0, recording=0, afterwards=0)) == 99
