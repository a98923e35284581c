"""E-mail addresses as names of accounts, and what a password may be."""

import pytest

from series.staff import PasswordFault, is_email, normal_email, normal_password, password_fault

EMAIL, NAME = "maria.borg.stem@example.org", "Maria Elena Borg"


@pytest.mark.parametrize("typed", ["a@b.example", "A@B.Example", " a@b.example\n", "\uff41@b.example"])
def test_an_account_has_one_name_however_it_is_typed(typed: str) -> None:
    assert normal_email(typed) == "a@b.example"


@pytest.mark.parametrize("address", ["a@b.example", "a+b@c.d.example", "o'brien@example.org", "ö@ü.example"])
def test_these_can_be_addresses(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        "a@b",
        "a@b.",
        "a@.b",
        "a b@c.example",
        "a\0@b.example",
        "a@" + "b" * 251 + ".c",
    ],
)
def test_these_can_not(address: str) -> None:
    assert not is_email(address)


@pytest.mark.parametrize(
    "password",
    [
        "twelve signs",
        "            ",
        "111111111111",
        "ÄÖÜäöüßéèñçø",
        "密码密码密码密码密码密码",
        "x" * 128,
        "Maria Elena Borg!",
    ],
)
def test_length_counts_and_nothing_about_its_composition(password: str) -> None:
    assert password_fault(password, email=EMAIL, name=NAME) is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", PasswordFault.TOO_SHORT),
        ("elevensigns", PasswordFault.TOO_SHORT),
        ("e\u0301" * 11, PasswordFault.TOO_SHORT),
        ("x" * 129, PasswordFault.TOO_LONG),
        (EMAIL, PasswordFault.IS_THE_PERSON),
        (EMAIL.upper(), PasswordFault.IS_THE_PERSON),
        ("maria.borg.stem", PasswordFault.IS_THE_PERSON),
        ("maria elena borg", PasswordFault.IS_THE_PERSON),
        ("MariaElenaBorg", PasswordFault.IS_THE_PERSON),
    ],
)
def test_a_password_that_will_not_do(password: str, fault: PasswordFault) -> None:
    assert password_fault(password, email=EMAIL, name=NAME) is fault


def test_spaces_of_a_password_count() -> None:
    assert normal_password(" a  b ") == " a  b "
