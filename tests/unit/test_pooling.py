"""What others may know of how many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.pooling import SMALLEST_GROUP, protect


@pytest.mark.parametrize(("count", "shown"), [(0, None), (1, None), (4, None), (5, 5), (9, 5), (10, 10), (137, 135)])
def test_small_groups_are_hidden_and_others_shown_in_steps(count: int, shown: int | None) -> None:
    assert protect(count).at_least == shown


@given(st.integers(min_value=0, max_value=SMALLEST_GROUP - 1), st.integers(min_value=0, max_value=SMALLEST_GROUP - 1))
def test_nobody_and_a_few_look_the_same(one: int, other: int) -> None:
    assert protect(one) == protect(other)


@given(
    st.integers(min_value=0, max_value=30),
    st.integers(min_value=0, max_value=30),
    st.integers(min_value=3, max_value=20),
)
def test_dpo_08_who_subtracts_their_own_people_learns_of_no_small_group(own: int, others: int, k: int) -> None:
    shown = protect(own + others, largest=max(own, others), smallest_group=k).at_least
    possible = {
        other
        for other in range(100)
        if protect(own + other, largest=max(own, other), smallest_group=k).at_least == shown
    }
    assert set(range(k)) <= possible or possible.isdisjoint(range(k))


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=3, max_value=20))
def test_a_step_is_never_smaller_than_the_smallest_group(count: int, k: int) -> None:
    shown = protect(count, smallest_group=k).at_least
    same = [
        other
        for other in range(max(0, count - 2 * k - 5), count + 2 * k + 5)
        if shown == protect(other, smallest_group=k).at_least
    ]
    assert len(same) >= k


@given(st.integers(min_value=0, max_value=10_000))
def test_a_shown_number_is_never_too_high_and_stands_for_a_whole_step(count: int) -> None:
    shown = protect(count).at_least
    if shown is not None:
        assert shown <= count < shown + SMALLEST_GROUP
        assert {protect(other).at_least for other in range(shown, shown + SMALLEST_GROUP)} == {shown}
