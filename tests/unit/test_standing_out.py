"""What stands out in a series, and what is said of nothing when too little is known."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from series.pooled import Block, Column
from series.standing_out import Finding, Kind, Point, what_stands_out


def block(number: int) -> Block:
    return Block(session_id=UUID(int=number + 1))


def points(others: Sequence[int | None], own: Sequence[int] = ()) -> list[Point]:
    return [
        Point(block=block(number), is_over=True, others=people, own_course=own[number] if own else None)
        for number, people in enumerate(others)
    ]


def columns(*shown: Sequence[int | None]) -> list[Column]:
    """Of universities 1, 2, …, session by session; None: hidden."""
    return [
        Column(
            block=block(number),
            shown={one: people for one, people in enumerate(cells, start=1) if people is not None},
            group=None,
            total=None,
        )
        for number, cells in enumerate(shown)
    ]


def kinds(found: Sequence[Finding]) -> list[Kind]:
    return [one.kind for one in found]


def test_a_session_with_few_is_said_with_what_is_usual() -> None:
    (found,) = what_stands_out(points([60, 62, 20, 58]), [])
    assert found == Finding(kind=Kind.FEW, block=block(2), people=20, usual=60)


def test_a_fall_from_session_to_session_is_said_once() -> None:
    (found,) = what_stands_out(points([60, 61, 50, 35]), [])
    assert (found.kind, found.people, found.usual) == (Kind.FALL, 35, 61)


def test_few_in_the_own_course_alone_is_the_first_thing() -> None:
    assert kinds(what_stands_out(points([60, 62, 61, 59], own=[9, 8, 9, 2]), [])) == [Kind.OWN_FEW]


def test_the_own_course_came_though_few_came_elsewhere() -> None:
    assert kinds(what_stands_out(points([60, 61, 62, 20], own=[9, 8, 9, 9]), [])) == [Kind.OWN_MORE, Kind.FEW]


def test_a_university_with_few_is_said_only_where_it_was_as_usual_elsewhere() -> None:
    shown = columns([12, 10], [11, 10], [13, 10], [5, 10])
    assert kinds(what_stands_out(points([60, 60, 60, 60]), shown)) == [Kind.UNIVERSITY_FEW]
    assert Kind.UNIVERSITY_FEW not in kinds(what_stands_out(points([60, 60, 60, 24]), shown))


@pytest.mark.parametrize("others", [[], [60], [60, 5], [60, 61, 5], [None, None, None, 5], [60, 60, 60, None]])
def test_nothing_is_said_of_what_is_hidden_or_too_little(others: list[int | None]) -> None:
    assert what_stands_out(points(others), columns(*([one] for one in others))) == ()


def test_a_session_that_is_not_counted_yet_is_not_few() -> None:
    last = Point(block=block(4), is_over=False, others=None, own_course=0)
    assert what_stands_out([*points([60, 60, 60, 60], own=[8, 8, 8, 8]), last], []) == ()


def test_nought_people_everywhere_is_no_error() -> None:
    assert what_stands_out(points([0, 0, 0, 0], own=[0, 0, 0, 0]), columns([0], [0], [0], [0])) == ()
