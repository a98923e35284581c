"""Our signing keys over time: which one signs, which are published, what a rotation does to them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.tool_keys import (
    FORGOTTEN_AFTER,
    RETIRES_AFTER,
    SIGNS_AFTER,
    KeyState,
    NextKeyWaits,
    Rotation,
    ToolKey,
    key_state,
    plan_rotation,
    plan_rotation_at_once,
    signing_key,
)
from tests.conftest import NOW

HOUR, DAY, TICK = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
FIRST = ToolKey(kid="first", private_key_pem=b"secret", created_at=NOW, signs_from=NOW, retires_at=None)


def rotated(keys: list[ToolKey], kid: str, plan: Rotation, *, now: datetime) -> list[ToolKey]:
    """The keys after the rotation, as the store has them."""
    kept = [
        replace(key, retires_at=plan.retires_at) if key.kid in plan.retiring_kids else key
        for key in keys
        if key.kid not in plan.forgotten_kids
    ]
    new = ToolKey(kid=kid, private_key_pem=b"secret", created_at=now, signs_from=plan.signs_from, retires_at=None)
    return [new, *kept]


def states(keys: list[ToolKey], now: datetime) -> dict[str, str]:
    return {key.kid: key_state(key, keys, now).value for key in keys}


@pytest.fixture
def two() -> list[ToolKey]:
    """The first key, and the one that replaces it, made a day later."""
    return rotated([FIRST], "second", plan_rotation([FIRST], NOW + DAY), now=NOW + DAY)


def test_the_first_key_signs_at_once() -> None:
    assert states([FIRST], NOW) == {"first": "signing"}


@pytest.mark.parametrize(
    ("at", "first", "second"),
    [
        (NOW + DAY, "signing", "next"),
        (NOW + DAY + SIGNS_AFTER - TICK, "signing", "next"),
        (NOW + DAY + SIGNS_AFTER, "retiring", "signing"),
        (NOW + DAY + SIGNS_AFTER + RETIRES_AFTER - TICK, "retiring", "signing"),
        (NOW + DAY + SIGNS_AFTER + RETIRES_AFTER, "retired", "signing"),
        (NOW + DAY * 3650, "retired", "signing"),
    ],
    ids=["at the rotation", "just before", "it signs", "its last moment", "retired", "ten years later"],
)
def test_a_key_goes_through_its_states_by_the_clock_alone(
    two: list[ToolKey], at: datetime, first: str, second: str
) -> None:
    assert states(two, at) == {"first": first, "second": second}


def test_a_key_is_published_in_every_state_but_the_last(two: list[ToolKey]) -> None:
    for hours in range(24 * 12):
        at = NOW + DAY + hours * HOUR
        assert all(key.is_published(at) is (key_state(key, two, at) is not KeyState.RETIRED) for key in two)


def test_a_clock_that_was_set_back_before_the_first_key_finds_one_that_signs(two: list[ToolKey]) -> None:
    assert states(two, NOW - DAY) == {"first": "signing", "second": "next"}


def test_without_keys_none_signs() -> None:
    assert signing_key([], NOW) is None


def test_the_next_key_may_wait_shorter_or_longer() -> None:
    plan = plan_rotation([FIRST], NOW, signs_after=HOUR)
    assert (plan.signs_from, plan.retires_at) == (NOW + HOUR, NOW + HOUR + RETIRES_AFTER)
    assert plan.retiring_kids == ("first",)


def test_while_a_next_key_waits_no_other_is_made(two: list[ToolKey]) -> None:
    with pytest.raises(NextKeyWaits) as caught:
        plan_rotation(two, NOW + DAY + HOUR)
    assert caught.value.waiting.kid == "second"


def test_a_key_that_retires_already_keeps_its_day(two: list[ToolKey]) -> None:
    at = NOW + DAY + SIGNS_AFTER + HOUR
    three = rotated(two, "third", plan_rotation(two, at), now=at)
    assert states(three, at) == {"first": "retiring", "second": "signing", "third": "next"}
    assert three[2].retires_at == two[1].retires_at
    assert states(three, at + SIGNS_AFTER) == {"first": "retiring", "second": "retiring", "third": "signing"}


@pytest.mark.parametrize("hours", [1, 25, 24 * 7 + 23])
def test_at_once_leaves_only_the_new_key(two: list[ToolKey], hours: int) -> None:
    at = NOW + DAY + hours * HOUR
    after = rotated(two, "third", plan_rotation_at_once(two, at), now=at)
    assert states(after, at) == {"first": "retired", "second": "retired", "third": "signing"}


def test_at_once_lets_what_was_retired_before_keep_its_day(two: list[ToolKey]) -> None:
    at = NOW + DAY * 20
    assert plan_rotation_at_once(two, at).retiring_kids == ("second",)


def test_what_retired_long_ago_is_forgotten(two: list[ToolKey]) -> None:
    at = NOW + DAY + SIGNS_AFTER + RETIRES_AFTER + FORGOTTEN_AFTER
    assert plan_rotation(two, at - TICK).forgotten_kids == ()
    assert plan_rotation(two, at).forgotten_kids == ("first",)
    assert plan_rotation_at_once(two, at).forgotten_kids == ("first",)


@given(
    st.lists(
        st.tuples(st.timedeltas(timedelta(0), DAY * 60), st.booleans(), st.integers(min_value=1, max_value=720)),
        max_size=8,
    )
)
def test_whatever_an_operator_does_exactly_one_key_signs_and_was_published_before(
    steps: list[tuple[timedelta, bool, int]],
) -> None:
    keys, at, leaked_at = [FIRST], NOW, NOW
    for number, (pause, leaked, hours) in enumerate(steps):
        at += pause
        assert list(states(keys, at).values()).count("signing") == 1
        if leaked:
            keys, leaked_at = rotated(keys, f"{number}", plan_rotation_at_once(keys, at), now=at), at
            assert [key.kid for key in keys if key.is_published(at)] == [f"{number}"]
        elif "next" not in states(keys, at).values():
            keys = rotated(keys, f"{number}", plan_rotation(keys, at, signs_after=hours * HOUR), now=at)
    for hours in range(0, 24 * 40, 12):
        signing = signing_key(keys, at + hours * HOUR)
        assert signing is not None
        assert signing.signs_from - signing.created_at >= HOUR or signing.created_at in {NOW, leaked_at}


def test_a_key_does_not_show_its_secret() -> None:
    assert "secret" not in repr(FIRST)
