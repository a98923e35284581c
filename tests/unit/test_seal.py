"""Values that only we can make, for a limited time."""

import base64
import string
from datetime import timedelta

import msgspec
import pytest

from lti_tool.protocol.seal import CLOCKS_DIFFER_S, SealBroken, SealExpired, open_seal, seal
from tests.conftest import NOW

KEY, LIFE = b"k" * 32, timedelta(minutes=10)
ALPHABET = string.ascii_letters + string.digits + "-_."


class Note(msgspec.Struct, frozen=True):
    text: str


NOTE, NOTES = Note(text="für Malta"), msgspec.json.Decoder(Note)


@pytest.fixture(scope="module")
def sealed() -> str:
    return seal(NOTE, secret_key=KEY, purpose="note", now=NOW)


def opened(sealed: str, *, key: bytes = KEY, purpose: str = "note", after: timedelta = timedelta()) -> Note:
    return open_seal(sealed, NOTES, secret_key=key, purpose=purpose, now=NOW + after, life=LIFE)


@pytest.mark.parametrize("after", [timedelta(), LIFE, timedelta(seconds=-CLOCKS_DIFFER_S)], ids=str)
def test_what_was_sealed_comes_back(sealed: str, after: timedelta) -> None:
    assert opened(sealed, after=after) == NOTE


@pytest.mark.parametrize("after", [LIFE + timedelta(seconds=1), timedelta(seconds=-CLOCKS_DIFFER_S - 1)], ids=str)
def test_it_is_good_for_its_time_alone(sealed: str, after: timedelta) -> None:
    with pytest.raises(SealExpired):
        opened(sealed, after=after)


def test_another_key_or_purpose_opens_nothing(sealed: str) -> None:
    with pytest.raises(SealBroken):
        opened(sealed, key=b"x" * 32)
    with pytest.raises(SealBroken):
        opened(sealed, purpose="state")


def test_no_other_text_is_the_same_seal(sealed: str) -> None:
    """Also no second spelling of it: what is named after the text would have two names."""
    for place, was in enumerate(sealed):
        for character in ALPHABET:
            if character != was:
                with pytest.raises(SealBroken):
                    opened(sealed[:place] + character + sealed[place + 1 :])


@pytest.mark.parametrize("change", ["", ".", "..", "=", "\n", " ", "\0", "\udc80", "ü", "a" * 5000])
def test_what_is_added_breaks_it(sealed: str, change: str) -> None:
    for text in (change + sealed, sealed + change, change):
        if text != sealed:
            with pytest.raises(SealBroken):
                opened(text)


def test_a_value_of_another_kind_is_refused() -> None:
    class Other(msgspec.Struct):
        number: int

    with pytest.raises(SealBroken):
        opened(seal(Other(number=1), secret_key=KEY, purpose="note", now=NOW))


def test_whoever_holds_it_can_read_it(sealed: str) -> None:
    """Said in `seal`: nothing secret goes in."""
    assert NOTE.text.encode() in base64.urlsafe_b64decode(sealed.partition(".")[0] + "==")
