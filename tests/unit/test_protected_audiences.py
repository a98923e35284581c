"""People by audience in the report, when a course says something else than it said before."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from series.pooled import NOT_SAID, TERM, Block, Step
from series.protected_audiences import tell_audiences

START = datetime(2026, 10, 5, 2, 0, tzinfo=UTC)
FIRST, SECOND = (Block(session_id=UUID(int=number)) for number in (1, 2))
PEOPLE = dict.fromkeys(range(1, 11), 20)
SAID = {1: "pre_service", 2: "pre_service", 3: "pre_service", 4: "pre_service"}


def step(said: Mapping[int, str], *, number: int, people: Mapping[int, int] = PEOPLE) -> Step:
    """Each university has one course; of the people of each, half came to both sessions."""
    counts = {one: dict.fromkeys(people, 14) for one in (FIRST, SECOND)} | {TERM: dict(people)}
    for audience in {*said.values(), NOT_SAID}:
        cells = {one: number if said.get(one, NOT_SAID) == audience else 0 for one, number in people.items()}
        counts[Block(audience=audience)] = cells
    return Step(at=START + timedelta(weeks=number), smallest_group=5, counts=counts)


def told_at(*steps: Step) -> tuple[Mapping[str, int], int]:
    """What is told after the last of `steps`, and at which of them it was counted."""
    play = dict.fromkeys(PEOPLE, 6)
    found = tell_audiences(steps, [play] * len(steps), [None, *PEOPLE])
    assert found is not None
    return found[0], steps.index(found[1])


def test_people_of_each_audience_are_told() -> None:
    assert told_at(step(SAID, number=0)) == ({"pre_service": 80, "not_said": 120}, 0)


def test_dpo_08_one_course_that_says_it_later_is_not_found_out_by_subtraction() -> None:
    """Less what was told before, the number of its audience would be its own."""
    later = {**SAID, 5: "pre_service"}
    assert told_at(step(SAID, number=0), step(later, number=1)) == ({"pre_service": 80, "not_said": 120}, 0)


def test_dpo_08_nor_is_one_of_two_by_the_other_one() -> None:
    later = {**SAID, 5: "pre_service", 6: "pre_service"}
    assert told_at(step(SAID, number=0), step(later, number=1))[1] == 0


def test_courses_that_say_it_together_are_told() -> None:
    before = {one: said for one, said in SAID.items() if one != 4}
    later = {**before, 4: "pre_service", 5: "pre_service", 6: "pre_service"}
    assert told_at(step(before, number=0), step(later, number=1)) == ({"pre_service": 120, "not_said": 80}, 1)


def test_who_comes_is_told_without_anybody_moving() -> None:
    more = {**PEOPLE, 1: 22}
    assert told_at(step(SAID, number=0), step(SAID, number=1, people=more)) == (
        {"pre_service": 82, "not_said": 120},
        1,
    )


def test_who_goes_altogether_has_not_moved() -> None:
    fewer = {**PEOPLE, 1: 15}
    assert told_at(step(SAID, number=0), step(SAID, number=1, people=fewer))[1] == 1
