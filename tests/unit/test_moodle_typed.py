"""Addresses and tokens as people paste them: what is taken, and what they are told instead."""

import pytest

from series.moodle_typed import Mistyped, is_same_address, typed_address, typed_token

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" https://moodle.example/ ", "https://moodle.example"),
        ("https://moodle.example:8443/a/moodle", "https://moodle.example:8443/a/moodle"),
        ("https://moodle.example/mymoodle", "https://moodle.example/mymoodle"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_an_address_is_taken(typed: str, address: str) -> None:
    assert typed_address(typed) == address


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("https://Moodle.Example/a/", True),
        ("https://moodle.example/A", False),
        ("http://moodle.example/a", False),
        ("https://moodle.example:8443/a", False),
        ("https://www.moodle.example/a", False),
    ],
)
def test_an_address_may_be_written_in_more_than_one_way(other: str, is_same: bool) -> None:  # noqa: FBT001
    assert is_same_address("https://moodle.example/a", other) is is_same


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Please enter the address"),
        ("moodle.example", "no web address"),
        ("https://", "no web address"),
        ("https://mood\0le.example", "no web address"),
        ("https://" + "m" * 300, "no web address"),
        ("https://moodle.example:port/", "no web address"),
        ("http://moodle.example", "must begin with https://, because"),
        ("ftp://moodle.example", "must begin with https:// and"),
        ("https://me:secret@moodle.example", "must begin with https:// and"),
        ("https://moodle.example/login/index.php", "probably https://moodle.example"),
        ("https://a.example/moodle/login", "probably https://a.example/moodle"),
        ("https://a.example/moodle/course/view.php?id=7", "probably https://a.example/moodle"),
        ("https://moodle.example/?redirect=0", "probably https://moodle.example"),
    ],
)
def test_an_address_that_will_not_do_is_explained(typed: str, sentence: str) -> None:
    with pytest.raises(Mistyped, match=sentence) as refused:
        typed_address(typed)
    assert refused.value.field == "address"


def test_a_token_is_taken_without_what_is_around_it() -> None:
    assert typed_token(f" {TOKEN}\n") == TOKEN


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (" ", "Please enter the token"),
        (f"Token: {TOKEN}", "without the words"),
        (f"wstoken={TOKEN}", "without the words"),
        (f"{TOKEN[:16]} {TOKEN[16:]}", "blanks or several lines"),
        (f"{TOKEN}\n{TOKEN}", "blanks or several lines"),
        ("short", "no token of Moodle's"),
        (TOKEN[:-1] + "\0", "no token of Moodle's"),
        (TOKEN * 5, "no token of Moodle's"),
    ],
)
def test_a_token_that_will_not_do_is_explained_and_never_quoted(typed: str, sentence: str) -> None:
    with pytest.raises(Mistyped, match=sentence) as refused:
        typed_token(typed)
    assert TOKEN[:16] not in str(refused.value)
    assert refused.value.field == "token"
