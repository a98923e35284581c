"""The code with which somebody becomes the host whom the coordinator means."""

from dataclasses import replace
from datetime import timedelta

import pytest

from series.hosts import HostInvitation, InvitationState, make_code, proves, read_code
from tests.conftest import NOW
from tests.examples import SESSION

KEY = b"a test's secret key, long enough for all"
INVITATION = HostInvitation(
    invitation_id=12,
    session_id=SESSION.session_id,
    label="Prof. Borg",
    created_at=NOW,
    expires_at=NOW + timedelta(days=30),
    revoked_at=None,
    used_at=None,
    used_by=None,
)


def is_taken(typed: str, invitation: HostInvitation = INVITATION, key: bytes = KEY) -> bool:
    code = read_code(typed)
    return code is not None and proves(code, invitation, secret_key=key)


def test_a_code_is_the_same_whenever_it_is_shown_and_is_taken() -> None:
    code = make_code(INVITATION, secret_key=KEY)
    assert code == make_code(INVITATION, secret_key=KEY)
    assert code.startswith("12-")
    assert is_taken(code)


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f"  {code.replace('-', ' – ')}. ",
        lambda code: f"“{code}”",
    ],
    ids=["small", "without hyphens", "with blanks", "in quotes"],
)
def test_a_code_is_taken_however_it_is_typed(typed: object) -> None:
    assert callable(typed)
    assert is_taken(typed(make_code(INVITATION, secret_key=KEY)))


def test_signs_that_look_alike_are_one() -> None:
    read = read_code("I2-OOOOO-LLLLL")
    assert read is not None
    assert (read.invitation_id, read.proof) == (12, "0000011111")


@pytest.mark.parametrize("typed", ["", "12", "0-12345-67890", "a-12345-67890", "12-12345-6789U", "1" * 200])
def test_what_has_not_the_shape_of_a_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


def test_a_code_is_of_one_invitation_alone() -> None:
    code = make_code(INVITATION, secret_key=KEY)
    assert not is_taken(code, replace(INVITATION, invitation_id=13))
    assert not is_taken(code, replace(INVITATION, created_at=NOW + timedelta(seconds=1))), "an id may be given again"
    assert not is_taken(code, key=b"another installation's secret key, long enough")
    assert not is_taken(f"13{code.removeprefix('12')}", replace(INVITATION, invitation_id=13))


def test_an_invitation_says_how_it_stands() -> None:
    assert INVITATION.state(NOW) is InvitationState.OPEN
    assert INVITATION.state(INVITATION.expires_at) is InvitationState.EXPIRED
    assert replace(INVITATION, revoked_at=NOW).state(NOW) is InvitationState.REVOKED
    assert replace(INVITATION, used_at=NOW, revoked_at=NOW).state(INVITATION.expires_at) is InvitationState.USED
