"""What a new reading of a roster changes, and when it is held."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.rosters import RosterMember, apply, compare, held_in_words, still_kept
from tests.conftest import NOW

LATER = NOW + timedelta(hours=6)


def members(*numbers: int, is_suspended: bool = False) -> list[RosterMember]:
    return [RosterMember(sub=str(number), is_learner=True, is_suspended=is_suspended) for number in numbers]


def is_held(before: int, after: int) -> bool:
    """Of so many people, so many are left."""
    return compare(members(*range(before)), members(*range(after))).is_held


LISTS = st.lists(
    st.builds(
        RosterMember, sub=st.sampled_from("abcdefghijklmnop"), is_learner=st.booleans(), is_suspended=st.booleans()
    ),
    unique_by=lambda member: member.sub,
)
KEPT = st.sets(st.sampled_from("abcdefghijklmnop"))


@given(first=LISTS, second=LISTS, kept=KEPT)
def test_to_apply_the_same_list_again_changes_nothing(
    first: list[RosterMember], second: list[RosterMember], kept: set[str]
) -> None:
    once = apply(apply((), first, now=NOW), second, kept=kept, now=NOW)
    again = compare(once, second, kept=kept)
    assert set(apply(once, second, kept=kept, now=LATER)) == set(once)
    assert (again.new, again.back, again.suspended, again.gone, again.is_held) == (*[frozenset()] * 4, False)


@given(first=LISTS, kept=KEPT)
def test_the_brake_never_holds_a_first_list(first: list[RosterMember], kept: set[str]) -> None:
    assert not compare((), first, kept=kept).is_held


@given(first=LISTS, second=LISTS)
def test_nobody_is_forgotten_and_only_the_unlisted_are_gone(
    first: list[RosterMember], second: list[RosterMember]
) -> None:
    after = {member.sub: member for member in apply(apply((), first, now=NOW), second, now=LATER)}
    listed = {member.sub for member in second}
    assert after.keys() == {member.sub for member in first} | listed
    assert {sub for sub, member in after.items() if member.gone_at is None} == listed


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [(10, 7, False), (10, 6, True), (9, 1, False), (9, 0, True), (1, 0, True), (100, 70, False), (100, 69, True)],
)
def test_from_ten_people_on_more_than_thirty_percent_are_held_and_an_empty_list_always(
    before: int, after: int, *, held: bool
) -> None:
    assert is_held(before, after) is held


def test_an_empty_course_that_stays_empty_is_not_held() -> None:
    gone = apply(members(1, 2), [], now=NOW)
    assert not compare(gone, []).is_held


def test_the_suspended_and_those_long_gone_are_not_missed() -> None:
    before = [*members(*range(8)), *members(8, 9, 10, 11, is_suspended=True), *apply(members(12, 13, 14), [], now=NOW)]
    changes = compare(before, members(*range(7)))
    assert (changes.of, changes.gone, changes.is_held) == (8, {"7"}, False)


def test_whoever_is_suspended_is_said_once() -> None:
    suspended = members(1, is_suspended=True)
    assert compare(members(1), suspended).suspended == {"1"}
    assert compare(suspended, suspended).suspended == set()


def test_who_is_still_there_by_a_persons_word_is_not_gone() -> None:
    before = members(*range(10))
    changes = compare(before, members(*range(5)), kept={"5", "6", "7", "8"})
    assert (changes.gone, changes.is_held) == ({"9"}, False)


@pytest.mark.parametrize(("number", "held"), [(3, False), (4, True)])
@pytest.mark.parametrize("change", [{"is_suspended": True}, {"is_learner": False}])
def test_whoever_is_suspended_or_no_learner_any_more_counts_as_those_who_are_gone(
    number: int, change: dict[str, bool], *, held: bool
) -> None:
    before = members(*range(10))
    after = [replace(one, **change) for one in before[: number - 1]] + before[number:]  # and one is gone
    changes = compare(before, after)
    assert (len(changes.fewer), len(changes.gone), changes.is_held) == (number, 1, held)
    assert ("suspended in it" in held_in_words(changes)) is True


def test_who_is_still_there_by_a_persons_word_is_neither_suspended_nor_demoted() -> None:
    before = members(1, 2, 3)
    after = [*members(1, is_suspended=True), replace(before[1], is_learner=False), before[2]]
    assert set(apply(before, after, kept={"1", "2"}, now=LATER)) == set(before)
    assert still_kept(before, after, {"1", "2", "3"}) == ["1", "2"]
