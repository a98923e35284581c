"""The code of six digits: what is forgiven, and why one is not taken."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.check_in import (
    CODE_LIFE,
    EXTRA_TIME,
    CheckIn,
    CodeReason,
    CodeRefused,
    MayOpen,
    match_code,
    may_open,
    new_code,
    opens_by_itself,
)
from tests.conftest import NOW
from tests.examples import SESSION

OPEN = CheckIn(check_in_id=1, code="048213", opens_at=NOW - timedelta(minutes=1), closes_at=NOW + timedelta(minutes=4))
CLOSED = CheckIn(check_in_id=2, code="777777", opens_at=NOW - timedelta(hours=1), closes_at=NOW - timedelta(minutes=55))
AHEAD = CheckIn(check_in_id=3, code="555555", opens_at=NOW + timedelta(minutes=5), closes_at=NOW + timedelta(minutes=9))


def reason(typed: str, *check_ins: CheckIn, now: datetime = NOW) -> CodeReason:
    with pytest.raises(CodeRefused) as refused:
        match_code(typed, check_ins, now)
    return refused.value.reason


@pytest.mark.parametrize(
    "typed",
    [
        "048213",
        " 048 213 ",
        "048-213",
        "0-4-8-2-1-3",
        "048\N{EN DASH}213",
        "048\N{NON-BREAKING HYPHEN}213",
        "048\N{NO-BREAK SPACE}213",
        "048\N{NARROW NO-BREAK SPACE}213",
        "048\N{IDEOGRAPHIC SPACE}213",
        "048\t213\r\n",
        "\N{RIGHT-TO-LEFT MARK}048213\N{ZERO WIDTH SPACE}",
        "\N{FULLWIDTH DIGIT ZERO}48213",
        "٠٤٨٢١٣",
        "۰۴۸۲۱۳",
        "०४८२१३",
    ],
    ids=ascii,
)
def test_how_a_code_is_written_does_not_matter(typed: str) -> None:
    assert match_code(typed, [CLOSED, OPEN], NOW) == OPEN


@pytest.mark.parametrize("typed", ["", "   ", "04821", "0482134", "O48213", "04821.3", "048213!", "²48213", "Ⅷ48213"])
def test_what_is_not_six_digits_is_called_so(typed: str) -> None:
    assert reason(typed, OPEN) is CodeReason.NOT_SIX_DIGITS


def test_another_code_is_wrong() -> None:
    assert reason("048214", OPEN) is CodeReason.WRONG


def test_a_code_whose_time_is_over_is_late() -> None:
    assert reason(CLOSED.code, CLOSED) is CodeReason.LATE
    assert reason(CLOSED.code, OPEN, CLOSED) is CodeReason.LATE


def test_any_code_comes_too_early_before_the_check_in_opens() -> None:
    assert reason("048213") is CodeReason.NOT_OPEN
    assert reason("123456", CLOSED) is CodeReason.NOT_OPEN


def test_the_code_of_an_opening_that_is_still_to_come_is_not_called_late() -> None:
    assert reason(AHEAD.code, AHEAD) is CodeReason.NOT_OPEN
    assert reason(AHEAD.code, OPEN, AHEAD) is CodeReason.WRONG


def test_a_code_is_taken_from_its_first_to_its_last_moment() -> None:
    assert match_code(OPEN.code, [OPEN], OPEN.opens_at) == OPEN
    assert match_code(OPEN.code, [OPEN], OPEN.closes_at - timedelta(microseconds=1)) == OPEN
    assert reason(OPEN.code, OPEN, now=OPEN.closes_at) is CodeReason.LATE


def test_a_code_that_is_drawn_a_second_time_belongs_to_the_opening_of_now() -> None:
    drawn_again = CheckIn(check_in_id=4, code=CLOSED.code, opens_at=OPEN.opens_at, closes_at=OPEN.closes_at)
    assert match_code(CLOSED.code, [CLOSED, drawn_again], NOW) == drawn_again


def test_a_code_lives_five_minutes() -> None:
    assert timedelta(minutes=5) == CODE_LIFE


def test_a_new_code_is_six_digits_with_its_leading_zeros() -> None:
    codes = {new_code() for _ in range(2000)}
    assert {len(code) for code in codes} == {6}
    assert all(code.isascii() and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)
    assert len(codes) > 1900


@given(st.text())
def test_whatever_is_typed_is_taken_or_refused(typed: str) -> None:
    with suppress(CodeRefused):
        assert match_code(typed, [OPEN, CLOSED], NOW) == OPEN


# More time


def test_a_code_is_taken_longer_from_who_has_more_time_in_its_opening() -> None:
    last = OPEN.closes_at + EXTRA_TIME
    assert match_code(OPEN.code, [OPEN], last - timedelta(microseconds=1), {OPEN.check_in_id}) == OPEN
    assert reason(OPEN.code, OPEN, now=OPEN.closes_at) is CodeReason.LATE
    with pytest.raises(CodeRefused) as refused:
        match_code(OPEN.code, [OPEN], last, {OPEN.check_in_id})
    assert refused.value.reason is CodeReason.LATE


def test_more_time_in_one_opening_is_none_in_another() -> None:
    with pytest.raises(CodeRefused):
        match_code(OPEN.code, [OPEN, CLOSED], OPEN.closes_at, {CLOSED.check_in_id})


def test_a_wrong_code_in_the_longer_time_is_wrong_and_not_too_early() -> None:
    with pytest.raises(CodeRefused) as refused:
        match_code("000000", [OPEN], OPEN.closes_at, {OPEN.check_in_id})
    assert refused.value.reason is CodeReason.WRONG


# Who may open it when


def opened(at: datetime) -> CheckIn:
    return CheckIn(check_in_id=9, code="111222", opens_at=at, closes_at=at + CODE_LIFE)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("openings", "now", "answer"),
    [
        ([], SESSION.start_at - MINUTE, MayOpen.TOO_EARLY),
        ([], SESSION.start_at, MayOpen.YES),
        ([], SESSION.end_at - MINUTE, MayOpen.YES),
        ([], SESSION.end_at, MayOpen.WITH_REASON),
        ([], SESSION.end_at + 59 * MINUTE, MayOpen.WITH_REASON),
        ([], SESSION.end_at + 60 * MINUTE, MayOpen.TOO_LATE),
        ([opened(SESSION.start_at)], SESSION.start_at + 4 * MINUTE, MayOpen.IS_OPEN),
        ([opened(SESSION.start_at)], SESSION.start_at + 5 * MINUTE, MayOpen.WITH_REASON),
        ([opened(SESSION.start_at - 9 * MINUTE)], SESSION.start_at, MayOpen.YES),
    ],
)
def test_a_host_may_open_it_from_the_start_and_once_more_with_a_reason(
    openings: list[CheckIn], now: datetime, answer: MayOpen
) -> None:
    assert may_open(SESSION, openings, now) is answer


def test_it_opens_by_itself_after_five_minutes_and_only_when_nobody_has() -> None:
    five = SESSION.start_at + 5 * MINUTE
    assert not opens_by_itself(SESSION, [], five - MINUTE)
    assert opens_by_itself(SESSION, [], five)
    assert opens_by_itself(SESSION, [], SESSION.end_at - MINUTE)
    assert not opens_by_itself(SESSION, [], SESSION.end_at)
    assert not opens_by_itself(SESSION, [opened(SESSION.start_at)], SESSION.end_at - MINUTE)


def test_a_new_code_is_none_of_those_of_the_session() -> None:
    even = {f"{number:06d}" for number in range(0, 10**6, 2)}
    assert not even & {new_code(even) for _ in range(20)}
