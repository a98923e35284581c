"""The code that moves one's progress, as people type it."""

import pytest

from series.transfer_codes import hash_of_code, new_transfer_code


def test_a_code_is_known_again_however_it_is_typed() -> None:
    code = new_transfer_code()
    assert len(code.replace("-", "")) == 16
    known = hash_of_code(code)
    assert known is not None
    assert known == hash_of_code(code.lower().replace("-", " ")) == hash_of_code(f" {code.replace('0', 'o')} ")


@pytest.mark.parametrize(
    "typed", ["", "7KX2", "7KX2-M9QT-RB4D-05W", "7KX2-M9QT-RB4D-05WZ-1", "ÜKX2-M9QT-RB4D-05WZ", "٣KX2-M9QT-RB4D-05WZ"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert hash_of_code(typed) is None


def test_no_two_codes_are_the_same() -> None:
    assert len({new_transfer_code() for _ in range(1_000)}) == 1_000
