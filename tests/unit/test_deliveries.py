"""When a score is sent, and when again."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.guarded import TOTAL_S
from series.deliveries import FIRST_DELAY, GIVE_UP_AFTER, LEASE, LONGEST_DELAY, next_attempt_at, next_score_at
from tests.conftest import NOW

SECOND = timedelta(seconds=1)
INSTANTS = st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)).map(lambda since: NOW + since)
JITTER = st.floats(min_value=0, max_value=1)


def again_at(
    *,
    attempts: int = 1,
    trying_since: datetime = NOW,
    retry_after_s: int | None = None,
    jitter: float = 0,
    now: datetime = NOW,
) -> datetime | None:
    return next_attempt_at(
        now, attempts=attempts, trying_since=trying_since, retry_after_s=retry_after_s, jitter=jitter
    )


# The timestamp of a score


def test_a_first_score_has_the_present_second() -> None:
    assert next_score_at(NOW.replace(microsecond=999_999), None) == NOW


def test_a_second_score_within_a_second_is_a_whole_second_later() -> None:
    assert next_score_at(NOW.replace(microsecond=500_000), NOW) == NOW + SECOND


def test_a_clock_that_was_set_back_does_not_set_scores_back() -> None:
    assert next_score_at(NOW - timedelta(hours=1), NOW) == NOW + SECOND


@given(st.lists(INSTANTS, min_size=1, max_size=20))
def test_timestamps_grow_by_whole_seconds_whatever_the_clock_does(readings: list[datetime]) -> None:
    last: datetime | None = None
    for now in readings:
        at = next_score_at(now, last)
        assert at.microsecond == 0
        assert last is None or at - last >= SECOND
        last = at


# The next attempt


def test_the_delay_doubles() -> None:
    delays = [(again_at(attempts=attempts) or NOW) - NOW for attempts in range(1, 5)]
    assert delays == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY]


@pytest.mark.parametrize("attempts", [13, 100, 10**9])
def test_the_delay_is_bounded(attempts: int) -> None:
    assert again_at(attempts=attempts) == NOW + LONGEST_DELAY


def test_jitter_adds_at_most_a_quarter() -> None:
    assert again_at(jitter=1) == NOW + FIRST_DELAY * 1.25


def test_a_longer_time_that_the_lms_asks_for_is_honoured() -> None:
    assert again_at(retry_after_s=120) == NOW + timedelta(seconds=120)


def test_a_shorter_time_that_the_lms_allows_does_not_hurry_us() -> None:
    assert again_at(retry_after_s=0) == NOW + FIRST_DELAY


def test_an_absurd_time_that_the_lms_asks_for_is_bounded() -> None:
    assert again_at(retry_after_s=999_999_999) == NOW + LONGEST_DELAY


def test_after_a_week_it_is_given_up() -> None:
    assert again_at(trying_since=NOW - GIVE_UP_AFTER) is not None
    assert again_at(trying_since=NOW - GIVE_UP_AFTER - SECOND) is None
    assert timedelta(days=7) == GIVE_UP_AFTER


@given(attempts=st.integers(min_value=1, max_value=200), retry_after_s=st.none() | st.integers(0), jitter=JITTER)
def test_the_next_attempt_lies_ahead_and_within_reach(attempts: int, retry_after_s: int | None, jitter: float) -> None:
    found = again_at(attempts=attempts, retry_after_s=retry_after_s and min(retry_after_s, 10**9), jitter=jitter)
    assert found is not None
    assert FIRST_DELAY <= found - NOW <= LONGEST_DELAY * 1.25


def test_a_lease_is_longer_than_the_slowest_attempt() -> None:
    calls = 6  # token, score, and both again with a new token; token, result
    assert calls * timedelta(seconds=TOTAL_S) < LEASE
