"""What others may know of how many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.pooling import SMALLEST_GROUP, STEP, protect


@pytest.mark.parametrize(("count", "shown"), [(0, None), (1, None), (4, None), (5, 5), (9, 5), (10, 10), (137, 135)])
def test_small_groups_are_hidden_and_others_shown_in_steps(count: int, shown: int | None) -> None:
    assert protect(count).at_least == shown


@given(st.integers(min_value=0, max_value=SMALLEST_GROUP - 1), st.integers(min_value=0, max_value=SMALLEST_GROUP - 1))
def test_nobody_and_a_few_look_the_same(one: int, other: int) -> None:
    assert protect(one) == protect(other)


@given(st.integers(min_value=0, max_value=10_000))
def test_a_shown_number_is_never_too_high_and_stands_for_a_whole_step(count: int) -> None:
    shown = protect(count).at_least
    if shown is not None:
        assert shown <= count < shown + STEP
        assert {protect(other).at_least for other in range(shown, shown + STEP)} == {shown}
