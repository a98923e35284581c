"""The token of a feed: who can make one, and when it stops."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lti_tool.pages.feed_links import links_of
from series.feed_address import FeedOwner, OwnerKind, make_token, proves, read_token
from tests.conftest import NOW

KEY = b"a test's secret key, long enough for all"
PERSON = FeedOwner(kind=OwnerKind.PARTICIPANT, owner_id=7, generation=0, since=NOW)
HEX = "0" * 32
COURSE = FeedOwner(kind=OwnerKind.COURSE, owner_id=7, generation=0)


def is_proved(text: str, owner: FeedOwner, *, key: bytes = KEY) -> bool:
    token = read_token(text)
    return token is not None and proves(token, owner, secret_key=key)


@pytest.mark.parametrize("owner", [PERSON, COURSE])
def test_the_same_token_is_made_again_and_proves_its_owner(owner: FeedOwner) -> None:
    token = make_token(owner, secret_key=KEY)
    assert token == make_token(owner, secret_key=KEY)
    assert is_proved(token, owner)


@pytest.mark.parametrize(
    "other",
    [
        replace(PERSON, generation=1),
        replace(PERSON, owner_id=8),
        replace(PERSON, kind=OwnerKind.COURSE),
        replace(PERSON, since=NOW + timedelta(microseconds=1)),
        COURSE,
    ],
    ids=["the next generation", "another person", "a course", "who got the id of an erased person", "that course"],
)
def test_it_proves_nobody_else(other: FeedOwner) -> None:
    assert not is_proved(make_token(PERSON, secret_key=KEY), other)
    assert not is_proved(make_token(other, secret_key=KEY), PERSON)


def test_a_mac_is_not_good_for_another_id() -> None:
    token = make_token(PERSON, secret_key=KEY)
    assert not is_proved(token.replace("p7-", "p8-"), PERSON)
    assert not is_proved(token.replace("p7-", "p8-"), replace(PERSON, owner_id=8))


def test_another_secret_key_makes_other_tokens() -> None:
    assert not is_proved(make_token(PERSON, secret_key=KEY), PERSON, key=KEY + b"!")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p7",
        "p7-",
        f"x7-{HEX}",
        f"p07-{HEX}",
        f"p\u0667-{HEX}",  # a digit, but not one of ours
        f"p{'9' * 19}-{HEX}",
        f"p7-{HEX[1:]}",
        f"p7-{HEX}\n",
        f"p7-{HEX[1:]}A",
        f"p7-{HEX[1:]}é",
    ],
)
def test_anything_else_is_no_token(text: str) -> None:
    assert read_token(text) is None


def test_the_buttons_carry_the_whole_address() -> None:
    links = links_of(PERSON, name="STEM & more", public_url="https://sessions.example", secret_key=KEY)
    token = make_token(PERSON, secret_key=KEY)
    assert links.address == f"https://sessions.example/calendar/{token}.ics"
    assert links.for_moodle == f"{links.address}?for=moodle"
    assert links.apple == f"webcal://sessions.example/calendar/{token}.ics"
    webcal = f"webcal%3A%2F%2Fsessions.example%2Fcalendar%2F{token}.ics"
    assert links.google == f"https://calendar.google.com/calendar/r?cid={webcal}"
    https = f"https%3A%2F%2Fsessions.example%2Fcalendar%2F{token}.ics"
    assert links.outlook == (f"https://outlook.office.com/calendar/0/addfromweb?url={https}&name=STEM%20%26%20more")


def test_on_a_development_machine_the_port_stays() -> None:
    links = links_of(PERSON, name="x", public_url="http://localhost:8999", secret_key=KEY)
    assert links.apple.startswith("webcal://localhost:8999/calendar/p7-")
