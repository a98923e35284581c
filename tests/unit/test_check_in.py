"""The code of six digits: what is forgiven, and why one is not taken."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from series.check_in import CODE_LIFE, CheckIn, CodeReason, CodeRefused, match_code, new_code
from tests.conftest import NOW

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
